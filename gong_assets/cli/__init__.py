"""The `gong-assets` command: it materializes the graph and reads its tables."""

from gong_assets.cli.app import main

__all__ = ["main"]
