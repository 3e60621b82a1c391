"""The limits of a key, shared by all clients of a process and, with a file, of a machine."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gong_assets.gong.auth import BasicAuth
from gong_assets.gong.clock import SYSTEM_CLOCK, Clock
from gong_assets.gong.errors import GongQuotaExhausted
from gong_assets.gong.http.rate_limiter import SPACING, RateLimiter, shared_rate_limiter
from gong_assets.gong.http.request_budget import FileBudget
from gong_assets_tests.gong.virtual_time import LeakyBucket, VirtualClock, run


class SetClock(Clock):
    """A clock that a test sets, and that a sleep moves."""

    def __init__(self, now: datetime) -> None:
        self.moment = now

    def monotonic(self) -> float:
        return self.moment.timestamp()

    def now(self) -> datetime:
        return self.moment

    async def sleep(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)


def at(text: str) -> SetClock:
    return SetClock(datetime.fromisoformat(text).replace(tzinfo=UTC))


def test_requests_are_spaced_for_the_strictest_bucket_and_reach_the_limit_within_one_percent() -> None:
    async def work() -> list[float]:
        clock = VirtualClock()
        limiter = RateLimiter(clock, per_second=3, per_day=0)
        sent: list[float] = []

        async def client() -> None:
            for _ in range(20):
                await limiter.acquire()
                sent.append(clock.monotonic())

        await asyncio.gather(*(client() for _ in range(5)))
        return sent

    sent = run(work)
    bucket = LeakyBucket(3, room=1)
    assert all(bucket.admits(moment) for moment in sent)
    assert 99 / (sent[-1] - sent[0]) > 2.97


def test_a_late_task_does_not_shorten_the_gap_to_the_next_request() -> None:
    clock = at("2026-06-01 12:00")
    limiter = RateLimiter(clock, per_second=1, per_day=0)

    async def work() -> float:
        await limiter.acquire()
        clock.moment += timedelta(seconds=5)
        await limiter.acquire()
        return await limiter.acquire()

    assert asyncio.run(work()) >= 1


def test_a_shorter_pause_does_not_end_a_longer_one() -> None:
    limiter = RateLimiter(at("2026-06-01 12:00"), per_second=3, per_day=0)
    limiter.pause(30)
    limiter.pause(2)
    assert asyncio.run(limiter.acquire()) == pytest.approx(30)


def test_without_limits_no_request_waits() -> None:
    limiter = RateLimiter(at("2026-06-01 12:00"), per_second=0, per_day=0)

    async def work() -> float:
        return sum([await limiter.acquire() for _ in range(50)])

    assert asyncio.run(work()) == 0
    assert limiter.requests_left_today() is None


def test_a_request_beyond_the_daily_limit_raises_with_the_end_of_the_day() -> None:
    clock = at("2026-06-01 23:00")
    limiter = RateLimiter(clock, per_second=0, per_day=2)

    async def work() -> None:
        await limiter.acquire()
        await limiter.acquire()
        with pytest.raises(GongQuotaExhausted) as caught:
            await limiter.acquire()
        assert caught.value.retry_after == 3600
        assert limiter.requests_left_today() == 0
        clock.moment += timedelta(hours=1)
        assert limiter.requests_left_today() == 2
        await limiter.acquire()
        assert limiter.requests_left_today() == 1

    asyncio.run(work())


def test_all_requests_are_refused_until_gongs_quota_is_renewed() -> None:
    clock = at("2026-06-01 12:00")
    limiter = RateLimiter(clock, per_second=3, per_day=100)

    async def work() -> None:
        await limiter.acquire()
        limiter.block_until(clock.now() + timedelta(seconds=7200))
        limiter.block_until(clock.now() + timedelta(seconds=600))
        clock.moment += timedelta(hours=1)
        for _ in range(2):
            with pytest.raises(GongQuotaExhausted, match="exhausted until 2026-06-01 14:00 UTC") as caught:
                await limiter.acquire()
            assert caught.value.retry_after == pytest.approx(3600)
        assert limiter.requests_left_today() == 0
        clock.moment += timedelta(hours=1)
        assert limiter.requests_left_today() == 99
        assert await limiter.acquire() == 0

    asyncio.run(work())


def limiters(
    file: Path, clocks: Sequence[Clock], per_second: float = 3, per_day: int = 0
) -> list[RateLimiter]:
    """Return limiters as of different processes: they have only the file in common."""
    return [RateLimiter(clock, FileBudget(file), per_second=per_second, per_day=per_day) for clock in clocks]


def test_limiters_that_share_a_file_keep_the_limit_together(tmp_path: Path) -> None:
    async def work() -> list[float]:
        clock = VirtualClock()
        sent: list[float] = []

        async def process(limiter: RateLimiter) -> None:
            for _ in range(40):
                await limiter.acquire()
                sent.append(clock.monotonic())

        await asyncio.gather(*map(process, limiters(tmp_path / "state.json", [clock] * 3)))
        return sent

    sent = run(work)
    bucket = LeakyBucket(3, room=1)
    assert all(bucket.admits(moment) for moment in sent)
    assert 119 / (sent[-1] - sent[0]) > 2.97


def test_limiters_that_share_a_file_share_counts_pauses_and_the_exhausted_quota(tmp_path: Path) -> None:
    clock = at("2026-06-01 12:00")
    one, other = limiters(tmp_path / "state.json", [clock] * 2, per_day=3)

    async def work() -> None:
        await one.acquire()
        one.pause(100)
        assert await other.acquire() == pytest.approx(100)
        other.block_until(clock.now() + timedelta(seconds=5000))
        with pytest.raises(GongQuotaExhausted, match="quota is exhausted"):
            await one.acquire()
        clock.moment += timedelta(seconds=5000)
        await one.acquire()
        with pytest.raises(GongQuotaExhausted, match="daily limit of 3"):
            await other.acquire()
        assert one.requests_left_today() == other.requests_left_today() == 0
        clock.moment += timedelta(hours=12)
        assert one.requests_left_today() == 3

    asyncio.run(work())


def test_a_new_process_continues_the_count_of_the_last_one(tmp_path: Path) -> None:
    clock = at("2026-06-01 12:00")

    async def work() -> None:
        for left in (4, 3, 2):
            [limiter] = limiters(tmp_path / "state.json", [clock], per_day=5)
            await limiter.acquire()
            assert limiter.requests_left_today() == left

    asyncio.run(work())


@pytest.mark.parametrize("back", [timedelta(hours=1), timedelta(days=3650)])
def test_a_clock_that_is_set_back_causes_no_extra_wait(back: timedelta, tmp_path: Path) -> None:
    clock = at("2026-06-01 12:00")

    async def work() -> None:
        [limiter] = limiters(tmp_path / "state.json", [clock])
        await limiter.acquire()
        clock.moment -= back
        [limiter] = limiters(tmp_path / "state.json", [clock])
        assert await limiter.acquire() < 1
        limiter.block_until(clock.now() + timedelta(seconds=3600))
        clock.moment -= back
        for _ in range(2):
            with pytest.raises(GongQuotaExhausted) as caught:
                await limiter.acquire()
            assert caught.value.retry_after == pytest.approx(3600)
        await clock.sleep(3600)
        await limiter.acquire()

    asyncio.run(work())


def test_a_state_from_the_far_future_blocks_for_a_day_at_most(tmp_path: Path) -> None:
    clock = at("2026-06-01 12:00")
    file = tmp_path / "state.json"
    file.write_text('{"free_at": 9e12, "exhausted_until": 9e12, "changed_at": 1.0}')

    async def work() -> None:
        [limiter] = limiters(file, [clock])
        with pytest.raises(GongQuotaExhausted) as caught:
            await limiter.acquire()
        assert caught.value.retry_after <= 86_400
        await clock.sleep(caught.value.retry_after)
        assert await limiter.acquire() <= 3600

    asyncio.run(work())


def test_a_limit_of_less_than_one_request_an_hour_is_kept(tmp_path: Path) -> None:
    [limiter] = limiters(tmp_path / "state.json", [at("2026-06-01 12:00")], per_second=1 / 7200)

    async def work() -> float:
        await limiter.acquire()
        return await limiter.acquire()

    assert 7200 < asyncio.run(work()) <= 7200 * SPACING


def test_without_limits_no_file_is_written(tmp_path: Path) -> None:
    [limiter] = limiters(tmp_path / "state.json", [at("2026-06-01 12:00")], per_second=0)

    async def work() -> None:
        await limiter.acquire()
        limiter.record_sent()
        limiter.pause(1)
        limiter.block_until(datetime(2026, 6, 1, 13, tzinfo=UTC))
        assert limiter.requests_left_today() == 0

    asyncio.run(work())
    assert list(tmp_path.iterdir()) == []


def test_a_late_request_does_not_delay_those_behind_it() -> None:
    """Timers fire late, by a millisecond or two.

    The gap to the next request is shorter then, within the limit.
    """
    clock = at("2026-06-01 12:00")
    limiter = RateLimiter(clock, per_second=3, per_day=0)
    sent: list[float] = []

    async def work() -> None:
        for _ in range(300):
            await limiter.acquire()
            clock.moment += timedelta(milliseconds=2)
            sent.append(clock.monotonic())
            limiter.record_sent(0.002)

    asyncio.run(work())
    assert 2.97 < 299 / (sent[-1] - sent[0]) < 3


def test_a_connection_that_takes_long_delays_the_next_request() -> None:
    clock = at("2026-06-01 12:00")
    limiter = RateLimiter(clock, per_second=3, per_day=0)

    async def work() -> float:
        await limiter.acquire()
        clock.moment += timedelta(seconds=10)
        limiter.record_sent()
        return await limiter.acquire()

    assert asyncio.run(work()) > 1 / 3


def test_the_quota_of_the_last_refusal_is_expected_until_more_is_allowed() -> None:
    clock = at("2026-06-01 12:00")
    limiter = RateLimiter(clock, per_second=0, per_day=0)

    async def work() -> None:
        assert limiter.requests_expected_today() is None
        for _ in range(3):
            await limiter.acquire()
        limiter.block_until(clock.now() + timedelta(hours=12))
        assert limiter.requests_expected_today() == 0
        await clock.sleep(12 * 3600)
        assert limiter.requests_left_today() is None
        for left in (3, 2, 1):
            assert limiter.requests_expected_today() == left
            await limiter.acquire()
        assert limiter.requests_expected_today() is None

    asyncio.run(work())


def test_clients_with_the_same_key_and_host_share_a_limiter() -> None:
    def limiter(key: str, url: str = "https://api.gong.io", per_second: float = 3) -> RateLimiter:
        return shared_rate_limiter(url, BasicAuth(key, "s"), SYSTEM_CLOCK, per_second=per_second, per_day=0)

    assert limiter("a") is limiter("a", per_second=10)
    assert limiter("a").per_second == 3
    assert limiter("a") is not limiter("b")
    assert limiter("a") is not limiter("a", url="https://us-1.api.gong.io")


def test_clients_with_the_same_key_and_directory_share_a_limiter(tmp_path: Path) -> None:
    def limiter(directory: Path | None) -> RateLimiter:
        return shared_rate_limiter(
            *("https://api.gong.io", BasicAuth("k", "s"), SYSTEM_CLOCK),
            per_second=3,
            per_day=0,
            state_directory=directory,
        )

    assert limiter(tmp_path) is limiter(tmp_path)
    assert limiter(tmp_path) is not limiter(tmp_path / "other")
    assert limiter(tmp_path) is not limiter(None)


def test_threads_keep_the_limit_together() -> None:
    clock = at("2026-06-01 12:00")
    limiter = RateLimiter(clock, per_second=0, per_day=100)
    refused: list[GongQuotaExhausted] = []

    def work() -> None:
        for _ in range(30):
            try:
                asyncio.run(limiter.acquire())
            except GongQuotaExhausted as error:
                refused.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 20
