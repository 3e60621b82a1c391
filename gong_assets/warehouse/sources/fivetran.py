"""Fivetran's tables of its Gong connector, put together again as the records of Gong's API.

Each child table is aggregated by call before it is joined, so that no join multiplies rows. With history
mode only active versions are read. A column that an older connection lacks is null.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from gong_assets.dates import DateRange
from gong_assets.warehouse.sources.fivetran_calls import call_payload, child_tables
from gong_assets.warehouse.sources.fivetran_lists import FIVETRAN_LISTS
from gong_assets.warehouse.sources.fivetran_schema import FivetranSchema
from gong_assets.warehouse.sources.source import SourceLocation, is_in_ranges, json_object, utc_day
from gong_assets.warehouse.tables import CALLS, TRANSCRIPTS, RawTable

Rows = Callable[[FivetranSchema, Sequence[DateRange] | None], str]
Versions = Callable[[FivetranSchema], str]


@dataclass(frozen=True)
class Fivetran:
    """Tables of Fivetran's connector `gongio`."""

    location: SourceLocation
    name: Literal["fivetran"] = "fivetran"

    def is_available(self, table: RawTable) -> bool:
        return table.name in _QUERIES and _QUERIES[table.name][0] <= self.location.columns.keys()

    def rows(self, table: RawTable, ranges: Sequence[DateRange] | None) -> str:
        return _QUERIES[table.name][1](self._schema, ranges)

    def versions(self, table: RawTable) -> str:
        return _QUERIES[table.name][2](self._schema)

    @property
    def has_whole_calls(self) -> bool:
        return False

    def gaps(self) -> Sequence[str]:
        missing = sorted(set(child_tables()) - self.location.columns.keys())
        return [
            "Deletions appear after up to 7 days, those of transcripts after up to 31.",
            "One CRM timing of each object: the values now, or those at the time of the call.",
            "Gong's outline and highlights, and participants' order.",
            "Call outcomes as a list, trackers' keywords, the library, interaction statistics by day, and "
            "user activity.",
            *([f"These tables do not exist: {', '.join(missing)}."] if missing else []),
        ]

    @property
    def _schema(self) -> FivetranSchema:
        return FivetranSchema(self.location)


def _call_day(schema: FivetranSchema, alias: str = "") -> str:
    started, scheduled = schema.column("CALL", "STARTED", alias), schema.column("CALL", "SCHEDULED", alias)
    synced = f"{alias}._FIVETRAN_SYNCED" if alias else "_FIVETRAN_SYNCED"
    times = [f"{time}::TIMESTAMP_TZ" for time in (started, scheduled, synced) if time != "NULL"]
    return utc_day(f"COALESCE({', '.join(times)})")


def _call_flags(schema: FivetranSchema, alias: str) -> str:
    return (
        f"{schema.is_deleted('CALL', alias)} AS IS_DELETED, "
        f"COALESCE({schema.column('CALL', 'IS_PRIVATE', alias)}, FALSE) AS IS_PRIVATE, "
        f"{schema.column('CALL', 'WORKSPACE_ID', alias)}::VARCHAR AS WORKSPACE_ID"
    )


def _calls(schema: FivetranSchema, ranges: Sequence[DateRange] | None) -> str:
    """Return the query of calls: the calls of the days, each child table by call, and the join."""
    children, payload, extracted_at = call_payload(schema)
    started = schema.column("CALL", "STARTED", "CALLS")
    scheduled = schema.column("CALL", "SCHEDULED", "CALLS")
    ctes = [
        f"CALLS AS (SELECT * FROM {schema.table('CALL')} WHERE {schema.is_current('CALL')} "
        f"AND {is_in_ranges(_call_day(schema), ranges)} "
        "QUALIFY ROW_NUMBER() OVER (PARTITION BY ID ORDER BY _FIVETRAN_SYNCED DESC) = 1)",
        *children.values(),
    ]
    joins = " ".join(f"LEFT JOIN {name} ON CALLS.ID = {name}.CALL_ID" for name in children)
    return (
        f"WITH {', '.join(ctes)} SELECT CALLS.ID::VARCHAR AS KEY, {_call_day(schema, 'CALLS')} AS DAY, "
        f"{payload} AS PAYLOAD, IFF({started} IS NULL AND {scheduled} IS NULL, "
        f"'metaData.started: missing or unreadable', NULL) AS PROCESSING_ERROR, "
        f"{extracted_at} AS EXTRACTED_AT, {_call_flags(schema, 'CALLS')} FROM CALLS {joins}"
    )


def _call_versions(schema: FivetranSchema) -> str:
    """Return the calls with the times at which they and their child rows were synced."""
    changes = " UNION ALL ".join(
        f"SELECT CALL_ID, _FIVETRAN_SYNCED FROM {schema.table(name)}"
        for name in child_tables()
        if schema.has(name)
    )
    synced = f"UNION ALL {changes}" if changes else ""
    return (
        f"SELECT CALLS.ID::VARCHAR AS KEY, {_call_day(schema, 'CALLS')} AS DAY, "
        f"SYNCED.AT AS EXTRACTED_AT, {_call_flags(schema, 'CALLS')} FROM {schema.table('CALL')} AS CALLS "
        "INNER JOIN (SELECT CALL_ID, MAX(_FIVETRAN_SYNCED) AS AT FROM (SELECT ID AS CALL_ID, "
        f"_FIVETRAN_SYNCED FROM {schema.table('CALL')} {synced}) AS CHANGES GROUP BY CALL_ID) AS SYNCED "
        f"ON CALLS.ID = SYNCED.CALL_ID WHERE {schema.is_current('CALL', 'CALLS')}"
    )


def _transcripts(schema: FivetranSchema, ranges: Sequence[DateRange] | None) -> str:
    """Return the query of transcripts. A sentence is an object, or a list of the sentences of a turn."""
    # A text is parsed; a single sentence becomes a list of one.
    sentences = "COALESCE(TRY_PARSE_JSON(TURNS.SENTENCE::VARCHAR), TURNS.SENTENCE::VARIANT)"
    turn = json_object(
        {
            "speakerId": "TURNS.SPEAKER_ID::VARCHAR",
            "topic": "TURNS.TOPIC",
            "sentences": f"IFF(TYPEOF({sentences}) = 'ARRAY', {sentences}, ARRAY_CONSTRUCT({sentences}))",
        }
    )
    return (
        f"WITH CALLS AS (SELECT * FROM {schema.table('CALL')} WHERE {schema.is_current('CALL')} "
        f"AND {is_in_ranges(_call_day(schema), ranges)} "
        "QUALIFY ROW_NUMBER() OVER (PARTITION BY ID ORDER BY _FIVETRAN_SYNCED DESC) = 1), "
        f"TRANSCRIPTS AS (SELECT TURNS.CALL_ID, ARRAY_AGG({turn}) WITHIN GROUP (ORDER BY TURNS.INDEX) "
        "AS TURNS, MAX(TURNS._FIVETRAN_SYNCED) AS SYNCED_AT "
        f"FROM {schema.table('TRANSCRIPT')} AS TURNS WHERE {schema.is_alive('TRANSCRIPT', 'TURNS')} "
        "AND TURNS.CALL_ID IN (SELECT ID FROM CALLS) GROUP BY TURNS.CALL_ID) "
        f"SELECT CALLS.ID::VARCHAR AS KEY, {_call_day(schema, 'CALLS')} AS DAY, "
        "OBJECT_CONSTRUCT_KEEP_NULL('callId', CALLS.ID::VARCHAR, 'transcript', TRANSCRIPTS.TURNS) "
        "AS PAYLOAD, "
        "NULL::VARCHAR AS PROCESSING_ERROR, TRANSCRIPTS.SYNCED_AT AS EXTRACTED_AT, "
        f"{_call_flags(schema, 'CALLS')} FROM CALLS "
        "INNER JOIN TRANSCRIPTS ON CALLS.ID = TRANSCRIPTS.CALL_ID"
    )


def _transcript_versions(schema: FivetranSchema) -> str:
    return (
        f"SELECT CALLS.ID::VARCHAR AS KEY, {_call_day(schema, 'CALLS')} AS DAY, "
        "MAX(TURNS._FIVETRAN_SYNCED) AS EXTRACTED_AT, "
        f"BOOLAND_AGG({schema.is_deleted('CALL', 'CALLS')} OR NOT {schema.is_alive('TRANSCRIPT', 'TURNS')}) "
        f"AS IS_DELETED, BOOLOR_AGG(COALESCE({schema.column('CALL', 'IS_PRIVATE', 'CALLS')}, FALSE)) "
        f"AS IS_PRIVATE, MAX({schema.column('CALL', 'WORKSPACE_ID', 'CALLS')}::VARCHAR) AS WORKSPACE_ID "
        f"FROM {schema.table('CALL')} AS CALLS INNER JOIN {schema.table('TRANSCRIPT')} AS TURNS "
        f"ON CALLS.ID = TURNS.CALL_ID WHERE {schema.is_current('CALL', 'CALLS')} GROUP BY 1, 2"
    )


_CALL_TABLES = frozenset({"CALL"})
_QUERIES: Mapping[str, tuple[frozenset[str], Rows, Versions]] = {
    CALLS.name: (_CALL_TABLES, _calls, _call_versions),
    TRANSCRIPTS.name: (_CALL_TABLES | {"TRANSCRIPT"}, _transcripts, _transcript_versions),
    **{
        name: (frozenset({records.table}), records.rows, records.versions)
        for name, records in FIVETRAN_LISTS.items()
    },
}
"""By raw table: the tables that it needs, and its queries."""
