"""Schema drift: each known field of each raw table changes its type or disappears, or a new field appears.

No other row may change. Data tests of severity error run as well: a failure would block the days of a run.
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

from gong_assets.dates import DateRange
from gong_assets.gong.records import id_reader, with_folder
from gong_assets.ingestion.spool import Row, Spool
from gong_assets.ingestion.stream_types import RawStream
from gong_assets.ingestion.streams import RAW_STREAMS, RAW_TABLES
from gong_assets.warehouse.landing import replace as land
from gong_assets.warehouse.tables import TRANSCRIPTS
from gong_assets_tests.dbt.project import DbtProject
from gong_assets_tests.dbt.records import MONDAY
from gong_assets_tests.dbt.warehouse import KEYS, Tables, Warehouse, staging_model

pytestmark = [pytest.mark.extended, pytest.mark.slow, pytest.mark.xdist_group("dbt")]

GONE = object()
REPLACEMENTS = (GONE, {"name": {"value": 1}}, [["x"]], [], "neither", "", 1.5, -1, True)

WHOLE = {"text": "Some words. And more.", "number": 7, "boolean": True, "scalar": "12", "any": "{}"}

STAGED = {table.name: staging_model(table) for table in RAW_TABLES if table is not TRANSCRIPTS}
OF_CALLS = (
    "stg_gong_calls", "stg_gong_call_participants", "stg_gong_call_transcripts", "stg_gong_call_topics",
    "stg_gong_call_tracker_occurrences", "stg_gong_call_crm_links", "stg_gong_call_comments",
)  # fmt: skip


def whole(known: Any, name: str = "") -> Any:
    """Return a record with every field."""
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
    """Yield the record with each part replaced by each replacement, and with a new field in each object."""
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


def rows(stream: RawStream) -> list[Row]:
    """Return all drifted records of a stream with separate keys, and whether they are valid."""
    day = MONDAY if stream.table.partition else None
    documents = [json.dumps(record).encode() for record in drifted(whole(stream.fields))]
    return [
        Row(f"drifted-{number}", document, day, str(number), _error(stream, document))
        for number, document in enumerate(documents)
    ]


def _error(stream: RawStream, document: bytes) -> str | None:
    """Return the condition that excludes a record from staging."""
    if stream.table.name != "GONG_LIBRARY_CALLS_RAW":
        return stream.endpoint.parse(document).error
    record = json.loads(document)
    folder, call = (id_reader("id")(json.dumps(record.get(part)).encode()) for part in ("folder", "call"))
    return with_folder(folder, call).error


@dataclass(frozen=True)
class Drifted:
    landed: dict[str, list[Row]]
    before: Tables
    after: Tables


@pytest.fixture(scope="module")
def staged(warehouse_port: int, project: DbtProject, tmp_path_factory: pytest.TempPathFactory) -> Drifted:
    """Land, stage and test the records of the other tests, first alone and then with all drifted ones."""
    schema = "DRIFTED"
    own = replace(
        project,
        work_dir=Path(tmp_path_factory.mktemp("drifted")),
        environment={**project.environment, "SNOWFLAKE_SCHEMA": schema},
    )
    connection = snowflake.connector.connect(
        account="local", user="local", password="local", host="127.0.0.1", port=warehouse_port,
        protocol="http",
        database=project.environment["SNOWFLAKE_DATABASE"], schema=schema,
        session_parameters={"TIMEZONE": "UTC"},
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
                "path:models/staging/crm",
                "--exclude-resource-type",
                "unit_test",
                "--indirect-selection",
                "cautious",
            )
            return {name: warehouse.rows(name, KEYS[name]) for name in {*STAGED.values(), *OF_CALLS}}

        warehouse.land_everything()
        before = stage()
        landed = {stream.table.name: rows(stream) for stream in RAW_STREAMS}
        for table in RAW_TABLES:
            spool = Spool()
            ranges: list[DateRange] | None = [] if table.partition else None
            for row in landed[table.name]:
                spool.append(row)
            spool.close()
            land(connection, table, spool, ranges=ranges, correlation_id="run")
            spool.discard()
        return Drifted(landed, before, stage())


@pytest.mark.parametrize("raw", STAGED)
def test_every_valid_drifted_record_is_staged(staged: Drifted, raw: str) -> None:
    valid = {row.key for row in staged.landed[raw] if row.processing_error is None}
    assert len(valid) > 20
    assert valid <= staged.after[STAGED[raw]].keys()


def test_the_rows_of_all_other_calls_are_unchanged(staged: Drifted) -> None:
    for table in OF_CALLS:
        before, after = staged.before[table], staged.after[table]
        assert before
        assert {key: after.get(key) for key in before} == before, table


def test_a_call_keeps_its_undrifted_fields(staged: Drifted) -> None:
    calls = staged.after["stg_gong_calls"]
    titles = {
        row.key: json.loads(row.payload)["metaData"].get("title")
        for row in staged.landed["GONG_CALLS_RAW"]
        if row.processing_error is None
    }
    kept = {key: title for key, title in titles.items() if title == WHOLE["text"]}
    assert len(kept) > len(titles) * 0.9
    assert {key: calls[key]["CALL_TITLE"] for key in kept} == kept
