"""``python -m gong_assets.local.snowflake --data DIR --port N``: run the server until it is stopped.

The first line of the standard input is the password of all users. Cortex functions fail for texts that match
the regular expression in GONG_ASSETS_LOCAL_CORTEX_REFUSES.

Exit codes: 0 stopped, 1 data directory or port in use, or files damaged, 2 usage error.
"""

from __future__ import annotations

import argparse
import gc
import logging
import os
import sys
import warnings
from pathlib import Path

from gong_assets.local.cortex.failure_injection import failing_texts
from gong_assets.local.snowflake.server import http_server
from gong_assets.local.snowflake.storage.databases import DataError, Storage


def main(arguments: list[str] | None = None) -> int:
    """Run the server and return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m gong_assets.local.snowflake", description=http_server.__doc__
    )
    parser.add_argument("--data", type=Path, required=True, help="directory of the database files")
    parser.add_argument("--port", type=int, required=True, help="port to listen on; 0 for any free port")
    parser.add_argument("--host", default="127.0.0.1", help="loopback address to listen on")
    options = parser.parse_args(arguments)
    os.umask(0o077)  # the databases and stages have transcripts
    # fakesnow reads results with an Arrow method of DuckDB that copies the rows and warns about it.
    warnings.filterwarnings("ignore", message="Arrow output on a DB-API result")
    # sqlglot warns about statements that it cannot parse; session_commands handles those.
    logging.getLogger("sqlglot").setLevel(logging.ERROR)
    try:
        failing_texts(os.environ)
        listener = http_server.listen(options.host, options.port)
    except ValueError as error:
        parser.error(str(error))
    except OSError as error:
        return _fail(f"Cannot listen on {options.host}:{options.port}: {error.strerror}.")
    password = sys.stdin.readline().strip()
    if not password:
        parser.error("the first line of the standard input must be the password of all users")
    try:
        storage = Storage(options.data)
    except DataError as error:
        return _fail(str(error))
    # What was imported stays. A statement makes thousands of objects, and collections would look at it, too.
    gc.freeze()
    port = listener.getsockname()[1]
    print(f"Listening on {options.host}:{port}, data in {options.data}.", flush=True)  # noqa: T201
    http_server.run(storage, listener, password)
    return 0


def _fail(message: str) -> int:
    print(message, file=sys.stderr)  # noqa: T201
    return 1


if __name__ == "__main__":
    sys.exit(main())
