"""Faults of networks and servers over real HTTP: a read is complete, or raises one clear error."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from gong_assets.gong import (
    GongAuthenticationError,
    GongBadRequestError,
    GongConnectionError,
    GongError,
    GongMalformedResponseError,
    GongNotFoundError,
    GongPermissionError,
    GongQuotaExhausted,
    GongResponseError,
    GongServerError,
)
from gong_assets_tests.gong.fake_gong import FakeGong, Response, error_response
from gong_assets_tests.gong.helpers import KEY, ReadResult, gong_with_calls, local_config, read
from gong_assets_tests.gong.http_server import (
    Fault,
    broken_gzip,
    closed_without_response,
    gzipped,
    replaced_by,
    reset_in_mid_body,
    serving,
    silent,
    trickling,
    truncated,
)
from gong_assets_tests.gong.self_signed import self_signed

HTML = {"Content-Type": "text/html"}
RATE_LIMITED = "API request limit exceeded"


def read_through(faults: Sequence[Fault], gong: FakeGong | None = None) -> ReadResult:
    async def work() -> ReadResult:
        async with serving(gong or gong_with_calls(250)) as server:
            server.faults.extend(faults)
            return await read(local_config(server.base_url))

    return asyncio.run(work())


def error_of(response: Response, times: int = 20) -> GongError:
    with pytest.raises(GongError) as caught:
        read_through([replaced_by(response)] * times)
    assert "\n" not in str(caught.value)
    return caught.value


TRANSIENT = {
    "500": replaced_by(error_response(500, "Internal server error occurred")),
    "502": replaced_by(Response(502, b"<html>Bad gateway</html>", HTML)),
    "503": replaced_by(Response(503, b"", {})),
    "an HTML page with status 200": replaced_by(
        Response(200, b"<html><title>Maintenance</title></html>", HTML)
    ),
    "truncated JSON with status 200": truncated,
    "an empty body with status 200": replaced_by(Response(200, b"", {})),
    "JSON without the list": replaced_by(Response(200, b'{"message": "ok"}', {})),
    "a reset in mid-body": reset_in_mid_body,
    "a connection closed without an answer": closed_without_response,
    "a response that trickles": trickling,
    "a response that stops": silent,
    "gzip that does not unpack": broken_gzip,
    "429 with seconds": replaced_by(error_response(429, RATE_LIMITED, **{"Retry-After": "2"})),
    "429 without Retry-After": replaced_by(error_response(429, RATE_LIMITED)),
}


@pytest.mark.parametrize("fault", TRANSIENT.values(), ids=TRANSIENT.keys())
def test_a_transient_fault_costs_one_retry_and_no_call(fault: Fault) -> None:
    gong = gong_with_calls(250)
    reading = read_through([fault], gong)
    assert reading.ids == gong.ids
    assert reading.stats.retries == 1


@pytest.mark.parametrize("fault", TRANSIENT.values(), ids=TRANSIENT.keys())
def test_a_fault_in_the_middle_of_a_list_loses_and_duplicates_no_call(fault: Fault) -> None:
    gong = gong_with_calls(950)
    reading = read_through([gzipped, gzipped, fault, fault, gzipped, fault], gong)
    assert reading.ids == gong.ids
    assert len(set(reading.ids)) == 950


def test_compressed_pages_are_decoded_and_counted_by_their_compressed_size() -> None:
    gong = gong_with_calls(100)
    plain, packed = read_through([], gong), read_through([gzipped], gong)
    assert packed.ids == plain.ids
    assert packed.stats.bytes < plain.stats.bytes / 2


def test_a_retry_after_in_seconds_is_waited_for() -> None:
    reading = read_through([replaced_by(error_response(429, RATE_LIMITED, **{"Retry-After": "7"}))])
    assert sum(reading.slept) == pytest.approx(7, abs=0.1)
    assert reading.stats.rate_limited == 1


def test_a_retry_after_as_a_date_is_waited_for() -> None:
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    reading = read_through([replaced_by(error_response(429, RATE_LIMITED, **{"Retry-After": later}))])
    assert 25 < sum(reading.slept) <= 30


def test_a_429_without_retry_after_is_waited_for_longer_each_time() -> None:
    reading = read_through([replaced_by(error_response(429, RATE_LIMITED))] * 3)
    first, second, third = reading.slept
    assert 0.5 <= first <= 1 <= second <= 2 <= third <= 4


def test_a_long_retry_after_is_an_exhausted_quota_with_its_end() -> None:
    error = error_of(error_response(429, RATE_LIMITED, **{"Retry-After": "38000"}), times=1)
    assert isinstance(error, GongQuotaExhausted)
    assert error.retry_after == 38000


def test_a_429_that_never_ends_is_an_exhausted_quota() -> None:
    error = error_of(error_response(429, RATE_LIMITED, **{"Retry-After": "1"}))
    assert isinstance(error, GongQuotaExhausted)
    assert error.retry_after == 1


@pytest.mark.parametrize(
    ("response", "kind"),
    [
        (error_response(500, "Internal server error occurred"), GongServerError),
        (Response(200, b"<html>Log in</html>", HTML), GongMalformedResponseError),
        (Response(200, b'{"calls": [', {}), GongMalformedResponseError),
    ],
)
def test_a_permanent_fault_is_raised_after_six_attempts(response: Response, kind: type[GongError]) -> None:
    gong = gong_with_calls(50)
    with pytest.raises(kind):
        read_through([replaced_by(response)] * 20, gong)
    assert len(gong.log) == 6


@pytest.mark.parametrize(
    ("response", "kind"),
    [
        (error_response(400, "filter.fromDateTime: must be before toDateTime"), GongBadRequestError),
        (error_response(401, "Validate credentials failed"), GongAuthenticationError),
        (error_response(403, "Forbidden"), GongPermissionError),
        (error_response(404, "Call ID 7 was not found"), GongNotFoundError),
        (Response(404, b"<html>Not here</html>", HTML), GongNotFoundError),
        (error_response(405, "Method Not Allowed"), GongResponseError),
        (Response(302, b"", {"Location": "https://elsewhere.example"}), GongResponseError),
    ],
)
def test_a_final_response_is_not_retried(response: Response, kind: type[GongError]) -> None:
    gong = gong_with_calls(50)
    with pytest.raises(kind) as caught:
        read_through([replaced_by(response)] * 20, gong)
    assert type(caught.value) is kind
    assert len(gong.log) == 1


def test_the_error_for_rejected_credentials_names_the_host_and_the_request_id_but_no_secret() -> None:
    error = error_of(error_response(401, "Validate credentials failed"))
    assert "127.0.0.1:" in str(error)
    assert "4al018gzaztcr8nbukw" in str(error)
    assert "base URL" in str(error)
    assert KEY.access_key_secret not in repr(error) + str(error)


def test_a_missing_scope_is_named_although_gong_answers_401() -> None:
    error = error_of(
        error_response(401, "You don't have permission to use 'api:calls:read:extensive' in your app.")
    )
    assert isinstance(error, GongPermissionError)
    assert error.scope == "api:calls:read:extensive"


def test_a_window_without_calls_is_empty() -> None:
    reading = read_through([], FakeGong())
    assert reading.records == []
    assert reading.stats.requests == 1


@pytest.mark.parametrize("end", ["", "."])
def test_the_404_for_an_empty_list_is_recognized_with_and_without_a_full_stop(end: str) -> None:
    nothing = error_response(404, f"No answered scorecards found corresponding to the provided filters{end}")
    assert read_through([replaced_by(nothing)]).records == []


def test_an_untrusted_certificate_is_not_retried(tmp_path: Path) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(self_signed(tmp_path))

    async def work() -> None:
        async with serving(gong_with_calls(10), tls) as server:
            with pytest.raises(GongConnectionError) as caught:
                await read(local_config(server.base_url))
        assert caught.value.fault == "tls"
        assert caught.value.host == server.host
        assert server.gong.log == []

    asyncio.run(work())


def test_the_error_names_a_host_that_does_not_resolve() -> None:
    with pytest.raises(GongConnectionError, match=r"gong\.invalid does not resolve") as caught:
        asyncio.run(read(local_config("https://gong.invalid")))
    assert caught.value.fault == "dns"


def test_the_error_names_a_host_that_refuses_connections() -> None:
    async def work() -> None:
        async with serving(FakeGong()) as server:
            pass
        with pytest.raises(GongConnectionError, match=server.host) as caught:
            await read(local_config(server.base_url))
        assert caught.value.fault == "refused"

    asyncio.run(work())
