"""How recent the data of an answer is."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from gong_assets.warehouse.connection import fetch

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection

_LAST_READ = "SELECT LAST_READ_AT FROM VW_GONG_LANDINGS WHERE TABLE_NAME = %s LIMIT 1"


def data_as_of(connection: SnowflakeConnection) -> datetime | None:
    """Return when calls were last read from Gong, or None if they never were."""
    rows = fetch(connection, _LAST_READ, ("GONG_CALLS_RAW",))
    last: datetime | None = rows[0]["LAST_READ_AT"] if rows else None
    return last.replace(microsecond=0) if last else None
