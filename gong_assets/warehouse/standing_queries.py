"""Queries of the standing checks: over all days, a few statements for the whole schema.

A day whose landed changes still await their transformation (GONG_PENDING_CHANGES) may differ between layers.
The comparisons of layers leave it out, and `long_pending_changes` reports it if it stays for too long.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from gong_assets.warehouse.pending_changes import PENDING_CHANGES_TABLE, WAITING_TEXTS
from gong_assets.warehouse.report_queries import BATCHES
from gong_assets.warehouse.tables import CALLS, TRANSCRIPTS

# Days also stay pending while Cortex has not answered all of their texts, which other checks report.
_LANDED = f"TABLE_NAME <> '{WAITING_TEXTS}'"
MAX_IDS = 20

# Keys of the models that are built by day: dbt's own tests look at the days of a run only.
MODEL_KEYS: Mapping[str, str] = {
    "STG_GONG_CALLS": "CALL_ID",
    "STG_GONG_CALL_PARTICIPANTS": "PARTICIPANT_ID",
    "STG_GONG_CALL_TRANSCRIPTS": "TRANSCRIPT_ID",
    "STG_GONG_CALL_TOPICS": "TOPIC_ID",
    "STG_GONG_CALL_TRACKER_OCCURRENCES": "OCCURRENCE_ID",
    "STG_GONG_CALL_CRM_LINKS": "CRM_LINK_ID",
    "STG_GONG_CALL_COMMENTS": "COMMENT_ID",
    "CORTEX_GONG_CALLS": "CALL_ID",
    "CORTEX_GONG_CALL_INSIGHTS": "CALL_ID",
    "CORTEX_GONG_CALL_TRANSCRIPTS": "TRANSCRIPT_ID",
    "CORTEX_GONG_REDACTED_TRANSCRIPTS": "TRANSCRIPT_ID",
    "INT_GONG_CALL_RISKS": "RISK_ID",
    "INT_GONG_CALL_RISK_LISTS": "CALL_ID",
    "VW_ENRICHED_GONG_CALLS": "CALL_ID",
    "VW_ENRICHED_GONG_CALL_TRANSCRIPTS": "TRANSCRIPT_ID",
}


@dataclass(frozen=True)
class Relation:
    """Each row of `table` has a row with the same `key` in `other`.

    Attributes:
        rows: condition on the rows of `table`, named `own`.
        other_rows: condition on the rows of `other`, named `other`.
    """

    table: str
    other: str
    key: str = "CALL_ID"
    rows: str = "TRUE"
    other_rows: str = "TRUE"

    @property
    def name(self) -> str:
        return f"{self.table} without {self.other}"


_VALID = "own.PROCESSING_ERROR IS NULL"
_OTHER_IS_VALID = "other.PROCESSING_ERROR IS NULL"
_HAS_SPEECH = "NULLIF(TRIM(own.TRANSCRIPT_DATA:transcript[0]:sentences[0]:text::VARCHAR), '') IS NOT NULL"
_CALLS = "STG_GONG_CALLS"
_SEGMENTS = "STG_GONG_CALL_TRANSCRIPTS"
_OF_CALLS = (
    *("STG_GONG_CALL_PARTICIPANTS", "STG_GONG_CALL_TOPICS", "STG_GONG_CALL_TRACKER_OCCURRENCES"),
    *("STG_GONG_CALL_CRM_LINKS", "STG_GONG_CALL_COMMENTS", "CORTEX_GONG_CALL_INSIGHTS", _SEGMENTS),
)


def relations(*, redacted: bool) -> tuple[Relation, ...]:
    """Return the relations between the layers, in the order of the data flow.

    Args:
        redacted: whether transcripts are redacted; otherwise the redacted table may be of an earlier time.
    """
    return (
        Relation(CALLS.name, _CALLS, rows=_VALID),
        Relation(_CALLS, CALLS.name, other_rows=_OTHER_IS_VALID),
        Relation(
            TRANSCRIPTS.name,
            _SEGMENTS,
            rows=f"{_VALID} AND {_HAS_SPEECH} AND own.CALL_ID IN (SELECT CALL_ID FROM {_CALLS})",
        ),
        Relation(_SEGMENTS, TRANSCRIPTS.name, other_rows=_OTHER_IS_VALID),
        *(Relation(table, _CALLS) for table in _OF_CALLS),
        *_both_ways("CORTEX_GONG_CALLS", _CALLS),
        *_both_ways("CORTEX_GONG_CALL_TRANSCRIPTS", _SEGMENTS, "TRANSCRIPT_ID"),
        *(_both_ways("CORTEX_GONG_REDACTED_TRANSCRIPTS", _SEGMENTS, "TRANSCRIPT_ID") if redacted else ()),
        *_both_ways("VW_ENRICHED_GONG_CALLS", _CALLS),
        *_both_ways("VW_ENRICHED_GONG_CALL_TRANSCRIPTS", _SEGMENTS, "TRANSCRIPT_ID"),
    )


def _both_ways(table: str, other: str, key: str = "CALL_ID") -> Iterator[Relation]:
    yield Relation(other, table, key)
    yield Relation(table, other, key)


def orphans(checked: Sequence[Relation], existing: Collection[str]) -> str:
    """Return SQL for rows without a counterpart: RELATION, ID, DAYS, and FOUND, their number by relation."""
    settled = _settled("own.CALL_DATE", existing)
    parts = [
        f"SELECT '{each.name}' AS RELATION, own.{each.key}::VARCHAR AS ID, own.CALL_DATE::VARCHAR AS DAYS "
        f"FROM {each.table} AS own WHERE {each.rows} AND {settled} AND NOT EXISTS ("
        f"SELECT 1 FROM {each.other} AS other WHERE other.{each.key} = own.{each.key} AND {each.other_rows})"
        for each in checked
    ]
    return _with_counts(parts, "RELATION")


def duplicates(keys: Mapping[str, str], day_columns: Mapping[str, str]) -> str:
    """Return SQL for keys with several rows: TABLE_NAME, ID, DAYS, and FOUND, their number by table.

    Args:
        keys: key of each table.
        day_columns: DATE column of each table that has one. DAYS is NULL for the others.
    """
    days = {
        table: f"LISTAGG(DISTINCT {day}::VARCHAR, ', ') WITHIN GROUP (ORDER BY {day}::VARCHAR)"
        for table, day in day_columns.items()
    }
    parts = [
        f"SELECT '{table}' AS TABLE_NAME, {key}::VARCHAR AS ID, {days.get(table, 'NULL::VARCHAR')} AS DAYS, "
        f"COUNT(*) AS ROW_COUNT FROM {table} GROUP BY {key} HAVING COUNT(*) > 1"
        for table, key in keys.items()
    ]
    return _with_counts(parts, "TABLE_NAME")


def _with_counts(parts: Sequence[str], group: str) -> str:
    """Return SQL for the first rows of each group of the parts, with the number of all rows of the group."""
    union = "\n    UNION ALL ".join(parts)
    return (
        f"WITH found AS (\n    {union}\n)\n"
        f"SELECT *, COUNT(*) OVER (PARTITION BY {group}) AS FOUND FROM found\n"
        f"QUALIFY ROW_NUMBER() OVER (PARTITION BY {group} ORDER BY ID) <= {MAX_IDS}\n"
        f"ORDER BY {group}, ID"
    )


def _settled(column: str, existing: Collection[str]) -> str:
    if PENDING_CHANGES_TABLE not in existing:
        return "TRUE"
    return f"{column} NOT IN (SELECT DAY FROM {PENDING_CHANGES_TABLE} WHERE DAY IS NOT NULL AND {_LANDED})"


def long_pending_changes() -> str:
    """Return SQL for days whose changes await their transformation. Parameter: the age in hours."""
    return (
        "SELECT TABLE_NAME, COALESCE(DAY::VARCHAR, 'all rows') AS ID, MIN(CHANGED_AT) AS CHANGED_AT "
        f"FROM {PENDING_CHANGES_TABLE} "
        f"WHERE {_LANDED} AND CHANGED_AT < DATEADD('hour', -%s, CURRENT_TIMESTAMP()) "
        "GROUP BY TABLE_NAME, DAY ORDER BY CHANGED_AT, TABLE_NAME, DAY"
    )


def expired_transcripts() -> str:
    """Return SQL for the calls whose transcripts are no longer requested, and the number of all calls.

    Parameters: the first and the last call date. A call in an unsupported language, or with too little
    speech, never gets a transcript.
    """
    return (
        "SELECT calls.CALL_ID AS ID, calls.CALL_DATE AS DAY, transcripts.CALL_ID IS NULL AS IS_MISSING "
        f"FROM {CALLS.name} AS calls LEFT JOIN {TRANSCRIPTS.name} AS transcripts "
        "ON calls.CALL_ID = transcripts.CALL_ID "
        "WHERE calls.CALL_DATE BETWEEN %s AND %s AND calls.PROCESSING_ERROR IS NULL "
        "AND COALESCE(calls.RAW_DATA:metaData:language::VARCHAR, '') NOT IN ('und', 'zxx') "
        "ORDER BY DAY DESC, ID"
    )


def calls_by_day() -> str:
    """Return SQL for the number of landed calls of each day, latest first. Parameter: the first day."""
    return (
        f"SELECT CALL_DATE AS DAY, COUNT(*) AS CALLS FROM {CALLS.name} "
        "WHERE CALL_DATE >= %s GROUP BY CALL_DATE ORDER BY CALL_DATE DESC"
    )


def landed_calls(*, is_staged: bool) -> str:
    """Return SQL for the landed calls of some days, and whether each is valid and is staged.

    Parameters: start and end.

    Args:
        is_staged: whether the staged table exists.
    """
    staged = f"calls.CALL_ID IN (SELECT CALL_ID FROM {_CALLS})" if is_staged else "FALSE"
    return (
        f"SELECT calls.CALL_ID AS ID, calls.CALL_DATE AS DAY, {staged} AS IS_STAGED, "
        "calls.PROCESSING_ERROR IS NULL AS IS_VALID "
        f"FROM {CALLS.name} AS calls WHERE calls.CALL_DATE >= %s AND calls.CALL_DATE < %s"
    )


def cortex_spending() -> str:
    """Return SQL for the estimated cost of the sent batches by function. Parameter: the age in days."""
    return (
        "SELECT FUNCTION_NAME, SUM(IFF(STATUS IN ('Sent', 'Answered'), CALLS, 0))::INT AS CALLS, "
        "SUM(IFF(STATUS IN ('Sent', 'Answered'), INPUT_TOKENS + OUTPUT_TOKENS, 0))::INT AS TOKENS, "
        "SUM(IFF(STATUS IN ('Sent', 'Answered'), ESTIMATED_DOLLARS, 0)) AS DOLLARS "
        f"FROM {BATCHES} WHERE PLANNED_AT > DATEADD('day', -%s, CURRENT_TIMESTAMP()) "
        "GROUP BY FUNCTION_NAME ORDER BY FUNCTION_NAME"
    )


# The newest load of the deals, by shape. HubSpot's own share and the connectors record it in each row; a
# table of another origin has only the time of the last change.
_HUBSPOT_LOADS: Mapping[str, tuple[str, str]] = {
    "share": ("OBJECTS_DEALS", "INGESTEDAT"),
    "fivetran": ("DEAL", "_FIVETRAN_SYNCED"),
    "airbyte": ("DEALS", "_AIRBYTE_EXTRACTED_AT"),
    "plain": ("DEALS", "UPDATED_AT"),
}


def deals_table(shape: str) -> str:
    """Return the name of HubSpot's table of deals."""
    return _HUBSPOT_LOADS[shape][0]


def hubspot_age(shape: str, database: str, schema: str) -> str:
    """Return SQL for the hours since HubSpot's deals were last loaded."""
    table, column = _HUBSPOT_LOADS[shape]
    return (
        f"SELECT DATEDIFF('hour', MAX({column})::TIMESTAMP_NTZ, SYSDATE()) AS HOURS "
        f"FROM {database}.{schema}.{table}"
    )
