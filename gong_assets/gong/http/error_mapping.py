"""Maps faults and responses of the network to the errors of `errors.py`.

Nothing is sent, retried or logged here.
"""

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
from gong_assets.security.texts import one_line

# Gong answers 401, not 403, to a key without the scope: "You don't have permission to use
# 'api:stats:interaction' in your app."
MISSING_SCOPE = re.compile(r"permission to use '([^']+)'")
NOTHING_FOUND = re.compile(r"\bNo\b.*\bfound corresponding to the provided filters")


def connection_error(request: httpx.Request, fault: BaseException) -> GongConnectionError:
    """Return the error for a request without a response. It names the host and what failed."""
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
    """Return the error for a response without success. A Retry-After date is measured from `now`."""
    answer = _parse(response)
    status = response.status_code
    description = answer.describe(response.request)
    text = " ".join(answer.errors)
    missing_scope = MISSING_SCOPE.search(text)
    host = response.request.url.netloc.decode("ascii")
    if status == 401 and not missing_scope:
        hint = (
            f"{host} does not accept these credentials: check the key and secret, "
            "and that the base URL is your company's own"
        )
        return GongAuthenticationError(f"{description}; {hint}", **answer.fields())
    if status in (401, 403):
        scope = missing_scope[1] if missing_scope else None
        return GongPermissionError(description, **answer.fields(), scope=scope)
    if status == 404:
        return GongNotFoundError(description, **answer.fields())
    if status == 429:
        retry_after = seconds_after(response.headers.get("Retry-After"), now)
        return GongRateLimitedError(description, **answer.fields(), retry_after=retry_after)
    if 400 <= status < 500 and "cursor" in text.lower() and "expired" in text.lower():
        return GongCursorExpiredError(description, **answer.fields())
    if status == 400:
        return GongBadRequestError(description, **answer.fields())
    return (GongServerError if status >= 500 else GongResponseError)(description, **answer.fields())


def malformed_error(response: httpx.Response, reason: str) -> GongMalformedResponseError:
    """Return the error for a successful response whose body cannot be parsed."""
    kind = response.headers.get("Content-Type", "no content type")
    message = f"{_name(response.request)}: {response.status_code} with an unreadable body ({kind}): {reason}"
    return GongMalformedResponseError(
        message, status=response.status_code, request_id=response.headers.get("X-TraceId")
    )


def is_empty_result(error: GongNotFoundError) -> bool:
    """Return whether this 404 means an empty list: Gong answers so to a filter without matches."""
    return any(NOTHING_FOUND.search(text) for text in error.errors)


def with_likely_scope(error: GongPermissionError, scope: str) -> GongPermissionError:
    """Return the error with the scope that is probably missing in its message.

    Its `scope` stays as Gong named it.
    """
    return GongPermissionError(
        f"{error}; the scope {scope} is probably missing",
        status=error.status,
        errors=error.errors,
        request_id=error.request_id,
    )


def seconds_after(retry_after: str | None, now: datetime) -> float | None:
    """Return a Retry-After header (seconds or an HTTP date) in seconds from `now`; None if it is neither."""
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
class _ErrorResponse:
    """Gong's ErrorResponse, or a substitute for a body that is not one."""

    status: int
    errors: tuple[str, ...]
    request_id: str | None
    fallback: str

    def fields(self) -> dict[str, Any]:
        return {"status": self.status, "errors": self.errors, "request_id": self.request_id}

    def describe(self, request: httpx.Request) -> str:
        text = "; ".join(self.errors) or self.fallback
        reference = f" (request id {self.request_id})" if self.request_id else ""
        return f"{_name(request)}: {self.status} {text}{reference}"


def _parse(response: httpx.Response) -> _ErrorResponse:
    try:
        body = msgspec.json.decode(response.content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        body = None
    fields = body if isinstance(body, dict) else {}
    errors, request_id = fields.get("errors"), fields.get("requestId")
    return _ErrorResponse(
        status=response.status_code,
        errors=tuple(one_line(str(error)) for error in errors) if isinstance(errors, list) else (),
        request_id=request_id if isinstance(request_id, str) else response.headers.get("X-TraceId"),
        fallback=f"{response.reason_phrase} ({response.headers.get('Content-Type', 'no content type')})",
    )


def _name(request: httpx.Request) -> str:
    """Return method and URL without the query, which may have a signed cursor."""
    return f"{request.method} {request.url.copy_with(query=None)}"


def _one_line(fault: BaseException) -> str:
    return one_line(str(fault)) or type(fault).__name__
