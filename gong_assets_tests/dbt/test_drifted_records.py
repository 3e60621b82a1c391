"""A field that is new, of another type, or gone: each known one in turn, in each raw table, and no other row suffers.

The data tests of error level run too: one that failed would hold back the days of a run.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import snowflake.connector

from gong_assets.checks.schema_drift import known_fields
from gong_assets.gong.records import id_reader, read_call, with_folder
from gong_assets.warehouse.landing import replace as land
from gong_assets.warehouse.spool import Row, Spool
from gong_assets.warehouse.tables import (
    CALLS,
    INTERACTION_STATS,
    LIBRARY_CALLS,
    RAW_TABLES,
    USER_ACTIVITY,
    RawTable,
)
from gong_assets_tests.dbt.project import DbtProject
from gong_assets_tests.dbt.records import MONDAY
from gong_assets_tests.dbt.warehouse import KEYS, Tables, Warehouse

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("dbt")]

GONE = object()
REPLACEMENTS = (GONE, {"name": {"value": 1}}, [["x"]], [], "neither", "", 1.5, -1, True)

WHOLE = {"text": "Some words. And more.", "number": 7, "boolean": True, "scalar": "12", "any": "{}"}

STAGED = {
    "GONG_CALLS_RAW": "stg_gong_calls",
    "GONG_USERS_RAW": "stg_gong_users",
    "GONG_WORKSPACES_RAW": "stg_gong_workspaces",
    "GONG_TRACKERS_RAW": "stg_gong_trackers",
    "GONG_SCORECARDS_RAW": "stg_gong_scorecards",
    "GONG_ANSWERED_SCORECARDS_RAW": "stg_gong_answered_scorecards",
    "GONG_LIBRARY_CALLS_RAW": "stg_gong_library_calls",
    "GONG_INTERACTION_STATS_RAW": "stg_gong_interaction_stats",
    "GONG_USER_ACTIVITY_RAW": "stg_gong_user_activity",
}
OF_CALLS = (
    "stg_gong_calls", "stg_gong_call_participants", "stg_gong_call_transcripts", "stg_gong_call_topics",
    "stg_gong_call_tracker_occurrences", "stg_gong_call_crm_links", "stg_gong_call_comments",
)  # fmt: skip


def whole(known: Any, name: str = "") -> Any:
    """A record that has every field."""
    if isinstance(known, dict):
        return {key: whole(inner, key) for key, inner in known.items()}
    if isinstance(known, list):
        return [whole(known[0], name)]
    if name in (
        "started",
        "scheduled",
        "created",
        "updated",
        "posted",
        "reviewTime",
        "callStartTime",
        "fromDate",
    ):
        return f"{MONDAY}T12:00:00Z"
    return WHOLE[known.rstrip("!")]


def drifted(record: Any) -> Iterator[Any]:
    """The record with each of its parts replaced by each of the replacements, and with a new field in each object."""
    for path in paths(record):
        for value in REPLACEMENTS:
            copy = deepcopy(record)
            holder = copy
            for step in path[:-1]:
                holder = holder[step]
            if value is not GONE:
                holder[path[-1]] = value
            else:
                del holder[path[-1]]
            yield copy
    for path in [(), *paths(record)]:
        copy = deepcopy(record)
        holder = copy
        for step in path:
            holder = holder[step]
        if isinstance(holder, dict):
            holder["newIn2027"] = {"nested": [1, None]}
            yield copy


def paths(value: Any) -> Iterator[tuple[Any, ...]]:
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
        yield (key,)
        if isinstance(inner, (dict, list)):
            yield from ((key, *path) for path in paths(inner))


def rows(table: RawTable) -> list[Row]:
    """All drifted records of a table under keys of their own, and whether they validate."""
    made = []
    for number, record in enumerate(drifted(whole(known_fields()[table.name]))):
        raw = json.dumps(record).encode()
        made.append(
            Row(
                f"drifted-{number}",
                raw,
                MONDAY if table.partition else None,
                str(number),
                _error(table, record),
            )
        )
    return made


def _error(table: RawTable, record: Any) -> str | None:
    """What keeps a record out of the staged tables, of the tables whose columns are more than the record's own key."""
    if table is CALLS:
        return read_call(json.dumps(record).encode()).error
    if table is LIBRARY_CALLS:
        folder, call = (id_reader("id")(json.dumps(record.get(part)).encode()) for part in ("folder", "call"))
        return with_folder(folder, call).error
    if table in (INTERACTION_STATS, USER_ACTIVITY):
        return id_reader("userId")(json.dumps(record).encode()).error
    return None


@dataclass(frozen=True)
class Drifted:
    landed: dict[str, list[Row]]
    before: Tables
    after: Tables


@pytest.fixture(scope="module")
def staged(warehouse_port: int, project: DbtProject, tmp_path_factory: pytest.TempPathFactory) -> Drifted:
    """The records of the other tests, and then all drifted ones with them, landed, staged and tested in a schema of their own."""
    schema = "DRIFTED"
    own = replace(
        project,
        work_dir=Path(tmp_path_factory.mktemp("drifted")),
        environment={**project.environment, "SNOWFLAKE_SCHEMA": schema},
    )
    connection = snowflake.connector.connect(
        account="local", user="local", password="local", host="127.0.0.1", port=warehouse_port, protocol="http",
        database=project.environment["SNOWFLAKE_DATABASE"], schema=schema, session_parameters={"TIMEZONE": "UTC"},
    )  # fmt: skip
    with connection:
        warehouse = Warehouse(connection)

        def stage() -> Tables:
            own.succeed(
                "build",
                "--full-refresh",
                "--select",
                "path:models/staging",
                "--exclude",
                "path:models/staging/hubspot",
                "--exclude-resource-type",
                "unit_test",
                "--indirect-selection",
                "cautious",
            )
            return {name: warehouse.rows(name, KEYS[name]) for name in {*STAGED.values(), *OF_CALLS}}

        warehouse.land_everything()
        before = stage()
        landed = {table.name: rows(table) for table in RAW_TABLES}
        for table in RAW_TABLES:
            spool = Spool([] if table.partition else None)
            for row in landed[table.name]:
                spool.append(row)
            spool.close()
            land(connection, table, spool, correlation_id="run")
            spool.discard()
        return Drifted(landed, before, stage())


@pytest.mark.parametrize("raw", STAGED)
def test_every_drifted_record_that_validates_is_staged(staged: Drifted, raw: str) -> None:
    valid = {row.key for row in staged.landed[raw] if row.processing_error is None}
    assert len(valid) > 20
    assert valid <= staged.after[STAGED[raw]].keys()


def test_the_rows_of_all_other_calls_are_the_same_as_without_them(staged: Drifted) -> None:
    for table in OF_CALLS:
        before, after = staged.before[table], staged.after[table]
        assert before
        assert {key: after.get(key) for key in before} == before, table


def test_a_call_keeps_what_did_not_drift(staged: Drifted) -> None:
    calls = staged.after["stg_gong_calls"]
    titles = {
        row.key: json.loads(row.payload)["metaData"].get("title")
        for row in staged.landed["GONG_CALLS_RAW"]
        if row.processing_error is None
    }
    kept = {key: title for key, title in titles.items() if title == WHOLE["text"]}
    assert len(kept) > len(titles) * 0.9
    assert {key: calls[key]["CALL_TITLE"] for key in kept} == kept
