"""The local stack: an emulated Snowflake account and a simulated Gong tenant, for development and tests.

Its libraries are the extra ``local``. The rest of the product uses it only through
``gong_assets.local_stack``, and it imports nothing of the rest. This module holds what that door needs
without these libraries; ``stack`` starts and stops the servers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

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
    password: str
    database: str
    schema: str


@dataclass(frozen=True)
class GongEndpoint:
    """The address and the API key of the simulated tenant."""

    base_url: str
    access_key: str
    access_key_secret: str


@dataclass(frozen=True)
class LocalStack:
    """A running local stack."""

    home: Path
    snowflake: SnowflakeEndpoint
    gong: GongEndpoint
    pids: Mapping[str, int]  # by service
