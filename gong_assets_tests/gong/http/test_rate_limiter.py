"""The limits of a key, kept by everyone in the process, and with a file on the machine, who uses it."""

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
from gong_assets.gong.http.rate_limiter import PATIENCE, SPACING, Pacer, Turns, shared_pacer, urgency
from gong_assets.gong.http.request_budget import FileLedger
from gong_assets_tests.gong.virtual_time import LeakyBucket, VirtualClock, run


class SetClock(Clock):
    """Stands where it is put, and moves by sleeping."""

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
        pacer = Pacer(clock, per_second=3, per_day=0)
        sent: list[float] = []

        async def client() -> None:
            for _ in range(20):
                await pacer.admit()
                sent.append(clock.monotonic())

        await asyncio.gather(*(client() for _ in range(5)))
        return sent

    sent = run(work)
    bucket = LeakyBucket(3, room=1)
    assert all(bucket.admits(moment) for moment in sent)
    assert 99 / (sent[-1] - sent[0]) > 2.95


def test_a_late_task_does_not_shorten_the_gap_to_the_next_request() -> None:
    clock = at("2026-06-01 12:00")
    pacer = Pacer(clock, per_second=1, per_day=0)

    async def work() -> float:
        await pacer.admit()
        clock.moment += timedelta(seconds=5)
        await pacer.admit()
        return await pacer.admit()

    assert asyncio.run(work()) >= 1


def test_a_shorter_pause_does_not_end_a_longer_one() -> None:
    pacer = Pacer(at("2026-06-01 12:00"), per_second=3, per_day=0)
    pacer.pause(30)
    pacer.pause(2)
    assert asyncio.run(pacer.admit()) == pytest.approx(30)


def test_without_limits_no_request_waits() -> None:
    pacer = Pacer(at("2026-06-01 12:00"), per_second=0, per_day=0)

    async def work() -> float:
        return sum([await pacer.admit() for _ in range(50)])

    assert asyncio.run(work()) == 0
    assert pacer.left_today() is None


def test_a_request_beyond_the_daily_limit_raises_with_the_end_of_the_day() -> None:
    clock = at("2026-06-01 23:00")
    pacer = Pacer(clock, per_second=0, per_day=2)

    async def work() -> None:
        await pacer.admit()
        await pacer.admit()
        with pytest.raises(GongQuotaExhausted) as caught:
            await pacer.admit()
        assert caught.value.retry_after == 3600
        assert pacer.left_today() == 0
        clock.moment += timedelta(hours=1)
        assert pacer.left_today() == 2
        await pacer.admit()
        assert pacer.left_today() == 1

    asyncio.run(work())


def test_all_requests_are_refused_until_gongs_quota_is_renewed() -> None:
    clock = at("2026-06-01 12:00")
    pacer = Pacer(clock, per_second=3, per_day=100)

    async def work() -> None:
        await pacer.admit()
        pacer.exhaust(7200)
        pacer.exhaust(600)
        clock.moment += timedelta(hours=1)
        for _ in range(2):
            with pytest.raises(GongQuotaExhausted, match="spent until 2026-06-01 14:00 UTC") as caught:
                await pacer.admit()
            assert caught.value.retry_after == pytest.approx(3600)
        assert pacer.left_today() == 0
        clock.moment += timedelta(hours=1)
        assert pacer.left_today() == 99
        assert await pacer.admit() == 0

    asyncio.run(work())


def pacers(file: Path, clocks: Sequence[Clock], per_second: float = 3, per_day: int = 0) -> list[Pacer]:
    """Each as in a process of its own: they have nothing in common but the file."""
    return [Pacer(clock, FileLedger(file), per_second=per_second, per_day=per_day) for clock in clocks]


def test_limiters_that_share_a_file_keep_the_limit_together(tmp_path: Path) -> None:
    async def work() -> list[float]:
        clock = VirtualClock()
        sent: list[float] = []

        async def process(pacer: Pacer) -> None:
            for _ in range(40):
                await pacer.admit()
                sent.append(clock.monotonic())

        await asyncio.gather(*map(process, pacers(tmp_path / "state.json", [clock] * 3)))
        return sent

    sent = run(work)
    bucket = LeakyBucket(3, room=1)
    assert all(bucket.admits(moment) for moment in sent)
    assert 119 / (sent[-1] - sent[0]) > 2.95


def test_limiters_that_share_a_file_share_counts_pauses_and_the_exhausted_quota(tmp_path: Path) -> None:
    clock = at("2026-06-01 12:00")
    one, other = pacers(tmp_path / "state.json", [clock] * 2, per_day=3)

    async def work() -> None:
        await one.admit()
        one.pause(100)
        assert await other.admit() == pytest.approx(100)
        other.exhaust(5000)
        with pytest.raises(GongQuotaExhausted, match="quota is spent"):
            await one.admit()
        clock.moment += timedelta(seconds=5000)
        await one.admit()
        with pytest.raises(GongQuotaExhausted, match="daily limit of 3"):
            await other.admit()
        assert one.left_today() == other.left_today() == 0
        clock.moment += timedelta(hours=12)
        assert one.left_today() == 3

    asyncio.run(work())


def test_a_new_process_continues_the_count_of_the_last_one(tmp_path: Path) -> None:
    clock = at("2026-06-01 12:00")

    async def work() -> None:
        for left in (4, 3, 2):
            [pacer] = pacers(tmp_path / "state.json", [clock], per_day=5)
            await pacer.admit()
            assert pacer.left_today() == left

    asyncio.run(work())


@pytest.mark.parametrize("back", [timedelta(hours=1), timedelta(days=3650)])
def test_a_clock_that_is_set_back_causes_no_extra_wait(back: timedelta, tmp_path: Path) -> None:
    clock = at("2026-06-01 12:00")

    async def work() -> None:
        [pacer] = pacers(tmp_path / "state.json", [clock])
        await pacer.admit()
        clock.moment -= back
        [pacer] = pacers(tmp_path / "state.json", [clock])
        assert await pacer.admit() < 1
        pacer.exhaust(3600)
        clock.moment -= back
        for _ in range(2):
            with pytest.raises(GongQuotaExhausted) as caught:
                await pacer.admit()
            assert caught.value.retry_after == pytest.approx(3600)
        await clock.sleep(3600)
        await pacer.admit()

    asyncio.run(work())


def test_a_state_from_the_far_future_blocks_for_a_day_at_most(tmp_path: Path) -> None:
    clock = at("2026-06-01 12:00")
    file = tmp_path / "state.json"
    file.write_text('{"free_at": 9e12, "exhausted_until": 9e12, "changed_at": 1.0}')

    async def work() -> None:
        [pacer] = pacers(file, [clock])
        with pytest.raises(GongQuotaExhausted) as caught:
            await pacer.admit()
        assert caught.value.retry_after <= 86_400
        await clock.sleep(caught.value.retry_after)
        assert await pacer.admit() <= 3600

    asyncio.run(work())


def test_a_limit_of_less_than_one_request_an_hour_is_kept(tmp_path: Path) -> None:
    [pacer] = pacers(tmp_path / "state.json", [at("2026-06-01 12:00")], per_second=1 / 7200)

    async def work() -> float:
        await pacer.admit()
        return await pacer.admit()

    assert asyncio.run(work()) == pytest.approx(7200 * SPACING)


def test_without_limits_no_file_is_written(tmp_path: Path) -> None:
    [pacer] = pacers(tmp_path / "state.json", [at("2026-06-01 12:00")], per_second=0)

    async def work() -> None:
        await pacer.admit()
        pacer.sent()
        pacer.pause(1)
        pacer.exhaust(1000)
        assert pacer.left_today() == 0

    asyncio.run(work())
    assert list(tmp_path.iterdir()) == []


def test_who_has_the_most_before_them_goes_first_and_nobody_is_forgotten() -> None:
    async def work() -> list[str]:
        turns, gone = Turns(), list[str]()

        async def go(name: str, before: float, times: int) -> None:
            urgency.set(lambda: before)
            for _ in range(times):
                async with turns.turn():
                    gone.append(name)
                    await asyncio.sleep(1)

        async with asyncio.TaskGroup() as group:
            for name, before, times in [
                ("first", 0, 1),
                ("small", 1, 1),
                ("large", 9, 20),
                ("larger", 10, 20),
            ]:
                group.create_task(go(name, before, times))
        return gone

    gone = run(work)
    assert gone[:3] == ["first", "larger", "large"]
    assert gone.index("small") == 1 + PATIENCE
    assert len(gone) == 42


@pytest.mark.parametrize("late", [False, True])
def test_a_task_that_is_cancelled_while_it_waits_holds_up_nobody(late: bool) -> None:
    """Also when it was called already."""

    async def work() -> list[str]:
        turns, gone = Turns(), list[str]()

        async def go(name: str) -> None:
            async with turns.turn():
                gone.append(name)
                await asyncio.sleep(1)
                if late and name == "first":
                    asyncio.get_running_loop().call_soon(cancelled.cancel)

        first, cancelled, last = (asyncio.create_task(go(name)) for name in ("first", "cancelled", "last"))
        await asyncio.sleep(0.5)
        if not late:
            cancelled.cancel()
        await asyncio.wait_for(asyncio.gather(first, last), 10)
        assert cancelled.cancelled()
        return gone

    assert run(work) == ["first", "last"]


def test_clients_with_the_same_key_and_host_share_a_limiter() -> None:
    def pacer(key: str, url: str = "https://api.gong.io", per_second: float = 3) -> Pacer:
        return shared_pacer(url, BasicAuth(key, "s"), SYSTEM_CLOCK, per_second=per_second, per_day=0)

    assert pacer("a") is pacer("a", per_second=10)
    assert pacer("a").per_second == 3
    assert pacer("a") is not pacer("b")
    assert pacer("a") is not pacer("a", url="https://us-1.api.gong.io")


def test_clients_with_the_same_key_and_directory_share_a_limiter(tmp_path: Path) -> None:
    def pacer(directory: Path | None) -> Pacer:
        return shared_pacer(
            *("https://api.gong.io", BasicAuth("k", "s"), SYSTEM_CLOCK),
            per_second=3,
            per_day=0,
            state_directory=directory,
        )

    assert pacer(tmp_path) is pacer(tmp_path)
    assert pacer(tmp_path) is not pacer(tmp_path / "other")
    assert pacer(tmp_path) is not pacer(None)


def test_threads_keep_the_limit_together() -> None:
    clock = at("2026-06-01 12:00")
    pacer = Pacer(clock, per_second=0, per_day=100)
    refused: list[GongQuotaExhausted] = []

    def work() -> None:
        for _ in range(30):
            try:
                asyncio.run(pacer.admit())
            except GongQuotaExhausted as error:
                refused.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 20
