"""The `gong-assets` command. It launches the graph, or reads what the graph made."""

from gong_assets.cli.app import main

__all__ = ["main"]
