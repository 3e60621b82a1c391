"""Detection of changes in Gong's records, and the check that reports them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import date, datetime, timedelta
from typing import Any

import dagster as dg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gong_assets.dates import DateRange
from gong_assets.defs.checks.raw_tables import build_checks
from gong_assets.defs.checks.schema_drift import (
    RECORDS_PER_DAY,
    SAMPLED_DAYS,
    recent_records,
)
from gong_assets.gong import BasicAuth, Clock, GongClient, GongConfig, Page, Window
from gong_assets.ingestion.drift import (
    CHANGED,
    NEW,
    PATH_LENGTH,
    VANISHED,
    Drift,
    drifts,
    size_of,
)
from gong_assets.ingestion.streams import (
    CALL_STREAM,
    PARTITIONED_STREAMS,
    RAW_STREAMS,
    RAW_TABLES,
    SNAPSHOT_STREAMS,
)
from gong_assets.settings import Settings
from gong_assets.warehouse.connection import Warehouse
from gong_assets.warehouse.tables import CALLS, TRANSCRIPTS, create_raw_tables
from gong_assets_tests.defs.checks.landed import call, evaluations, land
from gong_assets_tests.local.gong_tenant.conftest import NOW, serve

KNOWN = {"id": "scalar!", "title": "text", "topics": [{"name": "text", "seconds": "number"}], "custom": "any"}
FULL = {"id": "1", "title": "Pricing", "topics": [{"name": "Price", "seconds": 1.5}]}
TODAY = date(2026, 11, 20)
LOOKBACK_DAYS = Settings.model_fields["gong_lookback_days"].default


def days(*records: Any, per_day: int = 10) -> list[tuple[str, str, str]]:
    """Return a sample with the newest record first, and `per_day` records on each day."""
    return [
        (str(TODAY - timedelta(days=number // per_day)), f"r{number}", json.dumps(record))
        for number, record in enumerate(records)
    ]


def found(*records: Any, known: Any = KNOWN, per_day: int = 10) -> list[tuple[str, str, str, int]]:
    return [
        (drift.path, drift.what, drift.found, drift.records)
        for drift in drifts(days(*records, per_day=per_day), known)
    ]


def test_a_record_with_known_fields_has_no_drift() -> None:
    assert found(FULL, {"id": 1, "title": None, "topics": []}, {"id": "1", "topics": None}) == []


def test_a_new_field_is_reported_once_with_a_record_count_and_its_size() -> None:
    records = [FULL, {**FULL, "mood": {"of": ["all"]}}, {**FULL, "mood": {"of": []}}]
    assert drifts(days(*records), KNOWN) == [Drift("mood", NEW, "object", 2, "r1", "1 fields")]


def test_a_new_field_of_list_entries_is_reported_once() -> None:
    topics = [{"name": "Price", "confidence": number} for number in range(50)]
    assert found({**FULL, "topics": topics}) == [("topics[].confidence", NEW, "number", 1)]


@pytest.mark.parametrize(
    ("changed", "path", "kind"),
    [
        ({"topics": {"name": "Price"}}, "topics", "object"),
        ({"topics": ["Price"]}, "topics[]", "text"),
        ({"topics": [{"seconds": "12"}]}, "topics[].seconds", "text"),
        ({"title": 5}, "title", "number"),
        ({"title": True}, "title", "boolean"),
        ({"id": {"value": 1}}, "id", "object"),
    ],
)
def test_a_changed_type_is_reported(changed: dict[str, Any], path: str, kind: str) -> None:
    assert found({**FULL, **changed}) == [(path, CHANGED, kind, 1)]


def test_keys_within_data_fields_are_ignored() -> None:
    assert found({**FULL, "custom": {"2026-01-01": 1}}, {**FULL, "custom": [{"anything": 1}]}) == []
    fields = [{"name": f"custom_{number}__c", "value": {"nested": number}} for number in range(30)]
    call = {
        "context": [{"objects": [{"fields": fields}]}],
        "parties": [{"context": [{"objects": [{"fields": fields}]}]}],
    }
    assert found(call, known=CALL_STREAM.fields) == []


def test_a_new_object_with_data_as_keys_is_reported_as_one_field() -> None:
    assert found({**FULL, "byDay": {str(number): {} for number in range(1000)}}) == [
        ("byDay", NEW, "object", 1)
    ]


def without(*names: str) -> dict[str, Any]:
    return {name: value for name, value in FULL.items() if name not in names}


def test_a_field_in_nearly_all_older_and_no_newer_records_has_vanished() -> None:
    newer, older = [without("title")] * 30, [FULL] * 27 + [without("title")] * 3
    (drift,) = drifts(days(*newer, *older), KNOWN)
    assert (drift.path, drift.what, drift.records) == ("title", VANISHED, 27)
    assert drift.record_id == "r30"


@pytest.mark.parametrize(
    ("newer", "older"),
    [
        ([without("title")] * 29 + [FULL], [FULL] * 30),
        ([without("title")] * 30, [FULL] * 26 + [without("title")] * 4),
        ([without("title")] * 30, [FULL] * 19),
        ([without("title")] * 19, []),
    ],
    ids=["a newer record has it", "few older records had it", "few older records", "few newer records"],
)
def test_a_field_that_may_be_absent_by_chance_has_not_vanished(newer: list[Any], older: list[Any]) -> None:
    assert found(*newer, *older) == []


def test_a_vanished_field_is_reported_for_weeks_although_each_sync_reads_the_lookback_days_again() -> None:
    """There are up to 20 calls a day. Once Gong drops the title, syncs read the lookback days without it."""
    dropped = TODAY - timedelta(days=LOOKBACK_DAYS)
    reported = []
    for days_later in range(SAMPLED_DAYS):
        now = TODAY + timedelta(days=days_later)
        sample = [
            (str(day), f"{day}/{number}", json.dumps(FULL if day <= dropped else without("title")))
            for age in range(SAMPLED_DAYS)
            for day in [now - timedelta(days=age)]
            for number in range(20 - age % 3)
        ]
        reported.append([(drift.path, drift.record_id) for drift in drifts(sample, KNOWN)])
    assert reported[:22] == [[("title", f"{dropped}/0")]] * 22
    assert reported[-1] == [], "no sampled record has the field"


def test_a_field_that_comes_and_goes_has_not_vanished() -> None:
    now_and_then = [*[FULL] * 10, *[without("title")] * 10] * 3
    assert found(*[without("title")] * 70, *now_and_then) == []


def test_a_vanished_block_is_reported_without_the_fields_in_it() -> None:
    assert found(*[without("topics")] * 30, *[FULL] * 30) == [("topics", VANISHED, "list", 30)]


def test_a_field_that_became_null_or_empty_has_vanished() -> None:
    assert found(*[{**FULL, "title": None, "topics": []}] * 30, *[FULL] * 30) == [
        ("title", VANISHED, "text", 30),
        ("topics", VANISHED, "list", 30),
    ]


def test_a_field_that_the_newest_calls_do_not_have_yet_has_not_vanished() -> None:
    """Twenty calls of the last hour have no topics yet, but those of the two days before do."""
    assert found(*[without("topics")] * 20, *[FULL] * 70, per_day=20) == []


def test_a_field_with_a_changed_type_has_not_vanished() -> None:
    assert found(*[{**FULL, "topics": {"name": "Price"}}] * 30, *[FULL] * 30) == [
        ("topics", CHANGED, "object", 30)
    ]


def test_without_older_records_only_fields_of_every_record_can_vanish() -> None:
    table = [("", f"r{number}", json.dumps(without("id", "title"))) for number in range(20)]
    assert [(drift.path, drift.what, drift.records, drift.record_id) for drift in drifts(table, KNOWN)] == [
        ("id", VANISHED, 0, "r0")
    ]
    assert drifts(table[:19], KNOWN) == []


def test_a_drift_has_the_size_of_a_value_and_never_the_value() -> None:
    text = "We lost the deal"
    (drift,) = drifts(days({**FULL, "note": text}), KNOWN)
    assert drift.size == "16 characters"
    assert text not in repr(drift)
    assert [size_of(value) for value in ([1, 2], {"a": 1}, 5, None)] == ["2 elements", "1 fields", "", ""]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from([*KNOWN, "name", "seconds"]) | st.text(), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(st.lists(st.tuples(JSON, st.integers(0, 40)), max_size=60))
def test_drifts_of_any_records_can_be_shown(records: list[tuple[Any, int]]) -> None:
    sample = [(str(TODAY - timedelta(days=age)), str(age), json.dumps(each)) for each, age in records]
    for drift in drifts(sample, KNOWN):
        assert drift.what in (NEW, CHANGED, VANISHED)
        assert 0 < drift.records <= len(records) or drift.what == VANISHED
        assert len(drift.path) <= PATH_LENGTH
        f"{drift.path} {drift.size}".encode()


@given(st.text(), JSON)
def test_a_new_field_with_any_name_is_found(key: str, value: Any) -> None:
    expected = [] if key in KNOWN else [NEW]
    assert [
        drift.what for drift in drifts(days({**FULL, key: value if expected else None}), KNOWN)
    ] == expected


@pytest.mark.parametrize("raw", ["", "{", "[" * 100_000, "1" * 5000, '{"a": "\\ud800"}', "\0"])
def test_an_unreadable_record_is_reported(raw: str) -> None:
    (drift,) = drifts([("", "r", raw)], KNOWN)
    drift.path.encode()


def test_records_are_compared_only_as_deep_as_the_known_fields() -> None:
    assert found(json.loads('{"id": 1, "deep": ' + '{"a":' * 200 + "1" + "}" * 201)) == [
        ("deep", NEW, "object", 1)
    ]


class StoppedClock(Clock):
    def now(self) -> datetime:
        return NOW


@pytest.mark.slow
def test_the_simulated_tenants_records_have_no_drift() -> None:
    with serve() as tenant:
        sent = asyncio.run(all_records(str(tenant.base_url)))
    assert sent.keys() == {table.name for table in RAW_TABLES}
    for stream in RAW_STREAMS:
        records = sent[stream.table.name]
        # Repeated, because vanished fields are reported only for a minimum number of records.
        repeated = [("", str(number), raw) for number, raw in enumerate(records * 20)]
        assert records, stream.table.name
        assert drifts(repeated, stream.fields) == [], stream.table.name


async def all_records(base_url: str) -> dict[str, list[str]]:
    """Return the JSON of all records of three weeks, by raw table."""
    weeks = DateRange(date(2026, 2, 20), date(2026, 3, 14))
    config = GongConfig(
        base_url=base_url, auth=BasicAuth("local", "local"), max_requests_per_second=0, max_requests_per_day=0
    )
    async with GongClient(config, clock=StoppedClock()) as gong:
        calls = [record async for page in gong.calls(Window(*weeks.utc_bounds())) for record in page.records]
        ids = [record.id for record in calls if record.id]
        requests = {
            CALLS.name: gong.calls(Window(*weeks.utc_bounds())),
            TRANSCRIPTS.name: gong.transcripts(ids),
            **{stream.table.name: stream.request(gong, weeks) for stream in PARTITIONED_STREAMS},
            **{stream.table.name: stream.request(gong, None) for stream in SNAPSHOT_STREAMS},
        }
        return {table: await json_of(pages) for table, pages in requests.items()}


async def json_of(pages: AsyncIterator[Page]) -> list[str]:
    return [record.raw.decode() async for page in pages for record in page.records]


def schema_checks(warehouse: Warehouse, *assets: str) -> dict[str, dg.AssetCheckResult]:
    return evaluations(warehouse, build_checks(Settings()), "schema_is_known", *assets)


@pytest.mark.slow
def test_the_check_warns_of_new_changed_and_vanished_fields(
    warehouse: Warehouse,
) -> None:
    newest = date(2026, 11, 20)
    (users,) = (table for table in RAW_TABLES if table.name == "GONG_USERS_RAW")
    records = [
        (day, call(age * 10 + number, day, **({"title": None} if age < 3 else {})))
        for age in range(6)
        for day in [newest - timedelta(days=age)]
        for number in range(10)
    ]
    records[0][1]["content"] = {
        "topics": {"name": "Price"},
        "mood": "elated by what was said, and not to be printed whole",
    }
    # Before the sampled days.
    old = newest - timedelta(days=SAMPLED_DAYS)
    records.append((old, call(999, old, gone="long ago")))
    # A wrong date does not hide the others.
    misdated = date(2099, 1, 1)
    records.append((misdated, call(998, misdated, misread="an upload")))
    land(warehouse, CALLS, records)
    land(warehouse, users, [])
    result = schema_checks(warehouse, "gong_calls_raw", "gong_users_raw")
    calls = result["gong_calls_raw"]
    assert result["gong_users_raw"].passed
    assert (calls.passed, calls.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert calls.description == "1 new, 1 changed, 1 vanished"
    table = calls.metadata["fields"]
    assert isinstance(table, dg.TableMetadataValue)
    assert [tuple(row.data.values()) for row in table.records] == [
        (
            "content.mood",
            NEW,
            "text",
            1,
            "0",
            "52 characters",
        ),
        ("content.topics", CHANGED, "object", 1, "0", "1 fields"),
        ("metaData.title", VANISHED, "text", 30, "30", ""),
    ]


def test_the_sample_has_a_limited_number_of_records_of_each_day(warehouse: Warehouse) -> None:
    land(warehouse, CALLS, [(TODAY, call(number, TODAY)) for number in range(RECORDS_PER_DAY + 5)])
    with warehouse.connect() as connection:
        sample = list(recent_records(connection, CALLS))
    assert len(sample) == RECORDS_PER_DAY
    assert {day for day, _, _ in sample} == {str(TODAY)}


@pytest.mark.slow
def test_the_check_passes_for_an_empty_table_and_fails_for_a_missing_one(warehouse: Warehouse) -> None:
    assets = [table.asset_name for table in RAW_TABLES]
    missing = schema_checks(warehouse, *assets)
    assert not any(each.passed for each in missing.values())
    assert all("does not exist yet" in str(each.description) for each in missing.values())
    with warehouse.connect() as connection:
        create_raw_tables(connection, RAW_TABLES)
    result = schema_checks(warehouse, *assets)
    assert {asset: each.passed for asset, each in result.items()} == dict.fromkeys(assets, True)
