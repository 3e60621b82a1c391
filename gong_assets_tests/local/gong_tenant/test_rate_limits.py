"""The limits, with a clock of their own."""

from __future__ import annotations

from gong_assets.local.gong_tenant.rate_limits import DAY, RateLimits


class HandClock:
    def __init__(self, now: float = 10 * DAY) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def test_a_client_at_three_a_second_is_never_throttled() -> None:
    clock = HandClock()
    limits = RateLimits(3, 0, clock)
    for _ in range(1000):
        assert limits.acquire() is None
        clock.now += 1 / 3


def test_a_client_at_four_a_second_is_throttled_before_long() -> None:
    clock = HandClock()
    limits = RateLimits(3, 0, clock)
    waits = []
    for _ in range(100):
        waits.append(limits.acquire())
        clock.now += 1 / 4
    assert 1 in waits


def test_a_client_that_waits_as_told_is_admitted() -> None:
    clock = HandClock()
    limits = RateLimits(3, 0, clock)
    waits = [limits.acquire() for _ in range(50)]
    assert waits.count(None) == 6
    clock.now += max(wait for wait in waits if wait is not None)
    assert limits.acquire() is None


def test_the_daily_count_starts_again_when_the_day_is_over() -> None:
    clock = HandClock(10 * DAY + DAY - 100.5)
    limits = RateLimits(0, 1, clock)
    assert limits.acquire() is None
    assert limits.acquire() == 101
    clock.now += 101
    assert limits.acquire() is None


def test_a_limit_of_zero_is_no_limit() -> None:
    limits = RateLimits(0, 0, HandClock())
    assert [limits.acquire() for _ in range(10_000)] == [None] * 10_000
