"""Invalid settings and windows are rejected before anything is sent."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from gong_assets.gong import GongConfig, Window
from gong_assets_tests.gong.helpers import KEY

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "changes",
    [
        {"base_url": "api.gong.io"},
        {"base_url": "ftp://api.gong.io"},
        {"base_url": "https://"},
        {"base_url": "https://key:secret@api.gong.io"},
        {"base_url": "https://api.gong.io?x=1"},
        {"max_requests_per_second": -1},
        {"max_requests_per_day": -1},
        {"read_timeout_seconds": 0},
        {"max_retry_wait_seconds": -1},
    ],
)
def test_invalid_settings_are_rejected(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(changes))) as caught:
        GongConfig(auth=KEY, **changes)
    assert "secret" not in str(caught.value)


def test_a_trailing_slash_of_the_base_url_is_ignored() -> None:
    assert GongConfig(auth=KEY, base_url="https://us-1.api.gong.io/") == GongConfig(
        auth=KEY, base_url="https://us-1.api.gong.io"
    )


def test_a_window_is_converted_to_utc() -> None:
    pacific = timezone(timedelta(hours=-7))
    window = Window(datetime(2026, 6, 1, tzinfo=pacific), datetime(2026, 6, 2, tzinfo=pacific))
    assert str(window) == "2026-06-01T07:00:00Z..2026-06-02T07:00:00Z"


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (NOON, NOON),
        (NOON, NOON - timedelta(seconds=1)),
        (NOON.replace(tzinfo=None), NOON),
        (NOON, datetime(2027, 1, 1)),
    ],
)
def test_a_window_without_length_or_time_zone_is_rejected(start: datetime, end: datetime) -> None:
    with pytest.raises(ValueError, match="window"):
        Window(start, end)
