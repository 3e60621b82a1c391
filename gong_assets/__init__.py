"""Gong calls in Snowflake: a Dagster asset graph, its component for other projects, and tools for agents.

The public names are imported on first use, because Dagster takes seconds to import and most modules do not
need it.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

if sys.version_info < (3, 11):  # noqa: UP036 - a checkout on the path can be imported by any Python
    raise ImportError(
        f"gong_assets requires Python 3.11 to 3.13, and this is {sys.version.split()[0]}. Create the virtual "
        "environment with another Python: `make PYTHON=python3.12 demo`, or `python3.12 -m venv .venv`."
    )

if TYPE_CHECKING:
    from gong_assets.defs.build import build_defs
    from gong_assets.defs.component import GongAssets
    from gong_assets.defs.options import GraphOptions
    from gong_assets.settings import load_settings

__all__ = ["GongAssets", "GraphOptions", "build_defs", "load_settings"]

_MODULES = {
    "GongAssets": "gong_assets.defs.component",
    "GraphOptions": "gong_assets.defs.options",
    "build_defs": "gong_assets.defs.build",
    "load_settings": "gong_assets.settings",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
