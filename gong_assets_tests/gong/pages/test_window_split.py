"""The plan for splitting a window, and the forecast of where its calls lie."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gong_assets.gong import Window
from gong_assets.gong.pages.window_forecast import Forecast, split
from gong_assets.gong.pages.window_split import (
    MAX_PAGES,
    Pace,
    SplitPlan,
    SubWindow,
    max_requests,
    pages_of,
)

MONDAY = datetime(2026, 6, 1, tzinfo=UTC)
DAY = timedelta(days=1)
LATER = MONDAY + 1000 * DAY
FAST = Pace(latency=0.2, capacity=3, workers=1, requests_left=None)
MEDIUM = Pace(latency=1.0, capacity=3, workers=4, requests_left=None)
SLOW = Pace(latency=3.0, capacity=3, workers=12, requests_left=None)


def days(count: float, start: datetime = MONDAY) -> Window:
    return Window(start, start + count * DAY)


def counted(count: int) -> SubWindow:
    return SubWindow(days(1), count=count)


def parts(count: int, pace: Pace, others: Sequence[SubWindow] = (), total: int | None = None) -> int:
    return SplitPlan(total or count).parts(counted(count), others, pace)


def test_a_list_takes_a_request_for_each_hundred_calls_and_one_if_it_is_empty() -> None:
    assert [pages_of(calls) for calls in (0, 1, 100, 101, 250.5)] == [1, 1, 1, 2, 3]


def test_the_bound_is_ten_extra_requests_and_more_for_large_windows_only() -> None:
    assert max_requests(0) == 11
    assert max_requests(36_500) == 375
    assert max_requests(100_000) == 1025


@pytest.mark.parametrize(
    ("pages", "pace", "expected"),
    [
        (1, SLOW, 1),
        (2, MEDIUM, 1),
        (66, FAST, 1),
        (66, MEDIUM, 4),
        (66, SLOW, 10),
        (365, FAST, 8),
        (365, MEDIUM, 8),
        (365, SLOW, 10),
    ],
)
def test_a_window_is_split_into_as_many_lists_as_reach_the_limit(
    pages: int, pace: Pace, expected: int
) -> None:
    assert parts(pages * 100, pace) == expected


def test_a_large_window_is_split_into_lists_of_limited_length() -> None:
    assert parts(1_500_000, MEDIUM) == ceil(15_000 / MAX_PAGES)


def test_a_sub_window_is_split_only_if_it_takes_longer_than_everything_else() -> None:
    others = [counted(1000), counted(1000), counted(1000)]
    assert parts(1000, MEDIUM, others, total=4000) == 1
    assert parts(3000, MEDIUM, [counted(300), counted(300), counted(400)], total=4000) > 1


def test_sub_windows_without_a_count_may_waste_a_request_each() -> None:
    uncounted = [SubWindow(days(1), expected=30.0) for _ in range(7)]
    assert parts(4000, SLOW, uncounted, total=4210) == 3
    plan = SplitPlan(4210)
    assert plan.parts(counted(4000), uncounted, SLOW, optimistic=True) == 10


def test_sub_windows_that_are_too_large_share_the_requests_that_the_bound_allows() -> None:
    alone = parts(4000, SLOW, [counted(20), counted(20)], total=4040)
    both = parts(2000, SLOW, [counted(2000), counted(40)], total=4040)
    assert alone == 9
    assert both == 5


def test_pages_that_were_read_in_vain_count() -> None:
    assert SplitPlan(6600, pages_discarded=4).parts(counted(6600), [], SLOW) == 6


def test_before_the_daily_limit_some_parts_are_small_enough_to_be_finished() -> None:
    pace = Pace(latency=1.0, capacity=3, workers=4, requests_left=20)
    assert parts(30_000, pace) >= 300 / 10
    enough = Pace(latency=1.0, capacity=3, workers=4, requests_left=500)
    assert parts(30_000, enough) == parts(30_000, MEDIUM)


@given(
    counts=st.lists(st.integers(0, 3000), min_size=1, max_size=12),
    uncounted=st.integers(0, 5),
    discarded=st.integers(0, 5),
)
def test_the_bound_holds_whatever_the_counts_of_the_parts_are(
    counts: list[int], uncounted: int, discarded: int
) -> None:
    """The worst parts have one call on their last page, or none at all."""
    first, *others = counts
    rest = uncounted * 70
    total = sum(counts) + rest
    plan = SplitPlan(total, pages_discarded=discarded)
    lists = [*map(counted, others), *(SubWindow(days(1), expected=70.0) for _ in range(uncounted))]
    number = plan.parts(counted(first), lists, SLOW)
    if number < 2:
        return
    worst = ceil((first + rest) / 100) + number + uncounted - 1
    planned = discarded + 1 + sum(pages_of(count) for count in others) + worst
    assert planned <= max_requests(total)


def test_calls_are_expected_evenly_over_working_days() -> None:
    windows = split(Forecast(days(28), 2800, [], LATER), days(28), 4)
    assert [window.start for window in windows] == [MONDAY + week * 7 * DAY for week in range(4)]


def test_a_day_of_the_weekend_counts_less_than_a_working_day() -> None:
    friday = MONDAY + 4 * DAY
    first, _ = split(Forecast(days(4, friday), 400, [], LATER), days(4, friday), 2)
    assert friday + DAY < first.end < friday + 3 * DAY


def test_borders_are_at_midnight_where_that_changes_little() -> None:
    for window in split(Forecast(days(365), 36_500, [], LATER), days(365), 10):
        assert window.start.hour == window.start.minute == window.start.second == 0


def starts(begin: datetime, gap: timedelta, count: int = 100) -> list[datetime]:
    return [begin + number * gap for number in range(count)]


def test_a_burst_at_the_end_of_the_first_page_is_split_within_itself() -> None:
    nine = MONDAY + timedelta(hours=9)
    page = [*starts(MONDAY, timedelta(hours=1), 9), *starts(nine, timedelta(seconds=4), 91)]
    forecast = Forecast(days(10), 4000, page, LATER)
    borders = [window.start for window in split(forecast, days(10), 5)[1:]]
    assert forecast.is_clear
    assert all(nine < border < nine + timedelta(hours=5) for border in borders)


def test_a_sparse_first_page_of_many_calls_does_not_show_where_they_are() -> None:
    assert not Forecast(days(30), 4600, starts(MONDAY, timedelta(hours=1)), LATER).is_clear
    assert Forecast(days(30), 660, starts(MONDAY, timedelta(hours=1)), LATER).is_clear


def test_a_page_that_is_not_in_order_shows_nothing() -> None:
    page = starts(MONDAY, timedelta(seconds=1))
    shuffled = [*page[50:], *page[:50]]
    without = split(Forecast(days(10), 4000, [], LATER), days(10), 5)
    assert split(Forecast(days(10), 4000, shuffled, LATER), days(10), 5) == without


def test_no_calls_are_expected_in_the_future() -> None:
    now = MONDAY + 10 * DAY
    windows = split(Forecast(days(100), 1000, [], now), days(100), 5)
    assert all(window.start < now for window in windows)
    assert windows[-1].end == MONDAY + 100 * DAY


@given(
    seconds=st.integers(1, 5_000_000),
    gaps=st.lists(st.integers(0, 100_000), max_size=100),
    count=st.integers(0, 100_000),
    number=st.integers(1, 20),
    part=st.tuples(st.floats(0, 1), st.floats(0, 1)),
    latest=st.integers(-100_000, 6_000_000),
)
def test_the_windows_of_a_split_cover_it_in_whole_seconds(
    seconds: int, gaps: list[int], count: int, number: int, part: tuple[float, float], latest: int
) -> None:
    whole = Window(MONDAY, MONDAY + timedelta(seconds=seconds))
    page, moment = [], MONDAY
    for gap in gaps:
        moment += timedelta(seconds=gap)
        page.append(moment)
    forecast = Forecast(whole, count, page, MONDAY + timedelta(seconds=latest))
    begin, end = (MONDAY + timedelta(seconds=int(seconds * share)) for share in sorted(part))
    window = Window(begin, max(end, begin + timedelta(seconds=1)))
    windows = split(forecast, window, number)
    assert 1 <= len(windows) <= number
    assert (windows[0].start, windows[-1].end) == (window.start, window.end)
    assert all(one.end == other.start for one, other in pairwise(windows))
    assert all(each.start.microsecond == 0 for each in windows)
