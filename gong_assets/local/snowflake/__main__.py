"""``python -m gong_assets.local.snowflake --data DIR --port N``: run the server until it is stopped.

GONG_ASSETS_LOCAL_CORTEX_REFUSES, a regular expression, tells which texts the Cortex stand-ins refuse.

Exit codes: 0 stopped, 1 the data directory or the port is in use, 2 wrong usage.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import warnings
from pathlib import Path

from gong_assets.local.cortex.refusal import refused_texts
from gong_assets.local.snowflake import server
from gong_assets.local.snowflake.storage import DataInUseError, Storage


def main(arguments: list[str] | None = None) -> int:
    """Run the server; the result is the exit code."""
    parser = argparse.ArgumentParser(prog="python -m gong_assets.local.snowflake", description=server.__doc__)
    parser.add_argument("--data", type=Path, required=True, help="directory of the database files")
    parser.add_argument("--port", type=int, required=True, help="port to listen on; 0 takes a free one")
    parser.add_argument("--host", default="127.0.0.1", help="loopback address to listen on")
    options = parser.parse_args(arguments)
    # fakesnow reads results as Arrow in the one way that a cursor has; DuckDB would rather see another.
    warnings.filterwarnings("ignore", message="Arrow output on a DB-API result")
    # sqlglot warns about each statement that it leaves unparsed; those are handled here.
    logging.getLogger("sqlglot").setLevel(logging.ERROR)
    try:
        refused_texts(os.environ)
        listener = server.listen(options.host, options.port)
    except ValueError as error:
        parser.error(str(error))
    except OSError as error:
        return _fail(f"Cannot listen on {options.host}:{options.port}: {error.strerror}.")
    try:
        storage = Storage(options.data)
    except DataInUseError as error:
        return _fail(str(error))
    port = listener.getsockname()[1]
    print(f"Listening on {options.host}:{port}, data in {options.data}.", flush=True)  # noqa: T201
    server.run(storage, listener)
    return 0


def _fail(message: str) -> int:
    print(message, file=sys.stderr)  # noqa: T201
    return 1


if __name__ == "__main__":
    sys.exit(main())
