"""What a source provides, and the parts of SQL that the sources share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Literal, Protocol

from gong_assets.dates import DateRange
from gong_assets.warehouse.connection import fetch

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection

    from gong_assets.warehouse.tables import RawTable

SourceName = Literal["airbyte", "fivetran", "data_cloud"]

Columns = Mapping[str, frozenset[str]]
"""The columns of each table of a schema, in the case of the information schema."""


class AdoptedSource(Protocol):
    """Tables of another product, as SQL. Every query names its tables with database and schema."""

    @property
    def name(self) -> SourceName: ...

    @property
    def location(self) -> SourceLocation: ...

    def is_available(self, table: RawTable) -> bool:
        """Return whether the source has the tables that the raw table needs."""

    def rows(self, table: RawTable, ranges: Sequence[DateRange] | None) -> str:
        """Return a query with one row per record of these days, or of all days.

        Its columns are KEY, PAYLOAD (a VARIANT), DAY, PROCESSING_ERROR, EXTRACTED_AT, IS_DELETED, IS_PRIVATE
        and WORKSPACE_ID.
        """

    def versions(self, table: RawTable) -> str:
        """Return a query with the columns of `rows`, without PAYLOAD and PROCESSING_ERROR.

        It has all records, those that are marked as deleted included, and older versions of them.
        """

    @property
    def has_whole_calls(self) -> bool:
        """Return whether its calls have all fields of Gong's records, so that both can be compared."""

    def gaps(self) -> Sequence[str]:
        """Return what Gong's API has and the source lacks, one sentence each."""


@dataclass(frozen=True)
class SourceLocation:
    """Database and schema of a source, and what its tables contain."""

    database: str
    schema: str
    columns: Columns = field(default_factory=dict)

    def table(self, name: str) -> str:
        """Return the quoted name of a table. Names are in the case of the information schema."""
        return f'{self.database}."{self.schema}"."{name}"'

    def first(self, *names: str) -> str | None:
        """Return the first of these tables that exists."""
        return next((name for name in names if name in self.columns), None)

    def column(self, table: str, name: str, alias: str = "") -> str:
        """Return the column, or NULL if the table lacks it."""
        prefix = f"{alias}." if alias else ""
        return f"{prefix}{name}" if name in self.columns.get(table, ()) else "NULL"

    def any_column(self, table: str, *names: str, alias: str = "") -> str:
        """Return the first of these columns that the table has, or NULL."""
        found = (self.column(table, name, alias) for name in names)
        return next((column for column in found if column != "NULL"), "NULL")


def read_location(connection: SnowflakeConnection, database: str, schema: str) -> SourceLocation:
    """Return the tables of a schema, none if the schema does not exist or cannot be seen.

    Raises:
        snowflake.connector.errors.Error: the database cannot be read.
    """
    found = fetch(
        connection,
        f"SELECT TABLE_NAME, COLUMN_NAME FROM {database}.INFORMATION_SCHEMA.COLUMNS WHERE TABLE_SCHEMA = %s",
        (schema,),
    )
    columns: dict[str, set[str]] = {}
    for row in found:
        columns.setdefault(str(row["TABLE_NAME"]), set()).add(str(row["COLUMN_NAME"]))
    return SourceLocation(database, schema, {name: frozenset(each) for name, each in columns.items()})


def is_in_ranges(day: str, ranges: Sequence[DateRange] | None) -> str:
    """Return a condition on a date, with literals: a query may repeat it, in any order."""
    if ranges is None:
        return "TRUE"
    conditions = [f"({day} >= {_literal(each.start)} AND {day} < {_literal(each.end)})" for each in ranges]
    return f"({' OR '.join(conditions)})" if conditions else "FALSE"


def _literal(day: date) -> str:
    return f"'{day.isoformat()}'::DATE"


def utc_day(time: str) -> str:
    """Return the UTC date of a TIMESTAMP_TZ."""
    return f"CONVERT_TIMEZONE('UTC', {time})::DATE"


def iso_time(time: str) -> str:
    """Return a TIMESTAMP_TZ as a text in UTC, as Gong writes times."""
    if time == "NULL":
        return "NULL"
    return f"TO_CHAR(CONVERT_TIMEZONE('UTC', {time}::TIMESTAMP_TZ), 'YYYY-MM-DD\"T\"HH24:MI:SS.FF6') || 'Z'"


def json_object(fields: Mapping[str, str], *, keep_null: bool = True) -> str:
    """Return SQL for an object. A SQL NULL becomes null, or is left out."""
    pairs = ", ".join(
        f"'{name}', {value}{'::VARCHAR' if value == 'NULL' else ''}" for name, value in fields.items()
    )
    return f"OBJECT_CONSTRUCT{'_KEEP_NULL' if keep_null else ''}({pairs})"


def json_block(fields: Mapping[str, str]) -> str:
    """Return SQL for an object without its nulls, or NULL if all of its values are null."""
    known = {name: value for name, value in fields.items() if value != "NULL"}
    if not known:
        return "NULL"
    is_empty = " AND ".join(f"{value} IS NULL" for value in known.values())
    return f"IFF({is_empty}, NULL, {json_object(known, keep_null=False)})"
