"""Tables in place of the enriched views, with the views' columns and with rows chosen by a test.

Other tests cover how the graph builds the views; tests of agents cover what the functions return for given
rows.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from snowflake.connector import SnowflakeConnection

import gong_assets
from gong_assets.warehouse.connection import Warehouse, fetch

MODEL = "e5-base-v2"
LAST_READ_AT = "2026-11-12 08:30:00+00:00"
CALLS, SEGMENTS = "VW_ENRICHED_GONG_CALLS", "VW_ENRICHED_GONG_CALL_TRANSCRIPTS"
SEARCHABLE = "VW_SEARCHABLE_SEGMENTS"
COACHING, TIMELINE, DEAL_CALLS = "VW_COACHING_OPPORTUNITIES", "VW_ACCOUNT_TIMELINE", "VW_DEAL_CALLS"
DIRECTORY, DEAL_RISK, LANDINGS = "VW_DIRECTORY", "VW_DEAL_RISK", "VW_GONG_LANDINGS"
EMBEDDINGS = "CORTEX_GONG_CALL_TRANSCRIPTS"
# The view of segments does not show it.
CONTENT_HASH = "MD5(TRANSCRIPT_TEXT) AS CONTENT_HASH"

Row = dict[str, Any]


@cache
def columns(view: str) -> dict[str, str]:
    """Return the names and types of the columns that the view's model documents."""
    (file,) = (Path(gong_assets.__file__).parent / "dbt" / "models").glob(f"*/{view.lower()}.yml")
    models = yaml.safe_load(file.read_text("utf-8"))["models"]
    (model,) = (model for model in models if model["name"] == view.lower())
    types = {column["name"].upper(): column["data_type"] for column in model["columns"]}
    # The model takes the dimension from a dbt var.
    return {name: "vector(float, 768)" if kind.startswith("vector") else kind for name, kind in types.items()}


def call(call_id: str, **values: Any) -> Row:
    return {
        "call_id": call_id,
        "call_date": "2026-11-10",
        "call_datetime_utc": "2026-11-10 15:00:00",
        "call_title": f"Call {call_id}",
        "call_url": f"https://gong.example/call?id={call_id}",
        "next_steps": [],
        **values,
    }


def coaching_opportunity(call_id: str, score: float | None, *reasons: str, **values: Any) -> Row:
    return {
        "call_id": call_id,
        "call_date": values.get("call_datetime_utc", "2026-11-10")[:10],
        "call_datetime_utc": "2026-11-10 15:00:00",
        "call_url": f"https://gong.example/call?id={call_id}",
        "reasons": list(reasons),
        "coaching_score": score,
        "review_count": 0,
        **values,
    }


def segment(transcript_id: str, text: str, **values: Any) -> Row:
    """Return a segment whose id `1_2_3` starts with its call id and turn index."""
    call_id, turn, *_ = transcript_id.split("_")
    return {
        "transcript_id": transcript_id,
        "call_id": call_id,
        "call_date": "2026-11-10",
        "call_title": f"Call {call_id}",
        "call_url": f"https://gong.example/call?id={call_id}",
        "transcript_text": text,
        "word_count": len(text.split()),
        "turn_index": int(turn),
        "part": 0,
        "start_time_seconds": float(turn),
        "processed_by_cortex": True,
        "embedding_model": MODEL,
        "is_customer": values.get("speaker_type") != "Internal",
        **values,
    }


def account_event(
    call_id: str, account_id: str, account_name: str | None = None, crm_system: str = "HubSpot", **values: Any
) -> Row:
    return {
        "event_id": f"call_{call_id}_{crm_system}_{account_id}",
        "event_type": "Call",
        "call_id": call_id,
        "crm_system": crm_system,
        "account_id": account_id,
        "account_name": account_name,
        **values,
    }


def deal_call(call_id: str, deal_id: str) -> Row:
    return {"deal_call_id": f"{call_id}_{deal_id}", "call_id": call_id, "hubspot_deal_id": deal_id}


def rep(user_id: str, name: str | None = None, email: str | None = None, **values: Any) -> list[Row]:
    """Return the terms of a rep in the directory."""
    terms = {"Id": user_id, "Name": name, "E-mail": email}
    return _terms("Rep", "Gong", user_id, name, email, terms, values)


def company(
    company_id: str,
    name: str | None = None,
    domain: str | None = None,
    crm_system: str = "HubSpot",
    **values: Any,
) -> list[Row]:
    """Return the terms of a company in the directory."""
    terms = {"Id": company_id, "Name": name, "Domain": domain}
    return _terms("Company", crm_system, company_id, name, domain, terms, values)


def deal(deal_id: str, name: str | None = None, **values: Any) -> list[Row]:
    """Return the terms of a deal in the directory."""
    return _terms("Deal", "HubSpot", deal_id, name, None, {"Id": deal_id, "Name": name}, values)


def _terms(
    record_type: str,
    crm_system: str,
    record_id: str,
    name: str | None,
    detail: str | None,
    terms: dict[str, str | None],
    values: Row,
) -> list[Row]:
    return [
        {
            "record_type": record_type,
            "crm_system": crm_system,
            "record_id": record_id,
            "record_name": name,
            "record_detail": detail,
            "term_type": term_type,
            "term": term,
            "is_former": False,
            **values,
        }
        for term_type, term in terms.items()
        if term is not None
    ]


def owner(name: str | None = None, email: str | None = None, **values: Any) -> list[Row]:
    """Return the terms of an owner of deals in the directory."""
    terms = {"Name": name, "E-mail": email}
    return _terms("Owner", "HubSpot", email or name or "", name, email, terms, values)


def deal_risk(deal_id: str, *reasons: str, **values: Any) -> Row:
    return {
        "hubspot_deal_id": deal_id,
        "deal_name": f"Deal {deal_id}",
        "risk_level": "Low",
        "risk_count": len(reasons),
        "risk_indicators": list(reasons),
        "call_count": 0,
        "has_private_call": False,
        **values,
    }


def create_views(
    warehouse: Warehouse,
    *,
    calls: Sequence[Row] = (),
    segments: Sequence[Row] = (),
    coaching: Sequence[Row] = (),
    timeline: Sequence[Row] = (),
    deal_calls: Sequence[Row] = (),
    directory: Sequence[Sequence[Row]] = (),
    deal_risks: Sequence[Row] = (),
) -> None:
    """Create the tables, and embed the text of the segments."""
    views = {
        CALLS: calls,
        SEGMENTS: segments,
        COACHING: coaching,
        TIMELINE: timeline,
        DEAL_CALLS: deal_calls,
        DIRECTORY: [row for rows in directory for row in rows],
        DEAL_RISK: deal_risks,
        LANDINGS: [{"table_name": "GONG_CALLS_RAW", "last_read_at": LAST_READ_AT}],
    }
    shown = [CONTENT_HASH if name == "CONTENT_HASH" else name for name in columns(SEARCHABLE)]
    with warehouse.connect() as connection:
        for view, rows in views.items():
            _create(connection, view, rows)
        fetch(
            connection,
            f"UPDATE {SEGMENTS} "
            f"SET TRANSCRIPT_EMBEDDING = AI_EMBED('{MODEL}', 'passage: ' || TRANSCRIPT_TEXT) "
            "WHERE PROCESSED_BY_CORTEX",
        )
        fetch(
            connection,
            f"CREATE OR REPLACE TABLE {EMBEDDINGS} AS SELECT TRANSCRIPT_ID, CALL_DATE, {CONTENT_HASH}, "
            "WORD_COUNT < 3 AS IS_TOO_SHORT, TRANSCRIPT_EMBEDDING, EMBEDDING_MODEL, PROCESSED_BY_CORTEX, "
            f"CORTEX_PROCESSED_AT FROM {SEGMENTS}",
        )
        fetch(
            connection,
            f"CREATE OR REPLACE VIEW {SEARCHABLE} AS SELECT {', '.join(shown)} FROM {SEGMENTS} "
            "WHERE TRANSCRIPT_TEXT IS NOT NULL",
        )


def _create(connection: SnowflakeConnection, view: str, rows: Sequence[Row]) -> None:
    types = columns(view)
    unknown = {name.upper() for row in rows for name in row} - types.keys()
    assert not unknown, f"{view} has no {unknown}"
    declared = ", ".join(f"{name} {kind}" for name, kind in types.items())
    fetch(connection, f"CREATE OR REPLACE TABLE {view} ({declared})")
    given = [name for name in types if any(name.lower() in row for row in rows)]
    selected = ", ".join(f'VALUE:"{name.lower()}"::{types[name]}' for name in given)
    if rows:
        fetch(
            connection,
            f"INSERT INTO {view} ({', '.join(given)}) "
            f"SELECT {selected} FROM TABLE(FLATTEN(INPUT => PARSE_JSON(%s)))",
            (json.dumps(rows, default=str),),
        )
