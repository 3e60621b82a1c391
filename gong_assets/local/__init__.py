"""The local stack: an emulated Snowflake account and a simulated Gong tenant, for development and tests.

Its libraries are the extra ``local``, which production does not install. The rest of the package imports
only this module, and nothing here imports the rest of the package. ``stack`` starts and stops the servers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from types import ModuleType

INSTALL_COMMAND = "pip install 'gong_assets[local]'"


class LocalStackError(Exception):
    """The local stack cannot be started. The message is one line: the reason and what to do."""


@dataclass(frozen=True)
class SnowflakeEndpoint:
    """The connection arguments of the emulated account, named as in the Snowflake connector."""

    host: str
    port: int
    protocol: str
    account: str
    user: str
    password: str = field(repr=False)
    database: str
    schema: str


@dataclass(frozen=True)
class GongEndpoint:
    """The address and the API key of the simulated tenant."""

    base_url: str
    access_key: str
    access_key_secret: str = field(repr=False)


@dataclass(frozen=True)
class LocalStack:
    """A running local stack."""

    home: Path
    snowflake: SnowflakeEndpoint
    gong: GongEndpoint
    pids: Mapping[str, int]  # by service


def local_stack() -> ModuleType:
    """Return the module with ``up(home)``, ``down(home)`` and ``status(home)``.

    They raise LocalStackError if the stack cannot be started or the extra is not installed.
    """
    return import_module("gong_assets.local.stack")
