"""The limits of a key, kept by everyone in the process who uses it."""

from __future__ import annotations

import asyncio
import threading
from datetime import UTC, datetime, timedelta

import pytest

from gong_assets.gong.auth import BasicAuth
from gong_assets.gong.clock import SYSTEM_CLOCK, Clock
from gong_assets.gong.errors import GongQuotaExhausted
from gong_assets.gong.pacer import Pacer, shared_pacer
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


def test_requests_leave_evenly_and_never_too_many_for_the_strictest_bucket() -> None:
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


def test_a_caller_that_wakes_up_late_does_not_bring_the_next_one_closer() -> None:
    clock = at("2026-06-01 12:00")
    pacer = Pacer(clock, per_second=1, per_day=0)

    async def work() -> float:
        await pacer.admit()
        clock.moment += timedelta(seconds=5)
        await pacer.admit()
        return await pacer.admit()

    assert asyncio.run(work()) >= 1


def test_a_pause_holds_everyone_and_a_shorter_one_does_not_end_it() -> None:
    pacer = Pacer(at("2026-06-01 12:00"), per_second=3, per_day=0)
    pacer.pause(30)
    pacer.pause(2)
    assert asyncio.run(pacer.admit()) == pytest.approx(30)


def test_without_a_limit_nobody_waits() -> None:
    pacer = Pacer(at("2026-06-01 12:00"), per_second=0, per_day=0)

    async def work() -> float:
        return sum([await pacer.admit() for _ in range(50)])

    assert asyncio.run(work()) == 0
    assert pacer.left_today() is None


def test_the_request_beyond_the_day_is_not_sent_and_says_when_the_day_ends() -> None:
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


def test_clients_with_one_key_share_a_pacer_and_others_do_not() -> None:
    def pacer(key: str, url: str = "https://api.gong.io", per_second: float = 3) -> Pacer:
        return shared_pacer(url, BasicAuth(key, "s"), SYSTEM_CLOCK, per_second=per_second, per_day=0)

    assert pacer("a") is pacer("a", per_second=10)
    assert pacer("a").per_second == 3
    assert pacer("a") is not pacer("b")
    assert pacer("a") is not pacer("a", url="https://us-1.api.gong.io")


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
