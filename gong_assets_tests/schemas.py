"""Schemas of the local warehouse that tests use one after another."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from snowflake.connector import SnowflakeConnection

from gong_assets.warehouse.connection import Warehouse, fetch, local_arguments


class KeptWarehouse(Warehouse):
    """A warehouse with one connection, because a sign-in takes longer than most tests.

    A session that creates a schema or a database uses it afterwards. Here, each block begins in the schema of
    the arguments, as it would on a new connection.
    """

    def __init__(self, arguments: dict[str, object]) -> None:
        super().__init__(arguments, keep_open=True)

    @contextmanager
    def connect(self) -> Iterator[SnowflakeConnection]:
        database, schema = (self.arguments[name] for name in ("database", "schema"))
        with super().connect() as connection:
            if (connection.database, connection.schema) != (database, schema):
                fetch(connection, f"USE SCHEMA {database}.{schema}")
            yield connection


def emptied(home: Path, schema: str = "TEST") -> Warehouse:
    """Return a warehouse with this schema, which has nothing in it.

    Most tests use the default: dbt parses the project for each schema, which takes seconds. GONG_DATA is left
    to commands without a schema in their settings.
    """
    warehouse = KeptWarehouse({**local_arguments(home), "schema": schema})
    warehouse.query(f"DROP SCHEMA IF EXISTS {schema} CASCADE")
    warehouse.query(f"CREATE SCHEMA {schema}")
    return warehouse
