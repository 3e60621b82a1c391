"""The result cache."""

from __future__ import annotations

import pyarrow as pa

from gong_assets.local.snowflake.storage.result_cache import MAX_BYTES, MAX_RESULTS, ResultCache

SMALL = (pa.table({"n": [1]}), 1, "select 1", None, None)


def test_the_oldest_results_are_evicted() -> None:
    cache = ResultCache()
    for position in range(MAX_RESULTS + 5):
        cache[f"fakesnow {position}"] = SMALL
        cache.rename(f"query {position}", f"fakesnow {position}", [("N", "BIGINT")])

    assert len(cache) == MAX_RESULTS
    assert "query 4" not in cache
    assert cache.columns("query 5") == [("N", "BIGINT")]


def test_a_result_larger_than_the_cache_is_not_kept() -> None:
    cache = ResultCache()
    large = pa.table({"x": pa.array([bytes(MAX_BYTES + 1)], pa.large_binary())})

    cache["fakesnow"] = (large, 1, "select", None, None)
    cache.rename("query", "fakesnow", [])

    assert len(cache) == 0
