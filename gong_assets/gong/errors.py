"""Errors of the client, as a small tree: catch the branch that you can handle.

    GongError
    ├── GongConnectionError                 no response: DNS, TLS, refused, reset, timed out
    ├── GongQuotaExhausted                  the daily quota, or a long 429; see `retry_after`
    ├── GongCursorError                     pages without end
    └── GongResponseError                   a response without the data
        ├── GongBadRequestError             400
        │   └── GongCursorExpiredError      400 for a cursor that is older than about an hour
        ├── GongAuthenticationError         401
        ├── GongPermissionError             403, and 401 for a missing scope
        ├── GongNotFoundError               404
        ├── GongRateLimitedError            429; leaves the client as GongQuotaExhausted
        ├── GongServerError                 5xx
        └── GongMalformedResponseError      a 200 whose body is truncated, or not Gong's JSON

A message is one line that names the request, the host and Gong's request id, and contains no secret.
`http/retry.py` decides which errors are retried.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from gong_assets.security.texts import one_line

if TYPE_CHECKING:
    from gong_assets.gong.window import Window

ConnectionFault = Literal["dns", "tls", "refused", "broken", "timeout"]


class GongError(Exception):
    """Base class of all errors that the client raises. The message is one line."""

    def __init__(self, message: str) -> None:
        super().__init__(one_line(message))


class GongConnectionError(GongError):
    """No response from `host`. `fault` says how far the request got."""

    def __init__(self, message: str, *, host: str, fault: ConnectionFault) -> None:
        super().__init__(message)
        self.host = host
        self.fault = fault


class GongQuotaExhausted(GongError):
    """The quota allows no further request for longer than a client should wait.

    `retry_after` is in seconds: Gong's Retry-After, or the time to the end of the UTC day if our own count
    ended the read. All pages that arrived were yielded before this error.

    For calls, all calls of the `completed_windows` have been yielded. For a list of items such as call ids or
    days, `remaining` are those that were not read, in the order requested.
    """

    def __init__(
        self,
        message: str,
        *,
        retry_after: float,
        completed_windows: tuple[Window, ...] = (),
        remaining: tuple[Any, ...] = (),
    ) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.completed_windows = completed_windows
        self.remaining = remaining


class GongCursorError(GongError):
    """Pages that repeat, or a cursor that keeps expiring: the read would never end."""


class GongResponseError(GongError):
    """A response without the data. Raised itself for a status without a class of its own.

    `errors` are the strings of Gong's ErrorResponse (`{"requestId": str, "errors": [str]}`), and `request_id`
    is its requestId, which Gong's support needs.
    """

    def __init__(
        self, message: str, *, status: int, errors: Sequence[str] = (), request_id: str | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.errors = tuple(errors)
        self.request_id = request_id


class GongBadRequestError(GongResponseError):
    """400: a filter or cursor that Gong rejects."""


class GongCursorExpiredError(GongBadRequestError):
    """A cursor older than an hour: the client requests the list again from its first page."""


class GongAuthenticationError(GongResponseError):
    """401: the host does not know the key. A key of another region gets the same answer as a wrong key."""


class GongPermissionError(GongResponseError):
    """Valid credentials without the permission. `scope` is the missing one, if Gong names it."""

    def __init__(
        self,
        message: str,
        *,
        status: int,
        errors: Sequence[str] = (),
        request_id: str | None = None,
        scope: str | None = None,
    ) -> None:
        super().__init__(message, status=status, errors=errors, request_id=request_id)
        self.scope = scope


class GongNotFoundError(GongResponseError):
    """404, except for an empty result, which is not an error."""


class GongRateLimitedError(GongResponseError):
    """429. `retry_after` is the Retry-After header in seconds; None if it is missing or unreadable."""

    def __init__(
        self,
        message: str,
        *,
        status: int,
        errors: Sequence[str] = (),
        request_id: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, status=status, errors=errors, request_id=request_id)
        self.retry_after = retry_after


class GongServerError(GongResponseError):
    """5xx, from Gong or a proxy in front of it."""


class GongMalformedResponseError(GongResponseError):
    """A successful status with a body that is truncated, or not what Gong's API returns."""
