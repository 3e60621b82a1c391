"""The `gong-assets` command: it materializes the graph and reads its tables."""

from __future__ import annotations

import sys

from gong_assets.cli.interruption import EXIT_CODE, interruptible
from gong_assets.cli.streams import prepare_streams


def main() -> None:
    """Run the command line; a signal ends it with one line and exit code 130."""
    prepare_streams()
    try:
        with interruptible():
            # The import takes long enough to be interrupted.
            from gong_assets.cli.app import run

            code = run()
    except KeyboardInterrupt:
        sys.stderr.write("error: interrupted\n")
        code = EXIT_CODE
    sys.exit(code)


__all__ = ["main"]
