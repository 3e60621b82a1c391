"""Rate limits, with a manual clock."""

from __future__ import annotations

from gong_assets.local.gong_tenant.rate_limits import DAY, RateLimits


class HandClock:
    def __init__(self, now: float = 10 * DAY) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def test_three_requests_per_second_are_never_throttled() -> None:
    clock = HandClock()
    limits = RateLimits(3, 0, clock)
    for _ in range(1000):
        assert limits.acquire() is None
        clock.now += 1 / 3


def test_four_requests_per_second_are_throttled() -> None:
    clock = HandClock()
    limits = RateLimits(3, 0, clock)
    waits = []
    for _ in range(100):
        waits.append(limits.acquire())
        clock.now += 1 / 4
    assert 1 in waits


def test_a_client_that_waits_as_instructed_is_accepted() -> None:
    clock = HandClock()
    limits = RateLimits(3, 0, clock)
    waits = [limits.acquire() for _ in range(50)]
    assert waits.count(None) == 6
    clock.now += max(wait for wait in waits if wait is not None)
    assert limits.acquire() is None


def test_the_daily_count_is_reset_at_the_end_of_the_day() -> None:
    clock = HandClock(10 * DAY + DAY - 100.5)
    limits = RateLimits(0, 1, clock)
    assert limits.acquire() is None
    assert limits.acquire() == 101
    clock.now += 101
    assert limits.acquire() is None


def test_zero_means_no_limit() -> None:
    limits = RateLimits(0, 0, HandClock())
    assert [limits.acquire() for _ in range(10_000)] == [None] * 10_000
