"""The worker pool: how many batches run, which ones, and how they end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from gong_assets.gong import GongQuotaExhausted, GongServerError, Page, Record
from gong_assets.gong.pages.pagination import Pages
from gong_assets.gong.pages.worker_pool import MAX_WORKERS, WorkerPool, read_all, workers_needed


class StubTransport:
    """The figures that a pool takes from its transport."""

    requests_per_second = 3.0

    def __init__(self, latency: float | None = 1.0, left: int | None = None) -> None:
        self.latency = latency
        self.left = left

    def requests_expected_today(self) -> int | None:
        return self.left


def pool_of(**figures: Any) -> WorkerPool:
    transport: Any = StubTransport(**figures)
    return WorkerPool(transport)


def page(name: str, cursor: str | None = None) -> Page:
    return Page([Record(raw=name.encode(), id=name, error=None)], cursor=cursor)


def batch(
    name: str, pages: int, started: list[str], *, fails: Exception | None = None
) -> Callable[[], Pages]:
    async def read() -> Pages:
        started.append(name)
        for number in range(pages):
            await asyncio.sleep(0)
            yield page(f"{name}{number}", cursor=None if number + 1 == pages else "next")
        if fails is not None:
            raise fails

    return read


async def ids_of(pages: Pages) -> list[str | None]:
    return [record.id async for page in pages for record in page.records]


@pytest.mark.parametrize(
    ("latency", "per_second", "workers"),
    [(None, 3, 1), (0.01, 3, 1), (0.4, 3, 2), (1.0, 3, 4), (3.0, 3, 12), (1.0, 0, 8), (60, 3, MAX_WORKERS)],
)
def test_the_number_of_workers_follows_the_latency_and_the_limit(
    latency: float | None, per_second: float, workers: int
) -> None:
    assert workers_needed(latency, per_second) == workers


def test_as_many_batches_run_as_reach_the_limit() -> None:
    async def work() -> None:
        pool, started = pool_of(latency=1.0), list[str]()
        for name in "abcdef":
            pool.add(batch(name, 3, started))
        pages = pool.pages()
        await anext(pages)
        assert started == ["a", "b", "c", "d"]
        await ids_of(pages)
        assert started == list("abcdef")

    asyncio.run(work())


def test_batches_can_be_added_while_others_run_and_before_those_that_wait() -> None:
    async def work() -> None:
        pool, started = pool_of(latency=None), list[str]()

        async def read_and_add() -> Pages:
            pool.add(batch("last", 1, started))
            pool.add(batch("next", 1, started), first=True)
            yield page("first")

        pool.add(read_and_add)
        assert await ids_of(pool.pages()) == ["first", "next0", "last0"]

    asyncio.run(work())


def test_a_batch_starts_only_if_the_requests_left_today_suffice() -> None:
    async def work() -> None:
        pool, started = pool_of(latency=1.0, left=10), list[str]()
        pool.add(batch("long", 9, started), requests=9)
        pool.add(batch("longer", 12, started), requests=12)
        pool.add(batch("short", 1, started), requests=1)
        pages = pool.pages()
        await anext(pages)
        assert started == ["long", "short"]
        await ids_of(pages)
        assert started[-1] == "longer"

    asyncio.run(work())


def test_if_no_batch_can_be_finished_today_the_smallest_one_runs_alone() -> None:
    async def work() -> None:
        pool, started = pool_of(latency=1.0, left=2), list[str]()
        for name, requests in (("large", 30), ("small", 5), ("middle", 10)):
            pool.add(batch(name, 2, started), requests=requests)
        await anext(pool.pages())
        assert started == ["small"]

    asyncio.run(work())


def test_after_a_quota_stop_running_batches_yield_one_page_and_no_other_starts() -> None:
    async def work() -> None:
        pool, started = pool_of(latency=1.0), list[str]()
        stopped = pool.add(batch("a", 1, started, fails=GongQuotaExhausted("", retry_after=1)))
        running = pool.add(batch("b", 50, started))
        ending = pool.add(batch("c", 1, started))
        others = [pool.add(batch(name, 1, started)) for name in "def"]
        ids = await ids_of(pool.pages())
        assert "c0" in ids
        assert len(ids) < 12
        assert pool.quota_error is not None
        assert [each.is_complete for each in (stopped, running, ending)] == [False, False, True]
        assert not others[-1].is_complete

    asyncio.run(work())


def test_any_other_error_stops_all_batches() -> None:
    async def work() -> None:
        pool, started = pool_of(latency=1.0), list[str]()
        pool.add(batch("a", 1, started, fails=GongServerError("", status=500)))
        pool.add(batch("b", 10_000, started))
        with pytest.raises(GongServerError):
            await ids_of(pool.pages())
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(work())


def test_a_dropped_batch_stops_unless_its_page_waits_for_the_consumer() -> None:
    async def work() -> None:
        pool, started = pool_of(latency=3.0), list[str]()
        silent, answered = asyncio.Event(), pool.add(batch("answered", 1, started))

        async def read_silently() -> Pages:
            await silent.wait()
            yield page("never")

        waiting = pool.add(read_silently)
        pages = pool.pages()
        assert (await anext(pages)).records[0].id == "answered0"
        for each in (answered, waiting):
            pool.drop(each)
        assert await ids_of(pages) == []
        assert answered.is_complete
        assert not waiting.is_complete

    asyncio.run(work())


def test_a_slow_consumer_slows_the_batches_down() -> None:
    async def work() -> None:
        pool, started = pool_of(latency=1.0), list[str]()
        batches = [pool.add(batch(name, 100, started)) for name in "abcd"]
        await anext(pool.pages())
        for _ in range(1000):
            await asyncio.sleep(0)
        assert sum(each.pages_read for each in batches) <= 8

    asyncio.run(work())


def test_the_quota_error_of_several_items_has_those_that_remain_in_their_order() -> None:
    async def work() -> None:
        transport: Any = StubTransport(latency=None)
        started: list[str] = []
        fails = {"c": GongQuotaExhausted("", retry_after=1)}

        def read(item: str) -> Pages:
            return batch(item, 1, started, fails=fails.get(item))()

        with pytest.raises(GongQuotaExhausted) as caught:
            await ids_of(read_all(transport, list("abcde"), read))
        assert caught.value.remaining == ("c", "d", "e")

    asyncio.run(work())
