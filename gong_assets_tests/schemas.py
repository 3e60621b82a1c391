"""Schemas of the local warehouse that tests use one after another."""

from __future__ import annotations

from pathlib import Path

from gong_assets.warehouse.connection import Warehouse, local_arguments


def emptied(home: Path, schema: str = "TEST", *, keep_open: bool = False) -> Warehouse:
    """Return a warehouse with this schema, which has nothing in it.

    Most tests use the default: dbt parses the project for each schema, which takes seconds. GONG_DATA is left
    to commands without a schema in their settings.

    Args:
        keep_open: use one connection. Its schema is another one after it has created a schema or a database.
    """
    warehouse = Warehouse({**local_arguments(home), "schema": schema}, keep_open=keep_open)
    warehouse.query(f"CREATE OR REPLACE SCHEMA {schema}")
    return warehouse
