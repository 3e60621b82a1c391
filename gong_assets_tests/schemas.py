"""Schemas of the local warehouse that tests use one after another."""

from __future__ import annotations

from pathlib import Path

from gong_assets.warehouse.connection import Warehouse, local_arguments


def emptied(home: Path, schema: str = "GONG_DATA") -> Warehouse:
    """Return a warehouse with this schema, which has nothing in it.

    Most tests use the default: dbt parses the project for each schema, which takes seconds.
    """
    warehouse = Warehouse({**local_arguments(home), "schema": schema}, keep_open=True)
    warehouse.query(f"CREATE OR REPLACE SCHEMA {schema}")
    return warehouse
