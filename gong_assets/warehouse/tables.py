"""Raw tables: their columns, as created in Snowflake and shown in the Dagster UI."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection

# One row for each raw table: when it was last written, even if nothing in it changed. Writers lock its row.
LANDINGS_TABLE = "GONG_RAW_LANDINGS"


@dataclass(frozen=True)
class Column:
    name: str
    type: str
    description: str
    nullable: bool = True


@dataclass(frozen=True)
class RawTable:
    """A table with one JSON record of Gong per row.

    `key` is the record's ID, unique in the table; `payload` is its JSON; `partition` is the DATE column whose days are
    replaced, or None if the whole table is replaced.
    """

    name: str
    key: Column
    payload: Column
    partition: Column | None

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
        "When this content first landed; a re-read that finds it unchanged keeps it.",
    ),
    Column("CORRELATION_ID", "VARCHAR(255)", "Dagster run that landed this content."),
)
_CONTENT = (
    Column(
        "CONTENT_HASH",
        "VARCHAR(64)",
        "SHA-256 of the record's JSON as Gong wrote it, without the media URLs that it signs anew on every request.",
        nullable=False,
    ),
    Column(
        "PROCESSING_ERROR",
        "VARCHAR",
        "Why the record does not validate; such a row stays out of the staged tables.",
    ),
)
_CALL_DATE = Column("CALL_DATE", "DATE", "UTC date of the call's start: the daily partition.", nullable=False)

CALLS = RawTable(
    "GONG_CALLS_RAW",
    key=Column("CALL_ID", "VARCHAR(255)", "Gong's call id (metaData.id), up to 20 digits.", nullable=False),
    payload=Column(
        "RAW_DATA", "VARIANT", "One element of calls[] of POST /v2/calls/extensive.", nullable=False
    ),
    partition=_CALL_DATE,
)
TRANSCRIPTS = RawTable(
    "GONG_CALL_TRANSCRIPTS_RAW",
    key=Column("CALL_ID", "VARCHAR(255)", "Gong's call id (callId).", nullable=False),
    payload=Column(
        "TRANSCRIPT_DATA",
        "VARIANT",
        "One element of callTranscripts[] of POST /v2/calls/transcript.",
        nullable=False,
    ),
    partition=_CALL_DATE,
)
USERS = RawTable(
    "GONG_USERS_RAW",
    key=Column("USER_ID", "VARCHAR(255)", "Gong's user id.", nullable=False),
    payload=Column("RAW_DATA", "VARIANT", "One element of users[] of GET /v2/users.", nullable=False),
    partition=None,
)

WORKSPACES = RawTable(
    "GONG_WORKSPACES_RAW",
    key=Column("WORKSPACE_ID", "VARCHAR(255)", "Gong's workspace id.", nullable=False),
    payload=Column(
        "RAW_DATA", "VARIANT", "One element of workspaces[] of GET /v2/workspaces.", nullable=False
    ),
    partition=None,
)
TRACKERS = RawTable(
    "GONG_TRACKERS_RAW",
    key=Column("TRACKER_ID", "VARCHAR(255)", "Gong's tracker id.", nullable=False),
    payload=Column(
        "RAW_DATA",
        "VARIANT",
        "One element of keywordTrackers[] of GET /v2/settings/trackers.",
        nullable=False,
    ),
    partition=None,
)
SCORECARDS = RawTable(
    "GONG_SCORECARDS_RAW",
    key=Column("SCORECARD_ID", "VARCHAR(255)", "Gong's id of the scorecard's definition.", nullable=False),
    payload=Column(
        "RAW_DATA", "VARIANT", "One element of scorecards[] of GET /v2/settings/scorecards.", nullable=False
    ),
    partition=None,
)
ANSWERED_SCORECARDS = RawTable(
    "GONG_ANSWERED_SCORECARDS_RAW",
    key=Column(
        "ANSWERED_SCORECARD_ID", "VARCHAR(255)", "Gong's id of one review of one call.", nullable=False
    ),
    payload=Column(
        "RAW_DATA",
        "VARIANT",
        "One element of answeredScorecards[] of POST /v2/stats/activity/scorecards.",
        nullable=False,
    ),
    partition=Column("REVIEW_DATE", "DATE", "UTC date of the review: the daily partition.", nullable=False),
)
LIBRARY_CALLS = RawTable(
    "GONG_LIBRARY_CALLS_RAW",
    key=Column(
        "LIBRARY_CALL_ID",
        "VARCHAR(255)",
        "Folder id / call id, and of a snippet / its first and last second (with - between them).",
        nullable=False,
    ),
    payload=Column(
        "RAW_DATA",
        "VARIANT",
        "`folder`: one element of folders[] of GET /v2/library/folders; `call`: one of calls[] of "
        "GET /v2/library/folder-content.",
        nullable=False,
    ),
    partition=None,
)
INTERACTION_STATS = RawTable(
    "GONG_INTERACTION_STATS_RAW",
    key=Column(
        "INTERACTION_STATS_ID", "VARCHAR(255)", "Day and user id, with / between them.", nullable=False
    ),
    payload=Column(
        "RAW_DATA",
        "VARIANT",
        "One element of peopleInteractionStats[] of POST /v2/stats/interaction, asked for one day.",
        nullable=False,
    ),
    partition=Column(
        "STATS_DATE", "DATE", "Day in the company's time zone: the daily partition.", nullable=False
    ),
)
USER_ACTIVITY = RawTable(
    "GONG_USER_ACTIVITY_RAW",
    key=Column("USER_ACTIVITY_ID", "VARCHAR(255)", "Day and user id, with / between them.", nullable=False),
    payload=Column(
        "RAW_DATA",
        "VARIANT",
        "One element of usersDetailedActivities[] of POST /v2/stats/activity/day-by-day, with one day in its "
        "userDailyActivityStats[].",
        nullable=False,
    ),
    partition=Column(
        "ACTIVITY_DATE", "DATE", "Day in the company's time zone: the daily partition.", nullable=False
    ),
)

RAW_TABLES = (
    CALLS,
    TRANSCRIPTS,
    USERS,
    WORKSPACES,
    TRACKERS,
    SCORECARDS,
    ANSWERED_SCORECARDS,
    LIBRARY_CALLS,
    INTERACTION_STATS,
    USER_ACTIVITY,
)


def create_raw_table(connection: SnowflakeConnection, table: RawTable) -> None:
    """Create the table, and the table of landings, unless they exist."""
    _create(connection, table.create_statement(), _LANDINGS_STATEMENT)


def create_raw_tables(connection: SnowflakeConnection) -> None:
    """Create every raw table that does not exist, so that dbt finds its sources before their first landing."""
    _create(connection, *(table.create_statement() for table in RAW_TABLES), _LANDINGS_STATEMENT)


def _create(connection: SnowflakeConnection, *statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


_LANDINGS_STATEMENT = (
    f"CREATE TABLE IF NOT EXISTS {LANDINGS_TABLE} "
    "(TABLE_NAME VARCHAR(255), LANDED_AT TIMESTAMP_LTZ, CORRELATION_ID VARCHAR(255))"
)
