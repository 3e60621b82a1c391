"""The arithmetic of chains: how many, at what expense, and where."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from gong_assets.gong.pages.splits import Gap, chains_needed, new_starts, requests_planned, splits_allowed

MONDAY = datetime(2026, 6, 1, tzinfo=UTC)
FRIDAY = MONDAY + timedelta(days=4)


def gap(left: int, *, days: float = 4, begin: datetime = MONDAY) -> Gap:
    return Gap(begin, begin, begin + timedelta(days=days), 0, left)


def test_chains_follow_the_latency_and_the_limit() -> None:
    assert chains_needed(None, 3) == 1
    assert chains_needed(0.01, 3) == 1
    assert chains_needed(1.0, 3) == 4
    assert chains_needed(3.0, 3) == 12
    assert chains_needed(1.0, 0) == 8


def test_planned_requests_are_those_of_each_part() -> None:
    assert requests_planned([1000]) == 10
    assert requests_planned([1001]) == 11
    assert requests_planned([1000, 400]) == 7 + 4
    assert requests_planned([1000, 450]) == 6 + 5
    assert requests_planned([1000, 0]) == 10 + 1
    assert requests_planned([0]) == 1


@given(
    suffixes=st.lists(st.integers(0, 5000), min_size=1, max_size=8).map(
        lambda each: sorted(each, reverse=True)
    ),
    index=st.integers(0, 7),
    share=st.floats(0, 1),
)
def test_a_new_chain_adds_at_most_one_request(suffixes: list[int], index: int, share: float) -> None:
    index %= len(suffixes)
    following = suffixes[index + 1] if index + 1 < len(suffixes) else 0
    entered = int(following + share * (suffixes[index] - following))
    more = [*suffixes[: index + 1], entered, *suffixes[index + 1 :]]
    assert requests_planned(suffixes) <= requests_planned(more) <= requests_planned(suffixes) + 1


def test_a_chain_on_its_way_counts_as_one_that_will_cost_a_request() -> None:
    assert splits_allowed([1000], unknown=0, chains=4) == 4
    assert splits_allowed([1000], unknown=3, chains=4) == 1


def test_the_largest_gap_is_divided_into_equal_parts() -> None:
    assert new_starts([gap(1000), gap(9000, begin=MONDAY + timedelta(days=7))], 3) == [
        MONDAY + timedelta(days=7 + part, seconds=1) for part in (1, 2, 3)
    ]


def test_a_weekend_holds_less_than_working_days() -> None:
    (start,) = new_starts([gap(1000, days=4, begin=FRIDAY)], 1)
    assert FRIDAY + timedelta(hours=24) < start < FRIDAY + timedelta(days=3)


def test_calls_much_closer_together_so_far_are_expected_to_end_early() -> None:
    read = Gap(MONDAY, MONDAY + timedelta(hours=1), MONDAY + timedelta(days=4), 100, 400)
    assert all(start < MONDAY + timedelta(days=1, hours=12) for start in new_starts([read], 3))


def test_what_is_one_page_or_one_second_is_not_divided() -> None:
    assert new_starts([gap(100)], 3) == []
    assert new_starts([gap(1000, days=1 / 86400)], 3) == []
    assert new_starts([], 3) == []
    assert len(new_starts([gap(250)], 8)) == 2


@given(
    spans=st.lists(st.tuples(st.integers(-100, 5_000_000), st.integers(-50, 5000)), max_size=5),
    count=st.integers(-2, 15),
)
def test_starts_are_whole_seconds_strictly_within_their_gaps(
    spans: list[tuple[int, int]], count: int
) -> None:
    gaps = [gap(left, days=seconds / 86400) for seconds, left in spans]
    starts = new_starts(gaps, count)
    assert len(starts) <= max(0, count)
    for start in starts:
        assert start.microsecond == 0
        assert any(each.begin < start < each.end for each in gaps)
