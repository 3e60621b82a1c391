"""Which faults are retried, and after how long."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from gong_assets.gong.errors import (
    GongAuthenticationError,
    GongBadRequestError,
    GongConnectionError,
    GongCursorError,
    GongError,
    GongRateLimitedError,
    GongServerError,
)
from gong_assets.gong.http.error_mapping import seconds_after
from gong_assets.gong.http.retry import RetryPolicy

POLICY = RetryPolicy()
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


def waits(error: GongError, jitter: float = 1.0) -> list[float]:
    """Return all waits until the policy gives up."""
    found: list[float] = []
    while (wait := POLICY.wait(error, attempt=len(found) + 1, jitter=jitter)) is not None:
        found.append(wait)
    return found


def test_waits_double_up_to_the_longest_wait() -> None:
    assert waits(GongServerError("", status=503)) == [1, 2, 4, 8, 16]
    unknown = GongRateLimitedError("", status=429)
    assert waits(unknown) == [1, 2, 4, 8, 16, 30, 30, 30, 30]


def test_jitter_shortens_a_wait_by_at_most_half() -> None:
    assert waits(GongServerError("", status=500), jitter=0.0) == [0.5, 1, 2, 4, 8]


def test_a_retry_after_is_waited_for_exactly() -> None:
    assert set(waits(GongRateLimitedError("", status=429, retry_after=17.0))) == {17.0}


def test_a_retry_after_beyond_the_limit_is_not_retried() -> None:
    assert waits(GongRateLimitedError("", status=429, retry_after=301.0)) == []


@pytest.mark.parametrize(
    "error",
    [
        GongBadRequestError("", status=400),
        GongAuthenticationError("", status=401),
        GongCursorError(""),
        GongConnectionError("", host="api.gong.io", fault="tls"),
    ],
)
def test_permanent_errors_are_not_retried(error: GongError) -> None:
    assert waits(error) == []


def test_an_unknown_host_is_tried_three_times() -> None:
    assert len(waits(GongConnectionError("", host="api.gong.io", fault="dns"))) == 2


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("5", 5.0),
        ("0", 0.0),
        ("-3", 0.0),
        ("1.5", 1.5),
        ("Mon, 01 Jun 2026 12:01:00 GMT", 60.0),
        ("Mon, 01 Jun 2026 11:59:00 GMT", 0.0),
        ("soon", None),
        ("inf", None),
        ("nan", None),
        ("", None),
    ],
)
def test_retry_after_is_parsed_as_seconds_or_as_a_date(header: str | None, seconds: float | None) -> None:
    assert seconds_after(header, NOON) == seconds
