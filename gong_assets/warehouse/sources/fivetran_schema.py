"""Fivetran's columns of its own, and the columns that a connection may lack."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gong_assets.warehouse.sources.source import SourceLocation, iso_time, json_object


@dataclass(frozen=True)
class FivetranSchema:
    """The tables of one connection."""

    location: SourceLocation

    def has(self, table: str) -> bool:
        return table in self.location.columns

    def table(self, name: str) -> str:
        return self.location.table(name)

    def column(self, table: str, name: str, alias: str = "") -> str:
        return self.location.column(table, name, alias)

    def any_column(self, table: str, *names: str, alias: str = "") -> str:
        return self.location.any_column(table, *names, alias=alias)

    def time(self, table: str, name: str, alias: str = "") -> str:
        """Return a time as Gong writes it."""
        return iso_time(self.column(table, name, alias))

    def is_deleted(self, table: str, alias: str = "") -> str:
        deleted = self.column(table, "_FIVETRAN_DELETED", alias)
        return "FALSE" if deleted == "NULL" else f"COALESCE({deleted}, FALSE)"

    def is_current(self, table: str, alias: str = "") -> str:
        """Return a condition for the present version of a row, which history mode marks as active."""
        active = self.column(table, "_FIVETRAN_ACTIVE", alias)
        return "TRUE" if active == "NULL" else f"COALESCE({active}, TRUE)"

    def is_alive(self, table: str, alias: str = "") -> str:
        """Return a condition for a present row that is not deleted."""
        return f"({self.is_current(table, alias)} AND NOT {self.is_deleted(table, alias)})"

    def columns_object(self, table: str, fields: Mapping[str, str], alias: str = "") -> str:
        """Return an object of columns by the names of the API."""
        return json_object({name: self.column(table, column, alias) for name, column in fields.items()})
