"""What the checks that ask the warehouse say of calls and their transcripts."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from gong_assets.defs.checks.raw_tables import build_checks
from gong_assets.settings import Settings
from gong_assets.warehouse.connection import Warehouse
from gong_assets.warehouse.tables import CALLS, TRANSCRIPTS
from gong_assets_tests.defs.checks.landed import call, evaluations, land


def test_a_transcript_is_missed_when_the_day_of_its_call_has_been_over_for_a_day(
    warehouse: Warehouse,
) -> None:
    """A call of ten to midnight is of yesterday, and no more than minutes old, ten minutes past midnight."""
    today = datetime.now(UTC).date()
    settings = Settings(gong_transcript_retry_days=14)
    days = {age: today - timedelta(days=age) for age in (0, 1, 2, 14, 15)}
    land(warehouse, CALLS, [(day, call(age, day)) for age, day in days.items()])
    land(warehouse, TRANSCRIPTS, [])
    result = evaluations(
        warehouse, build_checks(settings), "calls_have_transcripts", "gong_call_transcripts_raw"
    )
    told = result["gong_call_transcripts_raw"].metadata
    assert told["call_ids"].value == ["2", "14"]
    assert told["no_longer_requested_ids"].value == ["15"]


@pytest.mark.parametrize(("age", "passes"), [(4, True), (5, False)])
def test_a_call_with_a_date_in_the_future_is_not_the_newest(
    warehouse: Warehouse, age: int, passes: bool
) -> None:
    newest = datetime.now(UTC).date() - timedelta(days=age)
    land(warehouse, CALLS, [(day, call(day.year, day)) for day in (newest, date(2099, 1, 1))])
    result = evaluations(warehouse, build_checks(Settings()), "calls_are_recent", "gong_calls_raw")
    told = result["gong_calls_raw"]
    assert (told.passed, told.metadata["newest_call_date"].value) == (passes, str(newest))
