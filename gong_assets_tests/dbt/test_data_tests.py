"""Scope of the data tests: all rows, or the calls of the run's days."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gong_assets_tests.dbt.project import DbtProject
from gong_assets_tests.dbt.records import FULL, MONDAY, TUESDAY, WEDNESDAY
from gong_assets_tests.dbt.warehouse import Tables, Warehouse

pytestmark = [pytest.mark.extended, pytest.mark.xdist_group("dbt")]

OF_MONDAY = ("--event-time-start", str(MONDAY), "--event-time-end", str(TUESDAY))
OF_TUESDAY = ("--event-time-start", str(TUESDAY), "--event-time-end", str(WEDNESDAY))
OF_WEDNESDAY = ("--event-time-start", str(WEDNESDAY), "--event-time-end", "2026-11-05")

UNIQUE_CALL, KNOWN_CALL, DATED_CALL = (
    "unique_stg_gong_calls_call_id",
    "relationships_stg_gong_call_topics_call_id__call_id__ref_stg_gong_calls_",
    "not_null_stg_gong_calls_call_datetime_utc",
)


@pytest.fixture(scope="module")
def errors(built: Tables, warehouse: Warehouse) -> Iterator[None]:
    """Add a duplicate of a Monday call on Wednesday, without a time, and an orphaned topic on Tuesday."""
    warehouse.query(
        "insert into stg_gong_calls (call_id, call_date) "
        "select call_id, %s from stg_gong_calls where call_id = %s",
        (WEDNESDAY, FULL),
    )
    warehouse.query(
        "insert into stg_gong_call_topics (topic_id, call_id, call_date) select 'orphan', 'unknown', %s",
        (TUESDAY,),
    )
    yield
    warehouse.query("delete from stg_gong_calls where call_id = %s and call_date = %s", (FULL, WEDNESDAY))
    warehouse.query("delete from stg_gong_call_topics where topic_id = 'orphan'")


@pytest.mark.usefixtures("errors")
@pytest.mark.parametrize(
    ("days", "found"),
    [
        pytest.param((), {UNIQUE_CALL, KNOWN_CALL, DATED_CALL}, id="every day"),
        pytest.param(OF_MONDAY, {UNIQUE_CALL}, id="a duplicate under another day"),
        pytest.param(OF_TUESDAY, {KNOWN_CALL}, id="an orphan"),
        pytest.param(OF_WEDNESDAY, {UNIQUE_CALL, DATED_CALL}, id="a duplicate of another day"),
    ],
)
def test_a_run_finds_the_errors_of_its_days(
    project: DbtProject, days: tuple[str, ...], found: set[str]
) -> None:
    done = project.command_in_a_process("build", "--select", UNIQUE_CALL, KNOWN_CALL, DATED_CALL, *days)

    assert set(project.failures()) == found, done.stdout


@pytest.mark.parametrize(
    ("end", "condition"), [("2026-11-03", "< '2026-11-03'"), ("2026-11-03T00:00:01", "< '2026-11-04'")]
)
def test_a_run_that_ends_within_a_day_includes_the_whole_day(
    built: Tables, project: DbtProject, end: str, condition: str
) -> None:
    window = ("--event-time-start", "2026-11-02T06:00:00", "--event-time-end", end)
    project.succeed("run", "--select", "stg_gong_call_comments", *window)

    compiled = project.compiled()["stg_gong_call_comments"]
    assert f"call_date >= '2026-11-02'::date and call_date {condition}::date" in compiled
