"""Schemas of the local warehouse that tests use one after another."""

from __future__ import annotations

from pathlib import Path

from gong_assets.warehouse.connection import Warehouse, local_arguments


def emptied(home: Path, schema: str = "GONG_DATA") -> Warehouse:
    """Return a warehouse with this schema, which has nothing in it.

    Most tests use the default: dbt parses the project for each schema, which takes seconds.
    """
    arguments = local_arguments(home)
    Warehouse(arguments).query(f"DROP SCHEMA IF EXISTS {schema} CASCADE")
    return Warehouse({**arguments, "schema": schema})
