"""The first partition: GONG_START_DATE, or the first call, which is looked up once and kept in the home."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gong_assets.defs import first_partition
from gong_assets.defs.first_partition import (
    including,
    is_explicit,
    look_up_first_partition,
    with_first_partition,
)
from gong_assets.settings import FIRST_POSSIBLE_CALL_DATE, Settings

FIRST_CALL = date(2024, 3, 5)


@pytest.fixture
def real(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings of a real Gong, whose first call is of FIRST_CALL."""

    async def first_call_date(*_: Any) -> date:
        return FIRST_CALL

    monkeypatch.setattr(first_partition, "first_call_date", first_call_date)
    return Settings(gong_assets_home=tmp_path, gong_access_token="t", gong_assets_target="local")


def test_the_first_call_is_the_first_partition_from_when_it_was_looked_up(real: Settings) -> None:
    assert with_first_partition(real).gong_start_date == FIRST_POSSIBLE_CALL_DATE
    assert look_up_first_partition(real) == FIRST_CALL
    kept = with_first_partition(real)
    assert kept.gong_start_date == FIRST_CALL
    assert not is_explicit(kept)


def test_the_date_of_another_gong_account_is_not_used(real: Settings) -> None:
    look_up_first_partition(real)
    other = real.model_copy(update={"gong_base_url": "https://eu.api.gong.io"})
    assert with_first_partition(other).gong_start_date == FIRST_POSSIBLE_CALL_DATE


def test_a_run_over_earlier_days_moves_the_first_partition(real: Settings) -> None:
    look_up_first_partition(real)
    assert including(real, FIRST_CALL + timedelta(days=9)).gong_start_date == FIRST_CALL
    earlier = FIRST_CALL - timedelta(days=30)
    assert including(real, earlier).gong_start_date == earlier
    assert with_first_partition(real).gong_start_date == earlier
    look_up_first_partition(real)
    assert with_first_partition(real).gong_start_date == earlier


def test_a_start_date_that_is_set_takes_precedence(real: Settings) -> None:
    look_up_first_partition(real)
    explicit = Settings(**{**real.model_dump(exclude_unset=True), "gong_start_date": date(2020, 1, 1)})
    assert with_first_partition(explicit).gong_start_date == date(2020, 1, 1)
    assert including(explicit, date(2019, 1, 1)).gong_start_date == date(2020, 1, 1)


def test_the_simulated_tenant_has_two_years_of_partitions_that_do_not_move(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(gong_assets_home=tmp_path / "home")
    first = with_first_partition(settings).gong_start_date
    assert first == datetime.now(UTC).date() - timedelta(days=730)
    monkeypatch.setattr(first_partition, "_SIMULATED_HISTORY", timedelta(days=1))
    assert with_first_partition(settings).gong_start_date == first
    # A home that cannot be written does not stop the graph from loading.
    (tmp_path / "file").touch()
    with_first_partition(Settings(gong_assets_home=tmp_path / "file"))
