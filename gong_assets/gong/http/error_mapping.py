"""What came back from the network, in the words of `errors.py`. Nothing is sent, retried or logged here."""

from __future__ import annotations

import math
import re
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import msgspec

from gong_assets.gong.errors import (
    ConnectionFault,
    GongAuthenticationError,
    GongBadRequestError,
    GongConnectionError,
    GongCursorExpiredError,
    GongMalformedResponseError,
    GongNotFoundError,
    GongPermissionError,
    GongRateLimitedError,
    GongResponseError,
    GongServerError,
)

# A key without a scope is told so with 401, not 403: "You don't have permission to use
# 'api:stats:interaction' in your app."
MISSING_SCOPE = re.compile(r"permission to use '([^']+)'")
NOTHING_FOUND = re.compile(r"\bNo\b.*\bfound corresponding to the provided filters")


def connection_error(request: httpx.Request, fault: BaseException) -> GongConnectionError:
    """No answer, as an error that names the host and what failed."""
    host = request.url.netloc.decode("ascii")
    kind, reason = _fault(fault, request.url.host)
    return GongConnectionError(f"{_name(request)}: {reason}", host=host, fault=kind)


def _fault(fault: BaseException, hostname: str) -> tuple[ConnectionFault, str]:
    for cause in _causes(fault):
        if isinstance(cause, socket.gaierror):
            return "dns", f"the host name {hostname} does not resolve ({cause.strerror})"
        if isinstance(cause, ssl.SSLCertVerificationError):
            return "tls", f"the certificate of {hostname} does not verify ({cause.verify_message})"
    if isinstance(fault, (httpx.TimeoutException, TimeoutError)):
        return "timeout", f"timed out ({type(fault).__name__})"
    if isinstance(fault, httpx.ConnectError):
        return "refused", f"cannot connect ({_one_line(fault)})"
    return "broken", f"the connection broke ({_one_line(fault)})"


def _causes(fault: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = fault
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__


def response_error(response: httpx.Response, now: datetime) -> GongResponseError:
    """An answer without success, as the error of its status. A Retry-After date is measured from `now`."""
    answer = _read(response)
    status = response.status_code
    told = answer.describe(response.request)
    text = " ".join(answer.errors)
    missing_scope = MISSING_SCOPE.search(text)
    where = response.request.url.netloc.decode("ascii")
    if status == 401 and not missing_scope:
        hint = (
            f"{where} does not accept these credentials: check key and secret, "
            "and that the base URL is your company's own"
        )
        return GongAuthenticationError(f"{told}; {hint}", **answer.fields())
    if status in (401, 403):
        scope = missing_scope[1] if missing_scope else None
        return GongPermissionError(told, **answer.fields(), scope=scope)
    if status == 404:
        return GongNotFoundError(told, **answer.fields())
    if status == 429:
        retry_after = seconds_after(response.headers.get("Retry-After"), now)
        return GongRateLimitedError(told, **answer.fields(), retry_after=retry_after)
    if 400 <= status < 500 and "cursor" in text.lower() and "expired" in text.lower():
        return GongCursorExpiredError(told, **answer.fields())
    if status == 400:
        return GongBadRequestError(told, **answer.fields())
    return (GongServerError if status >= 500 else GongResponseError)(told, **answer.fields())


def malformed(response: httpx.Response, reason: str) -> GongMalformedResponseError:
    """A success that cannot be read."""
    kind = response.headers.get("Content-Type", "no content type")
    message = f"{_name(response.request)}: {response.status_code} with an unreadable body ({kind}): {reason}"
    return GongMalformedResponseError(
        message, status=response.status_code, request_id=response.headers.get("X-TraceId")
    )


def is_empty_result(error: GongNotFoundError) -> bool:
    """Whether this 404 is Gong's way to return an empty list for a filter. Every other 404 is an error."""
    return any(NOTHING_FOUND.search(text) for text in error.errors)


def with_likely_scope(error: GongPermissionError, scope: str) -> GongPermissionError:
    """Return the error with the scope that is probably missing in its message. Its `scope` stays as Gong named it."""
    return GongPermissionError(
        f"{error}; the scope {scope} is probably missing",
        status=error.status,
        errors=error.errors,
        request_id=error.request_id,
    )


def seconds_after(retry_after: str | None, now: datetime) -> float | None:
    """A Retry-After header (seconds or an HTTP date) in seconds from `now`; None when it is neither."""
    if retry_after is None:
        return None
    try:
        seconds = float(retry_after)
    except ValueError:
        try:
            date = parsedate_to_datetime(retry_after)
        except ValueError:
            return None
        seconds = (date.replace(tzinfo=date.tzinfo or UTC) - now).total_seconds()
    return max(0.0, seconds) if math.isfinite(seconds) else None


@dataclass(frozen=True)
class _Answer:
    """What an ErrorResponse says, or what little can be said about an answer that is none."""

    status: int
    errors: tuple[str, ...]
    request_id: str | None
    fallback: str

    def fields(self) -> dict[str, Any]:
        return {"status": self.status, "errors": self.errors, "request_id": self.request_id}

    def describe(self, request: httpx.Request) -> str:
        said = "; ".join(self.errors) or self.fallback
        reference = f" (request id {self.request_id})" if self.request_id else ""
        return f"{_name(request)}: {self.status} {said}{reference}"


def _read(response: httpx.Response) -> _Answer:
    try:
        body = msgspec.json.decode(response.content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        body = None
    said = body if isinstance(body, dict) else {}
    errors = said.get("errors")
    request_id = said.get("requestId")
    return _Answer(
        status=response.status_code,
        errors=tuple(" ".join(str(error).split()) for error in errors) if isinstance(errors, list) else (),
        request_id=request_id if isinstance(request_id, str) else response.headers.get("X-TraceId"),
        fallback=f"{response.reason_phrase} ({response.headers.get('Content-Type', 'no content type')})",
    )


def _name(request: httpx.Request) -> str:
    """Without the query: it holds cursors, which are signed."""
    return f"{request.method} {request.url.copy_with(query=None)}"


def _one_line(fault: BaseException) -> str:
    return " ".join(str(fault).split()) or type(fault).__name__
