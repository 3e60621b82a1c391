"""Raw tables: their columns for Snowflake, the Dagster UI and the dbt sources (`make generate`).

The tables of calls and transcripts are here, because this package queries them. The others are declared with
their streams, in `ingestion/streams.py`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gong_assets.warehouse.pending_changes import CREATE_PENDING_CHANGES

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection

# One row for each raw table: when it was last written, even if nothing in it changed. Writers lock its row.
LANDINGS_TABLE = "GONG_RAW_LANDINGS"

# Salted hashes of what was erased: see `erasures.py`.
ERASURES_TABLE = "GONG_ERASURES"

# SOURCE of rows that were read from Gong's API.
API = "api"


@dataclass(frozen=True)
class Column:
    """A column of a raw table.

    Attributes:
        fill: SQL that `gong-assets migrate` fills the column with in rows of an earlier version. Required for
            a new column that is not nullable.
    """

    name: str
    type: str
    description: str
    nullable: bool = True
    fill: str | None = None


@dataclass(frozen=True)
class RawTable:
    """A table with one JSON record from Gong per row.

    Attributes:
        key: id of the record, unique in the table.
        payload: JSON of the record.
        partition: DATE column whose days are replaced, or None if the whole table is replaced.
        dependents: tables with records about those of this one, under the same key.
    """

    name: str
    description: str
    key: Column
    payload: Column
    partition: Column | None = None
    dependents: tuple[RawTable, ...] = ()

    @property
    def asset_name(self) -> str:
        """Name of the Dagster asset that fills the table."""
        return self.name.lower()

    @property
    def columns(self) -> tuple[Column, ...]:
        partition = (self.partition,) if self.partition else ()
        return (self.key, self.payload, *_LANDING, *partition, *_CONTENT)

    def create_statement(self) -> str:
        columns = ",\n    ".join(
            f"{column.name} {column.type}{'' if column.nullable else ' NOT NULL'}" for column in self.columns
        )
        return f"CREATE TABLE IF NOT EXISTS {self.name} (\n    {columns}\n)"


_LANDING = (
    Column(
        "INGESTED_AT",
        "TIMESTAMP_LTZ",
        "When this content first landed, or when another source extracted it from Gong. Reading an unchanged "
        "record again does not change it.",
    ),
    Column("CORRELATION_ID", "VARCHAR(255)", "Id of the Dagster run that landed this content."),
)
_CONTENT = (
    Column(
        "CONTENT_HASH",
        "VARCHAR(64)",
        "SHA-256 of the record's JSON, without the media URLs, which Gong signs again for each request.",
        nullable=False,
    ),
    Column(
        "PROCESSING_ERROR",
        "VARCHAR",
        "Validation error of the record. Invalid rows are excluded from staging.",
    ),
    Column(
        "SOURCE",
        "VARCHAR",
        f"Where this content came from: `{API}` (Gong's API), `airbyte`, `fivetran` or `data_cloud`.",
        nullable=False,
        fill=f"'{API}'",
    ),
)


def id_column(name: str, description: str) -> Column:
    return Column(name, "VARCHAR(255)", description, nullable=False)


def json_column(description: str, name: str = "RAW_DATA") -> Column:
    return Column(name, "VARIANT", description, nullable=False)


def date_column(name: str, description: str) -> Column:
    return Column(name, "DATE", description, nullable=False)


_CALL_DATE = date_column("CALL_DATE", "UTC date of the call's start: the daily partition.")

TRANSCRIPTS = RawTable(
    "GONG_CALL_TRANSCRIPTS_RAW",
    "Transcripts from POST /v2/calls/transcript.",
    key=id_column("CALL_ID", "Gong's call id (callId)."),
    payload=json_column("One element of callTranscripts[] of POST /v2/calls/transcript.", "TRANSCRIPT_DATA"),
    partition=_CALL_DATE,
)
CALLS = RawTable(
    "GONG_CALLS_RAW",
    "Calls from POST /v2/calls/extensive.",
    key=id_column("CALL_ID", "Gong's call id (metaData.id), up to 20 digits."),
    payload=json_column("One element of calls[] of POST /v2/calls/extensive."),
    partition=_CALL_DATE,
    dependents=(TRANSCRIPTS,),
)


def create_raw_table(connection: SnowflakeConnection, table: RawTable) -> None:
    """Create the table, its dependents, and those of landings, pending changes and erasures, if missing."""
    create_raw_tables(connection, [table])


def create_raw_tables(connection: SnowflakeConnection, tables: Iterable[RawTable]) -> None:
    """Create the raw tables that do not exist, their dependents, and the landings' own tables."""
    with connection.cursor() as cursor:
        for table in tables:
            for each in (table, *table.dependents):
                cursor.execute(each.create_statement())
        cursor.execute(_LANDINGS_STATEMENT)
        cursor.execute(CREATE_PENDING_CHANGES)
        cursor.execute(_ERASURES_STATEMENT)


_LANDINGS_STATEMENT = (
    f"CREATE TABLE IF NOT EXISTS {LANDINGS_TABLE} "
    "(TABLE_NAME VARCHAR(255), LANDED_AT TIMESTAMP_LTZ, CORRELATION_ID VARCHAR(255))"
)

_ERASURES_STATEMENT = (
    f"CREATE TABLE IF NOT EXISTS {ERASURES_TABLE} (ERASURE_ID VARCHAR(64), ACTION VARCHAR(16), "
    "KIND VARCHAR(16), SALT VARCHAR(64), IDENTIFIER_HASH VARCHAR(64), ERASED_AT TIMESTAMP_LTZ)"
)
