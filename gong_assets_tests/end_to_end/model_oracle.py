"""The comparison of every layer with what the company of the model must have in it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from gong_assets.agents.call_search import similar_segments
from gong_assets.agents.errors import NotFound
from gong_assets.warehouse.connection import Warehouse
from gong_assets_tests.end_to_end.model_company import Company

_MARKER = re.compile(r"\b(?:rep|buyer)[a-j]+\b")

# Tables with the title of each call, and SQL for it.
TITLES = {
    "GONG_CALLS_RAW": "RAW_DATA:metaData:title::VARCHAR",
    "STG_GONG_CALLS": "CALL_TITLE",
    "INT_GONG_CALL_DETAILS": "CALL_TITLE",
    "VW_ENRICHED_GONG_CALLS": "CALL_TITLE",
}
# Tables with the text of each segment, and SQL for it.
TEXTS = {
    "GONG_CALL_TRANSCRIPTS_RAW": "TO_JSON(TRANSCRIPT_DATA)",
    "STG_GONG_CALL_TRANSCRIPTS": "TRANSCRIPT_TEXT",
    "CORTEX_GONG_REDACTED_TRANSCRIPTS": "REDACTED_TEXT",
    "INT_GONG_DIALOGUE_LINES": "LINE",
    "VW_ENRICHED_GONG_CALL_TRANSCRIPTS": "TRANSCRIPT_TEXT",
}
_DEALS = {
    "VW_DEAL_CALLS": "HUBSPOT_DEAL_ID",
    "VW_ENRICHED_GONG_CALLS": "HUBSPOT_DEAL_ID",
}


def differences(warehouse: Warehouse, company: Company) -> Iterator[str]:
    """Yield a line for each layer that differs from the company's Gong, and each remnant of what is gone."""
    for table, title in TITLES.items():
        rows = warehouse.query(f"SELECT CALL_ID, {title} AS TITLE FROM {table}")
        yield from _compared(
            table, [(row["CALL_ID"], row["TITLE"]) for row in rows], company.titles().items()
        )
    for table, text in TEXTS.items():
        rows = warehouse.query(f"SELECT CALL_ID, {text} AS TEXT FROM {table}")
        found = [(row["CALL_ID"], marker) for row in rows for marker in _MARKER.findall(row["TEXT"] or "")]
        yield from _compared(table, found, company.segments())
    for table, deal in _DEALS.items():
        rows = warehouse.query(f"SELECT CALL_ID, {deal} AS DEAL FROM {table}")
        yield from _compared(table, [(row["CALL_ID"], row["DEAL"]) for row in rows], company.deals())
    yield from _compared("similar_segments", _searched(warehouse), company.segments())
    pending = warehouse.query("SELECT TABLE_NAME, DAY, CLAIMED_BY FROM GONG_PENDING_CHANGES")
    if pending:
        yield f"GONG_PENDING_CHANGES: {pending}"
    waiting = warehouse.query("SELECT * FROM VW_CORTEX_STATUS WHERE CORTEX_STATUS = 'Waiting'")
    if waiting:
        yield f"VW_CORTEX_STATUS: {waiting}"
    if (sent := sent_segments(warehouse)) > company.new_segments:
        yield f"GONG_CORTEX_BATCHES: {sent} segments were sent, but only {company.new_segments} were new"
    yield from _remnants(warehouse, company)


def _remnants(warehouse: Warehouse, company: Company) -> Iterator[str]:
    """Yield a line for each table or view that contains what is gone, in any column.

    The queue of a killed run stays for two days, or until the next erasure.
    """
    for table in table_names(warehouse):
        text = str(warehouse.query(f"SELECT * FROM {table}")).lower()
        gone = set() if table.startswith("GONG_CORTEX_QUEUE_") else company.gone()
        if held := sorted(value for value in gone | company.erased() if value in text):
            yield f"{table}: still has {held}"


def table_names(warehouse: Warehouse, *, kind: str = "%") -> list[str]:
    rows = warehouse.query(
        "SELECT TABLE_NAME AS NAME FROM INFORMATION_SCHEMA.TABLES "
        "WHERE TABLE_SCHEMA = CURRENT_SCHEMA() AND TABLE_TYPE LIKE %s",
        (kind,),
    )
    return sorted(str(row["NAME"]) for row in rows)


def _searched(warehouse: Warehouse) -> list[tuple[str, str]]:
    """Return what an agent finds that asks for everything; nothing can be found before a text was sent."""
    try:
        hits = similar_segments(warehouse, "the offer and its price", limit=1000).segments
    except NotFound:
        return []
    return [(hit.call_id, marker) for hit in hits for marker in _MARKER.findall(hit.text)]


def _compared(table: str, found: Any, expected: Any) -> Iterator[str]:
    lacks, extra = Counter(expected) - Counter(found), Counter(found) - Counter(expected)
    if lacks or extra:
        yield f"{table}: lacks {[*lacks.elements()]}, and has {[*extra.elements()]} too many"


def sent_segments(warehouse: Warehouse) -> int:
    """Return how many segments were sent to be embedded, each time that one was."""
    if "GONG_CORTEX_BATCHES" not in table_names(warehouse):
        return 0
    (row,) = warehouse.query(
        "SELECT COALESCE(SUM(CALLS), 0) AS N FROM GONG_CORTEX_BATCHES "
        "WHERE FUNCTION_NAME = 'AI_EMBED' AND STATUS IN ('Sent', 'Answered')"
    )
    return int(row["N"])
