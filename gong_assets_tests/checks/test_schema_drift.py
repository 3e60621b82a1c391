"""What counts as a change of Gong's records, and that it is reported and breaks nothing."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

import dagster as dg
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gong_assets.checks.schema_drift import (
    CHANGED,
    EXAMPLE_LENGTH,
    KINDS,
    NEW,
    PATH_LENGTH,
    RECORDS_PER_DAY,
    SAMPLED_DAYS,
    VANISHED,
    Drift,
    build_schema_checks,
    drifts,
    example,
    known_fields,
    recent_records,
)
from gong_assets.gong import Record
from gong_assets.gong.records import id_reader, with_folder
from gong_assets.settings import Settings
from gong_assets.warehouse.connection import Warehouse
from gong_assets.warehouse.tables import CALLS, RAW_TABLES
from gong_assets_tests.checks.landed import call, evaluations, land
from gong_assets_tests.local.tenant.conftest import extensive, serve, walk, window

KNOWN = {"id": "scalar!", "title": "text", "topics": [{"name": "text", "seconds": "number"}], "custom": "any"}
FULL = {"id": "1", "title": "Pricing", "topics": [{"name": "Price", "seconds": 1.5}]}
TODAY = date(2026, 11, 20)
LOOKBACK_DAYS = Settings.model_fields["gong_lookback_days"].default


def days(*records: Any, per_day: int = 10) -> list[tuple[str, str, str]]:
    """The newest record first, so many on each day."""
    return [
        (str(TODAY - timedelta(days=number // per_day)), f"r{number}", json.dumps(record))
        for number, record in enumerate(records)
    ]


def found(*records: Any, known: Any = KNOWN, per_day: int = 10) -> list[tuple[str, str, str, int]]:
    return [
        (drift.path, drift.what, drift.found, drift.records)
        for drift in drifts(days(*records, per_day=per_day), known)
    ]


def test_a_record_as_it_is_known_is_no_news() -> None:
    assert found(FULL, {"id": 1, "title": None, "topics": []}, {"id": "1", "topics": None}) == []


def test_a_new_field_is_told_once_with_how_many_records_have_it_and_one_of_them() -> None:
    records = [FULL, {**FULL, "mood": {"of": ["all"]}}, {**FULL, "mood": {"of": []}}]
    assert drifts(days(*records), KNOWN) == [Drift("mood", NEW, "object", 2, "r1", '{"of": ["all"]}')]


def test_a_new_field_in_a_list_is_one_path_however_long_the_list_is() -> None:
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
def test_a_type_that_changed_is_told(changed: dict[str, Any], path: str, kind: str) -> None:
    assert found({**FULL, **changed}) == [(path, CHANGED, kind, 1)]


def test_keys_that_are_data_are_not_fields() -> None:
    assert found({**FULL, "custom": {"2026-01-01": 1}}, {**FULL, "custom": [{"anything": 1}]}) == []
    fields = [{"name": f"custom_{number}__c", "value": {"nested": number}} for number in range(30)]
    call = {
        "context": [{"objects": [{"fields": fields}]}],
        "parties": [{"context": [{"objects": [{"fields": fields}]}]}],
    }
    assert found(call, known=known_fields()[CALLS.name]) == []


def test_a_new_map_with_data_as_keys_is_one_new_field() -> None:
    assert found({**FULL, "byDay": {str(number): {} for number in range(1000)}}) == [
        ("byDay", NEW, "object", 1)
    ]


def without(*names: str) -> dict[str, Any]:
    return {name: value for name, value in FULL.items() if name not in names}


def test_a_field_of_nearly_all_older_records_and_no_newer_one_vanished() -> None:
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
    ids=["a newer one has it", "too few older ones had it", "hardly any older ones", "hardly any newer ones"],
)
def test_what_may_be_chance_is_not_called_vanished(newer: list[Any], older: list[Any]) -> None:
    assert found(*newer, *older) == []


def test_a_field_that_vanished_is_told_from_the_first_sync_for_weeks_though_each_sync_reads_days_anew() -> (
    None
):
    """Up to 20 calls a day; the sync of the day on which Gong drops the title has the last seven days without it."""
    dropped = TODAY - timedelta(days=LOOKBACK_DAYS)
    told = []
    for days_later in range(SAMPLED_DAYS):
        now = TODAY + timedelta(days=days_later)
        sample = [
            (str(day), f"{day}/{number}", json.dumps(FULL if day <= dropped else without("title")))
            for age in range(SAMPLED_DAYS)
            for day in [now - timedelta(days=age)]
            for number in range(20 - age % 3)
        ]
        told.append([(drift.path, drift.record_id) for drift in drifts(sample, KNOWN)])
    assert told[:22] == [[("title", f"{dropped}/0")]] * 22
    assert told[-1] == [], "where nothing is left that had it, nothing is known to have vanished"


def test_days_that_lack_a_field_count_only_after_the_last_day_that_has_it() -> None:
    """A field that comes and goes did not vanish."""
    now_and_then = [*[FULL] * 10, *[without("title")] * 10] * 3
    assert found(*[without("title")] * 70, *now_and_then) == []


def test_a_block_that_vanished_is_told_without_all_that_was_in_it() -> None:
    assert found(*[without("topics")] * 30, *[FULL] * 30) == [("topics", VANISHED, "list", 30)]


def test_a_field_that_is_null_or_empty_by_now_vanished_too() -> None:
    assert found(*[{**FULL, "title": None, "topics": []}] * 30, *[FULL] * 30) == [
        ("title", VANISHED, "text", 30),
        ("topics", VANISHED, "list", 30),
    ]


def test_the_newest_days_are_compared_whole_so_that_what_gong_still_computes_is_not_missed() -> None:
    """Twenty calls of the last hour have no topics yet; those of yesterday and the day before do."""
    assert found(*[without("topics")] * 20, *[FULL] * 70, per_day=20) == []


def test_a_field_that_changed_its_type_did_not_vanish() -> None:
    assert found(*[{**FULL, "topics": {"name": "Price"}}] * 30, *[FULL] * 30) == [
        ("topics", CHANGED, "object", 30)
    ]


def test_without_older_records_only_what_every_record_has_can_vanish() -> None:
    table = [("", f"r{number}", json.dumps(without("id", "title"))) for number in range(20)]
    assert [(drift.path, drift.what, drift.records, drift.record_id) for drift in drifts(table, KNOWN)] == [
        ("id", VANISHED, 0, "r0")
    ]
    assert drifts(table[:19], KNOWN) == []


def test_an_example_is_short_and_has_no_signature_of_a_url() -> None:
    assert example("https://media.gong.io/1.mp3?X-Amz-Signature=secret") == '"https://media.gong.io/1.mp3"'
    assert example("x" * 1000) == '"' + "x" * (EXAMPLE_LENGTH - 2) + "…"
    assert example({"ä": [1]}) == '{"ä": [1]}'


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from([*KNOWN, "name", "seconds"]) | st.text(), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(st.lists(st.tuples(JSON, st.integers(0, 40)), max_size=60))
def test_whatever_the_records_are_each_finding_can_be_shown(records: list[tuple[Any, int]]) -> None:
    sample = [(str(TODAY - timedelta(days=age)), str(age), json.dumps(each)) for each, age in records]
    for drift in drifts(sample, KNOWN):
        assert drift.what in (NEW, CHANGED, VANISHED)
        assert 0 < drift.records <= len(records) or drift.what == VANISHED
        assert len(drift.path) <= PATH_LENGTH
        assert len(drift.example) <= EXAMPLE_LENGTH
        f"{drift.path} {drift.example}".encode()


@given(st.text(), JSON)
def test_a_key_that_nobody_knows_is_found_whatever_it_is_called(key: str, value: Any) -> None:
    expected = [] if key in KNOWN else [NEW]
    assert [
        drift.what for drift in drifts(days({**FULL, key: value if expected else None}), KNOWN)
    ] == expected


@pytest.mark.parametrize("raw", ["", "{", "[" * 100_000, "1" * 5000, '{"a": "\\ud800"}', "\0"])
def test_what_can_hardly_be_read_is_a_finding_and_no_error(raw: str) -> None:
    (drift,) = drifts([("", "r", raw)], KNOWN)
    drift.example.encode()


def test_deep_records_are_read_as_deep_as_they_are_known() -> None:
    assert found(json.loads('{"id": 1, "deep": ' + '{"a":' * 200 + "1" + "}" * 201)) == [
        ("deep", NEW, "object", 1)
    ]


def leaves(known: Any) -> Iterable[str]:
    if isinstance(known, str):
        yield known
    else:
        for inner in known.values() if isinstance(known, dict) else known:
            yield from leaves(inner)


def test_every_raw_table_has_its_known_fields_and_every_leaf_is_a_kind() -> None:
    assert known_fields().keys() == {table.name for table in RAW_TABLES}
    assert {leaf.rstrip("!") for leaf in leaves(known_fields())} <= KINDS.keys()


def test_the_simulated_tenants_records_are_known_and_have_what_every_record_has() -> None:
    weeks, march = window("2026-02-20", "2026-03-14"), {"fromDate": "2026-03-02", "toDate": "2026-03-09"}
    with serve() as tenant:
        sent: dict[str, list[Any]] = {
            "GONG_CALLS_RAW": extensive(tenant, weeks),
            "GONG_CALL_TRANSCRIPTS_RAW": walk(
                tenant, "/v2/calls/transcript", {"filter": weeks}, "callTranscripts"
            ),
            "GONG_USERS_RAW": listed(tenant, "/v2/users", "users"),
            "GONG_WORKSPACES_RAW": listed(tenant, "/v2/workspaces", "workspaces"),
            "GONG_TRACKERS_RAW": listed(tenant, "/v2/settings/trackers", "keywordTrackers"),
            "GONG_SCORECARDS_RAW": listed(tenant, "/v2/settings/scorecards", "scorecards"),
            "GONG_ANSWERED_SCORECARDS_RAW": walk(
                tenant,
                "/v2/stats/activity/scorecards",
                {"filter": {"callFromDate": "2026-01-01", "reviewMethod": "BOTH"}},
                "answeredScorecards",
            ),
            "GONG_INTERACTION_STATS_RAW": walk(
                tenant, "/v2/stats/interaction", {"filter": march}, "peopleInteractionStats"
            ),
            "GONG_USER_ACTIVITY_RAW": walk(
                tenant, "/v2/stats/activity/day-by-day", {"filter": march}, "usersDetailedActivities"
            ),
            "GONG_LIBRARY_CALLS_RAW": [
                json.loads(with_folder(_record(folder), _record(call)).raw)
                for folder in listed(tenant, "/v2/library/folders", "folders")
                for call in listed(tenant, "/v2/library/folder-content", "calls", folderId=folder["id"])
            ],
        }
    assert sent.keys() == known_fields().keys()
    for table, records in sent.items():
        # Each several times: what every record has is looked for in a number of records only.
        repeated = [("", str(number), json.dumps(each)) for number, each in enumerate(records * 20)]
        assert records, table
        assert drifts(repeated, known_fields()[table]) == [], table


def listed(tenant: httpx.Client, path: str, key: str, **query: str) -> list[Any]:
    items: list[Any] = tenant.get(path, params=query).json()[key]
    return items


def _record(value: Any) -> Record:
    return id_reader("id")(json.dumps(value).encode())


def schema_checks(warehouse: Warehouse, *assets: str) -> dict[str, dg.AssetCheckResult]:
    return evaluations(warehouse, build_schema_checks(), "schema_is_known", *assets)


def test_the_check_names_what_is_new_what_changed_and_what_vanished_and_fails_no_run(
    warehouse: Warehouse,
) -> None:
    newest = date(2026, 11, 20)
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
    # Longer ago than the sampled days.
    old = newest - timedelta(days=SAMPLED_DAYS)
    records.append((old, call(999, old, gone="long ago")))
    land(warehouse, CALLS, records)
    result = schema_checks(warehouse, "gong_calls_raw", "gong_users_raw")
    users, calls = result["gong_users_raw"], result["gong_calls_raw"]
    assert users.passed
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
            '"elated by what was said, and not to be'[: EXAMPLE_LENGTH - 1] + "…",
        ),
        ("content.topics", CHANGED, "object", 1, "0", '{"name": "Price"}'),
        ("metaData.title", VANISHED, "text", 30, "30", ""),
    ]


def test_of_each_day_only_some_records_are_read(warehouse: Warehouse) -> None:
    land(warehouse, CALLS, [(TODAY, call(number, TODAY)) for number in range(RECORDS_PER_DAY + 5)])
    with warehouse.connect() as connection:
        sample = list(recent_records(connection, CALLS))
    assert len(sample) == RECORDS_PER_DAY
    assert {day for day, _, _ in sample} == {str(TODAY)}


def test_a_table_without_records_is_known(warehouse: Warehouse) -> None:
    assets = [table.name.lower() for table in RAW_TABLES]
    result = schema_checks(warehouse, *assets)
    assert {asset: each.passed for asset, each in result.items()} == dict.fromkeys(assets, True)
