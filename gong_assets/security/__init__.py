"""What every server checks about a request, and how texts of others and private files are written.

They concern all layers, so nothing here imports the rest of the package or a library. `http_requests.py` is
ASGI middleware for the MCP server, the webhook receiver and the servers of the local stack. `texts.py` has a
function for each medium that could take a text for something else, and `logs.py` applies it to log records.
`private_files.py` replaces a file that only its owner can read.
"""
