"""Dagster runs of the raw assets: nothing is lost, deleted by mistake or read twice."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from gong_assets.dates import DateRange
from gong_assets.defs.assets.missing_transcripts import (
    OP,
    MissingTranscripts,
    awaited_transcripts,
    build_missing_transcripts_job,
)
from gong_assets.defs.resumption import RESUME_AFTER_TAG, RESUMES_TAG, resume_tags, runs_awaiting_quota
from gong_assets.ingestion.streams import RAW_TABLES
from gong_assets.settings import Settings
from gong_assets.warehouse.connection import Warehouse
from gong_assets.warehouse.tables import TRANSCRIPTS
from gong_assets_tests.defs.ingestion_runs import (
    Ingestion,
    calendar,
    call,
    calls,
    ids,
    metadata,
    metadata_by_day,
    transcript,
    why,
)
from gong_assets_tests.end_to_end.gong_server import Gong
from gong_assets_tests.statements import recorded_statements

pytestmark = pytest.mark.slow

MARCH = DateRange(date(2025, 3, 1), date(2025, 3, 11))


@pytest.fixture
def ingestion(warehouse: Warehouse, tmp_path: Path) -> Iterator[Ingestion]:
    """Ten days of ten calls each, with their transcripts."""
    gong = Gong(calls=calls(list(MARCH), per_day=10))
    gong.transcripts = [transcript(call_id) for call_id in ids(gong.calls)]
    with dg.DagsterInstance.ephemeral() as instance, gong.served():
        yield Ingestion(gong, warehouse, tmp_path, instance)
    calendar.later = timedelta(0)


def test_a_deleted_call_disappears_and_is_named(ingestion: Ingestion) -> None:
    assert ingestion.run(MARCH).success
    gone = ingestion.gong.calls.pop(3)
    result = ingestion.run(MARCH)
    assert ingestion.stored() == ids(ingestion.gong.calls)
    assert gone.id not in ingestion.stored("GONG_CALL_TRANSCRIPTS_RAW")
    for asset in ("gong_calls_raw", "gong_call_transcripts_raw"):
        told = metadata_by_day(result, asset)
        assert {
            day: each["records_vanished_ids"] for day, each in told.items() if each["records_vanished"]
        } == {"2025-03-01": [gone.id]}, asset


@pytest.mark.parametrize("asset", ["gong_calls_raw", "gong_call_transcripts_raw"])
def test_each_day_of_a_run_shows_its_own_rows(ingestion: Ingestion, asset: str) -> None:
    first = metadata_by_day(ingestion.run(MARCH), asset)
    gone, moved = ingestion.gong.calls.pop(3), ingestion.gong.calls[20]
    moved.document["metaData"]["started"] = "2025-03-09T23:00:00+00:00"
    second = metadata_by_day(ingestion.run(MARCH), asset)

    for told in (first, second):
        assert list(told) == [str(day) for day in MARCH]
        for name in ("rows_inserted", "rows_deleted"):
            assert {each[f"run/{name}"] for each in told.values()} == {
                sum(each[name] for each in told.values())
            }
        assert len({each["run/gong_requests"] for each in told.values()}) == 1
        assert "gong_requests" not in told["2025-03-01"]
    names = ("rows_inserted", "rows_deleted", "rows_unchanged", "records", "dagster/partition_row_count")
    assert {tuple(each[name] for name in names) for each in first.values()} == {(10, 0, 0, 10, 10)}
    assert all(0 < each["json_bytes"] < 10_000 for each in first.values())
    changed = {
        "2025-03-01": (0, 1, 9, 9, 9),
        "2025-03-03": (0, 1, 9, 9, 9),
        "2025-03-09": (1, 0, 10, 11, 11),
    }
    for day, each in second.items():
        assert tuple(each[name] for name in names) == changed.get(day, (0, 0, 10, 10, 10)), day
    assert second["2025-03-01"]["records_vanished_ids"] == [gone.id]
    assert "records_vanished_ids" not in second["2025-03-02"]


def test_a_key_that_lost_sight_of_all_calls_deletes_nothing_until_somebody_confirms(
    ingestion: Ingestion,
) -> None:
    assert ingestion.run(MARCH).success
    before = ingestion.stored()
    ingestion.gong.calls.clear()
    blind = ingestion.run(MARCH)
    assert not blind.success
    assert (
        "Refusing to delete 100 of 100 rows (100%) from GONG_CALLS_RAW for 2025-03-01 to 2025-03-10"
        in why(blind)
    )
    assert "confirm_deletions" in why(blind)
    assert ingestion.stored() == before
    assert ingestion.run(MARCH, confirm=True).success
    assert ingestion.stored() == ingestion.stored("GONG_CALL_TRANSCRIPTS_RAW") == []


def test_a_window_that_lost_more_than_its_share_is_kept(ingestion: Ingestion) -> None:
    ingestion.settings["gong_max_vanished_share"] = 0.1
    assert ingestion.run(MARCH).success
    del ingestion.gong.calls[:11]
    assert "Refusing to delete 11 of 100 rows (11%)" in why(ingestion.run(MARCH))
    assert len(ingestion.stored()) == 100
    ingestion.settings["gong_max_vanished_share"] = 0.2
    assert ingestion.run(MARCH).success
    assert len(ingestion.stored()) == len(ingestion.stored("GONG_CALL_TRANSCRIPTS_RAW")) == 89


def test_calls_that_became_private_disappear_without_confirmation(ingestion: Ingestion) -> None:
    assert ingestion.run(MARCH).success
    for each in ingestion.gong.calls:
        each.document["metaData"]["isPrivate"] = True
    result = ingestion.run(MARCH)
    assert result.success, why(result)
    assert ingestion.stored() == ingestion.stored("GONG_CALL_TRANSCRIPTS_RAW") == []


def test_transcripts_that_gong_stops_returning_are_kept(ingestion: Ingestion) -> None:
    assert ingestion.run(MARCH).success
    ingestion.gong.transcripts.clear()
    assert "100 of 100 rows (100%) from GONG_CALL_TRANSCRIPTS_RAW" in why(ingestion.run(MARCH))
    assert len(ingestion.stored("GONG_CALL_TRANSCRIPTS_RAW")) == 100


def test_a_missing_scope_is_named_and_stops_no_other_stream(ingestion: Ingestion) -> None:
    ingestion.gong.missing_scopes = {"api:settings:trackers:read"}
    streams = [table.asset_name for table in RAW_TABLES if table is not TRANSCRIPTS]
    result = ingestion.run(MARCH, *streams)
    assert result.success, why(result)
    assert {event.asset_key.path[-1] for event in result.get_asset_materialization_events()} == set(streams)
    failed = [check for check in result.get_asset_check_evaluations() if not check.passed]
    assert [(check.asset_key.path[-1], check.check_name) for check in failed] == [
        ("gong_trackers_raw", "scope_is_granted")
    ]
    assert "api:settings:trackers:read" in str(failed[0].metadata["error"].value)
    assert "api:settings:trackers:read" in metadata(result, "gong_trackers_raw")["skip_reason"]


def test_without_the_scope_for_transcripts_calls_land_and_the_check_fails(ingestion: Ingestion) -> None:
    ingestion.gong.missing_scopes = {"api:calls:read:transcript"}
    result = ingestion.run(MARCH)
    assert result.success, why(result)
    assert ingestion.stored() == ids(ingestion.gong.calls)
    (check,) = result.get_asset_check_evaluations()
    assert (check.asset_key, check.passed) == (dg.AssetKey("gong_call_transcripts_raw"), False)
    assert "api:calls:read:transcript" in metadata(result, "gong_call_transcripts_raw")["skip_reason"]


def test_a_failure_of_the_transcripts_keeps_the_calls_and_fails_the_run(ingestion: Ingestion) -> None:
    ingestion.gong.broken_paths = {"/v2/calls/transcript"}
    result = ingestion.run(MARCH)
    assert "/v2/calls/transcript" in why(result)
    assert ingestion.stored() == ids(ingestion.gong.calls)
    assert ingestion.materialized("gong_calls_raw") == set(MARCH)
    assert ingestion.materialized("gong_call_transcripts_raw") == set()


def test_each_of_calls_and_transcripts_can_be_materialized_alone(ingestion: Ingestion) -> None:
    assert ingestion.run(MARCH, "gong_calls_raw").success
    assert ingestion.materialized("gong_call_transcripts_raw") == set()
    ingestion.gong.log.clear()
    assert ingestion.run(MARCH, "gong_call_transcripts_raw").success
    assert {request.path for request in ingestion.gong.log} == {"/v2/calls/transcript"}
    assert ingestion.stored("GONG_CALL_TRANSCRIPTS_RAW") == ids(ingestion.gong.calls)


def test_without_the_scope_for_calls_the_run_fails_and_names_it(ingestion: Ingestion) -> None:
    ingestion.gong.missing_scopes = {"api:calls:read:extensive"}
    assert "api:calls:read:extensive" in why(ingestion.run(MARCH))


def test_missing_transcripts_are_asked_for_by_id_and_recorded_for_their_days(
    ingestion: Ingestion,
) -> None:
    late = ids(ingestion.gong.calls)[5:25]
    ingestion.gong.transcripts = [each for each in ingestion.gong.transcripts if each["callId"] not in late]
    result = ingestion.run(MARCH)
    told = metadata_by_day(result, "gong_call_transcripts_raw")
    missing = {day: each["calls_without_transcript"] for day, each in told.items()}
    assert {day: count for day, count in missing.items() if count} == {
        "2025-03-01": 5,
        "2025-03-02": 10,
        "2025-03-03": 5,
    }
    assert [id for each in told.values() for id in each.get("calls_without_transcript_ids", [])] == late

    ingestion.gong.transcripts += [transcript(call_id) for call_id in late[:12]]
    ingestion.gong.log.clear()
    ingestion.gong.transcripts.append(transcript("not landed"))
    awaited = awaited_transcripts(ingestion.instance, dg.AssetKey("gong_call_transcripts_raw"), MARCH)
    assert sorted(awaited) == late
    assert awaited[late[0]] == datetime(2025, 3, 1, 11, tzinfo=UTC)
    requested = {call_id: started.date().isoformat() for call_id, started in awaited.items()}
    again = request_missing(ingestion, {**requested, "not landed": "2025-03-01"})
    assert len(ingestion.gong.log) == 1
    assert sorted(ingestion.gong.log[0].body["filter"]["callIds"]) == [*late, "not landed"]
    assert len(ingestion.stored("GONG_CALL_TRANSCRIPTS_RAW")) == 92
    awaited = awaited_transcripts(ingestion.instance, dg.AssetKey("gong_call_transcripts_raw"), MARCH)
    assert sorted(awaited) == late[12:]
    observed = [
        event.asset_observation_data.asset_observation.partition
        for event in again.all_events
        if event.event_type is dg.DagsterEventType.ASSET_OBSERVATION
    ]
    assert observed == ["2025-03-01", "2025-03-02"]


def test_a_request_for_transcripts_that_have_not_arrived_does_not_use_the_warehouse(
    ingestion: Ingestion,
) -> None:
    ingestion.gong.transcripts.clear()
    with recorded_statements() as sent:
        assert request_missing(ingestion, dict.fromkeys(ids(ingestion.gong.calls), "2025-03-01")).success
    assert (sent.logins, sent.statements) == (0, [])


def request_missing(ingestion: Ingestion, call_dates: dict[str, str]) -> dg.ExecuteInProcessResult:
    job = build_missing_transcripts_job(Settings(gong_assets_home=ingestion.home))
    return job.execute_in_process(
        instance=ingestion.instance,
        resources={name: ingestion.resources()[name] for name in ("gong", "gong_snowflake")},
        run_config=dg.RunConfig(ops={OP: MissingTranscripts(call_dates=call_dates)}),
    )


def test_a_quota_that_ends_while_transcripts_fail_loses_no_day(warehouse: Warehouse, tmp_path: Path) -> None:
    days = DateRange(date(2025, 1, 1), date(2025, 1, 1) + timedelta(days=120))
    gong = Gong(calls=calls(list(days), per_day=10), broken_paths={"/v2/calls/transcript"})
    gong.transcripts = [transcript(call_id) for call_id in ids(gong.calls)]
    with dg.DagsterInstance.ephemeral() as instance, gong.served():
        ingestion = Ingestion(gong, warehouse, tmp_path, instance, {"gong_max_requests_per_day": 10})
        stopped = ingestion.run(days)
        assert "daily limit" in why(stopped)
        assert 0 < len(ingestion.materialized("gong_calls_raw")) < len(days)
        assert ingestion.materialized("gong_call_transcripts_raw") == set()
        gong.broken_paths.clear()
        run = instance.get_run_by_id(stopped.run_id)
        assert run is not None
        for attempt in range(1, 10):
            calendar.later = timedelta(days=attempt)
            resumed = ingestion.run(days, tags=resume_tags(run))
            if resumed.success:
                break
            run = instance.get_run_by_id(resumed.run_id)
            assert run is not None
        calendar.later = timedelta(0)
        assert ingestion.stored() == ingestion.stored("GONG_CALL_TRANSCRIPTS_RAW") == ids(gong.calls)


@pytest.mark.extended
def test_a_quota_that_ends_keeps_the_days_that_were_read_and_a_later_run_reads_the_rest(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    days = DateRange(date(2025, 1, 1), date(2025, 1, 1) + timedelta(days=600))
    per_day, quota = 30, 120
    gong = Gong(calls=calls(list(days), per_day))
    gong.transcripts = [transcript(call_id) for call_id in ids(gong.calls)]
    limits = {"gong_max_requests_per_day": quota}
    with dg.DagsterInstance.ephemeral() as instance, gong.served():
        ingestion = Ingestion(gong, warehouse, tmp_path, instance, limits)
        tags: dict[str, str] = {}
        per_attempt: list[int] = []
        finished: set[date] = set()
        for attempt in range(20):
            calendar.later = timedelta(days=attempt)
            gong.log.clear()
            result = ingestion.run(days, tags=tags)
            per_attempt.append(len(gong.log))
            asked_for = {
                datetime.fromisoformat(asked.body["filter"]["fromDateTime"]).date()
                for asked in gong.log
                if asked.path == "/v2/calls/extensive"
            }
            assert not asked_for & finished, "a day that was read is asked for again"
            if result.success:
                break
            assert "daily limit" in why(result)
            finished = ingestion.materialized("gong_calls_raw")
            run = instance.get_run_by_id(result.run_id)
            assert run is not None
            assert RESUME_AFTER_TAG in run.tags
            assert runs_awaiting_quota(instance, datetime.now(UTC)) == []
            waiting = runs_awaiting_quota(instance, datetime.now(UTC) + timedelta(days=1))
            # Of the attempts only the latest one waits to be continued.
            assert [record.dagster_run.run_id for record in waiting] == [run.run_id]
            tags = resume_tags(run)
            assert tags[RESUMES_TAG] == (run.tags.get(RESUMES_TAG) or run.run_id)
        calendar.later = timedelta(0)

        assert ingestion.stored() == ingestion.stored("GONG_CALL_TRANSCRIPTS_RAW") == ids(gong.calls)
        assert runs_awaiting_quota(instance, datetime.now(UTC) + timedelta(days=1)) == []
        assert ingestion.materialized("gong_calls_raw") == set(days)
        assert ingestion.materialized("gong_call_transcripts_raw") == set(days)
        pages = 2 * len(gong.calls) // 100
        assert len(per_attempt) >= pages // quota
        assert all(requests <= quota for requests in per_attempt)
        # Where a stop cuts a page, its calls come once more: at most one page for each chain.
        assert sum(per_attempt) <= pages + 1 + 16 * len(per_attempt)


def test_reconciliation_finds_what_changed_beyond_the_lookback_and_reads_those_days_only(
    ingestion: Ingestion,
) -> None:
    assert ingestion.run(MARCH).success
    held = ingestion.gong.calls
    deleted, renamed, hidden = held.pop(15), held[30], held[45]
    renamed.document["metaData"]["title"] = "Renamed"
    hidden.document["metaData"]["isPrivate"] = True
    late = call(9999, datetime(2025, 3, 8, 12, tzinfo=UTC))
    held.append(late)
    ingestion.gong.transcripts.append(transcript(str(late.id)))
    ingestion.gong.log.clear()

    result = ingestion.run(MARCH, "gong_call_reconciliation")
    assert result.success, why(result)
    told = metadata_by_day(result, "gong_call_reconciliation")
    assert {each["run/days_that_differ"] for each in told.values()} == {4}
    totals = {
        name: sum(each[name] for each in told.values()) for name in told["2025-03-01"] if "calls" in name
    }
    assert totals == {
        "calls_listed": 99,
        "calls_landed": 100,
        "calls_new": 1,
        "calls_gone": 2,
        "calls_changed": 1,
    }
    assert {day: each["differences"] for day, each in told.items() if each["differences"]} == {
        "2025-03-02": {"gone": [deleted.id]},
        "2025-03-04": {"changed": [renamed.id]},
        "2025-03-05": {"gone": [hidden.id]},
        "2025-03-08": {"new": [late.id]},
    }
    kept = [each for each in held if each is not hidden]
    assert ingestion.stored() == ingestion.stored("GONG_CALL_TRANSCRIPTS_RAW") == ids(kept)
    read_again = {
        (asked.body["filter"]["fromDateTime"][:10], asked.body["filter"]["toDateTime"][:10])
        for asked in ingestion.gong.log
        if asked.path == "/v2/calls/extensive"
    }
    assert read_again == {
        ("2025-03-02", "2025-03-03"),
        ("2025-03-04", "2025-03-06"),
        ("2025-03-08", "2025-03-09"),
    }
    again = ingestion.run(MARCH, "gong_call_reconciliation")
    assert metadata(again, "gong_call_reconciliation")["run/days_that_differ"] == 0


def test_reconciliation_requests_the_transcripts_that_have_not_landed_by_id(ingestion: Ingestion) -> None:
    late = ids(ingestion.gong.calls)[25:28]
    ingestion.gong.transcripts = [each for each in ingestion.gong.transcripts if each["callId"] not in late]
    assert ingestion.run(MARCH).success
    ingestion.gong.transcripts += [transcript(late[0]), transcript(late[2])]
    ingestion.gong.log.clear()
    told = metadata(ingestion.run(MARCH, "gong_call_reconciliation"), "gong_call_reconciliation")
    assert (told["run/transcripts_requested"], told["run/transcripts_arrived"]) == (3, 2)
    assert told["run/days_that_differ"] == 0
    (asked,) = [each for each in ingestion.gong.log if each.path != "/v2/calls"]
    assert (asked.path, sorted(asked.body["filter"]["callIds"])) == ("/v2/calls/transcript", late)
    assert set(ids(ingestion.gong.calls)) - set(ingestion.stored("GONG_CALL_TRANSCRIPTS_RAW")) == {late[1]}


def test_reconciliation_leaves_days_alone_whose_calls_were_read_without_transcripts(
    ingestion: Ingestion,
) -> None:
    assert ingestion.run(MARCH, "gong_calls_raw").success
    assert ingestion.run(DateRange.inclusive(MARCH.start, MARCH.start)).success
    ingestion.gong.log.clear()
    assert ingestion.run(MARCH, "gong_call_reconciliation").success
    assert {each.path for each in ingestion.gong.log} == {"/v2/calls"}
    assert len(ingestion.stored("GONG_CALL_TRANSCRIPTS_RAW")) == 10


def test_a_call_whose_transcript_could_not_be_read_gets_it_from_the_next_reconciliation(
    ingestion: Ingestion,
) -> None:
    assert ingestion.run(MARCH).success
    late = call(9999, datetime(2025, 3, 8, 12, tzinfo=UTC))
    ingestion.gong.calls.append(late)
    ingestion.gong.transcripts.append(transcript(str(late.id)))
    ingestion.gong.broken_paths.add("/v2/calls/transcript")
    assert not ingestion.run(MARCH, "gong_call_reconciliation").success
    assert late.id in ingestion.stored()
    ingestion.gong.broken_paths.clear()
    assert ingestion.run(MARCH, "gong_call_reconciliation").success
    assert ingestion.stored("GONG_CALL_TRANSCRIPTS_RAW") == ids(ingestion.gong.calls)


def test_a_deleted_call_takes_its_transcript_along_if_no_transcript_is_read(ingestion: Ingestion) -> None:
    assert ingestion.run(MARCH).success
    first, second, third = (ingestion.gong.calls.pop(index) for index in (60, 40, 20))
    ingestion.gong.calls += [first, second]
    assert ingestion.run(MARCH, "gong_calls_raw").success
    ingestion.gong.calls.remove(first)
    ingestion.gong.missing_scopes.add("api:calls:read:transcript")
    ingestion.run(MARCH)
    ingestion.gong.missing_scopes.clear()
    ingestion.gong.calls.remove(second)
    ingestion.gong.broken_paths.add("/v2/calls/transcript")
    assert not ingestion.run(MARCH).success
    assert not {first.id, second.id, third.id} & {*ingestion.stored("GONG_CALL_TRANSCRIPTS_RAW")}
    assert ingestion.stored() == ingestion.stored("GONG_CALL_TRANSCRIPTS_RAW") == ids(ingestion.gong.calls)


def test_reconciliation_deletes_a_transcript_whose_call_is_gone(ingestion: Ingestion) -> None:
    assert ingestion.run(MARCH).success
    gone = ingestion.gong.calls.pop(15)
    ingestion.warehouse.query(f"DELETE FROM GONG_CALLS_RAW WHERE CALL_ID = '{gone.id}'")
    told = metadata_by_day(ingestion.run(MARCH, "gong_call_reconciliation"), "gong_call_reconciliation")
    assert {day: each["differences"] for day, each in told.items() if each["differences"]} == {
        "2025-03-02": {"gone": [gone.id]}
    }
    assert ingestion.stored("GONG_CALL_TRANSCRIPTS_RAW") == ids(ingestion.gong.calls)


def test_reconciliation_with_a_key_that_lost_sight_of_calls_deletes_nothing(ingestion: Ingestion) -> None:
    assert ingestion.run(MARCH).success
    del ingestion.gong.calls[:60]
    blind = ingestion.run(MARCH, "gong_call_reconciliation")
    assert "Refusing to delete 60 of 100 rows (60%)" in why(blind)
    assert len(ingestion.stored()) == 100


def test_a_workspace_limits_what_is_asked_of_gong(ingestion: Ingestion) -> None:
    ingestion.settings["gong_workspace_id"] = "623457276584334"
    streams = ("gong_calls_raw", "gong_trackers_raw", "gong_library_calls_raw", "gong_call_reconciliation")
    assert ingestion.run(MARCH, *streams).success
    asked = {
        each.path: each.body.get("filter", {}).get("workspaceId") or each.query.get("workspaceId")
        for each in ingestion.gong.log
    }
    assert asked == dict.fromkeys(
        ("/v2/calls/extensive", "/v2/settings/trackers", "/v2/library/folders", "/v2/calls"),
        "623457276584334",
    )
