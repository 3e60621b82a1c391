"""How records become rows: the day on which a record lands, and the records that do not land."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

from gong_assets.dates import DateRange
from gong_assets.gong.records import read_call, read_user
from gong_assets.ingestion.progress import progress_line
from gong_assets.ingestion.sources import Calls, to_row

MARCH_2 = DateRange(date(2026, 3, 2), date(2026, 3, 3))
MARCH = DateRange(date(2026, 3, 1), date(2026, 4, 1))


def call(**meta: Any) -> Any:
    return read_call(json.dumps({"metaData": {"id": "7", **meta}}).encode())


def source(days: DateRange = MARCH, *, include_private: bool = False) -> Calls:
    return Calls([days], include_private=include_private)


def test_a_call_lands_on_the_utc_day_of_its_start() -> None:
    row = source().row(call(started="2026-03-01T20:30:00-08:00"))
    assert row is not None
    assert (row.key, row.day, row.processing_error) == ("7", date(2026, 3, 2), None)


def test_a_private_call_is_counted_and_lands_only_if_enabled() -> None:
    private = call(started="2026-03-02T10:00:00Z", isPrivate=True)
    excluding = source()
    assert excluding.row(private) is None
    assert excluding.metadata_of_day(MARCH_2.start)["private_calls_not_landed"] == 1
    including = source(include_private=True)
    assert including.row(private) is not None
    assert including.metadata_of_day(MARCH_2.start)["private_calls_not_landed"] == 0


def test_a_call_outside_the_days_of_the_run_is_reported_and_does_not_land() -> None:
    day = source(MARCH_2)
    assert day.row(call(started="2026-03-03T00:00:00Z")) is None
    assert day.row(call(started="2026-03-02T23:59:59.999Z")) is not None
    assert day.metadata()["run/calls_outside_window"] == 1
    assert day.metadata()["run/calls_outside_window_ids"] == ["7"]


def test_a_record_without_a_valid_time_lands_on_the_first_day_with_an_error() -> None:
    row = source(MARCH_2).row(call(started="soon"))
    assert row is not None
    assert row.day == MARCH_2.start
    assert row.processing_error is not None
    assert "started" in row.processing_error


def test_a_record_without_an_id_gets_one_derived_from_its_content() -> None:
    nameless = read_user(b'{"emailAddress": "ann@seller.example"}')
    row, again = to_row(nameless, None), to_row(nameless, None)
    assert row.key.startswith("unidentified-")
    assert row == again
    assert row.processing_error is not None
    other = to_row(read_user(b'{"emailAddress": "bob@seller.example"}'), None)
    assert other.key != row.key


def test_the_json_lands_byte_for_byte() -> None:
    raw = b'{"metaData":  {"id": 12345678901234567890, "started": "2026-03-02T10:00:00Z"}, "x": 1.50}'
    row = source().row(read_call(raw))
    assert row is not None
    assert row.payload == raw
    assert row.key == "12345678901234567890"


def test_the_progress_line_omits_unknown_parts() -> None:
    assert progress_line("calls", 1200, 5000, 12.5) == "1,200 of about 5,000 calls, 96/s, 40 s left"
    assert progress_line("calls", 1200, None, 12.5) == "1,200 calls, 96/s"
    # Gong may send more records than its total.
    assert progress_line("users", 12, 10, 0.0) == "12 users, 0/s"
