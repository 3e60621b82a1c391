"""What can go wrong with Gong, as a small tree: catch the branch that you can do something about.

    GongError
    ├── GongConnectionError                 no answer: DNS, TLS, refused, reset, timed out
    ├── GongQuotaExhausted                  the daily quota or a long 429; see `retry_after`
    ├── GongCursorError                     a walk over pages that does not end
    └── GongResponseError                   an answer, but not the one asked for
        ├── GongBadRequestError             400
        │   └── GongCursorExpiredError      400 for a cursor older than about an hour
        ├── GongAuthenticationError         401
        ├── GongPermissionError             403, and 401 for a missing scope
        ├── GongNotFoundError               404
        ├── GongRateLimitedError            429; leaves the client as GongQuotaExhausted
        ├── GongServerError                 5xx
        └── GongMalformedResponseError      a 200 whose body is cut off, or is no JSON of Gong's

A message is one line that names the request, the host and Gong's request id, and never holds a secret.
Whether an error is worth another try is not said here but in `retry.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from gong_assets.gong.window import Window

ConnectionFault = Literal["dns", "tls", "refused", "broken", "timeout"]


class GongError(Exception):
    """Anything that the Gong client raises on purpose."""


class GongConnectionError(GongError):
    """No usable answer came back. `fault` says how far the request got; `host` is who did not answer."""

    def __init__(self, message: str, *, host: str, fault: ConnectionFault) -> None:
        super().__init__(message)
        self.host = host
        self.fault = fault


class GongQuotaExhausted(GongError):
    """Gong's limit will not admit a request for longer than it is sensible to wait.

    `retry_after` is in seconds: what Gong's Retry-After said, or the time to the end of the UTC day of our
    own count. What had arrived by then was handed on before this is raised:

    `read`, of a walk over calls, are the spans whose calls have certainly all been handed on: in order, and
    apart from one another. `unread`, of a list that was asked for (such as call ids), is what was not
    answered, in the order asked.
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
    """A walk over pages that repeats itself, or whose cursor keeps expiring: going on would never end."""


class GongResponseError(GongError):
    """Gong answered, but not with the data. Raised as it is for a status that has no class of its own.

    `errors` are the strings of Gong's ErrorResponse (`{"requestId": str, "errors": [str]}`), `request_id` its
    requestId, which Gong's support asks for.
    """

    def __init__(
        self, message: str, *, status: int, errors: Sequence[str] = (), request_id: str | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.errors = tuple(errors)
        self.request_id = request_id


class GongBadRequestError(GongResponseError):
    """400: a filter or cursor that Gong refuses."""


class GongCursorExpiredError(GongBadRequestError):
    """The cursor outlived its walk's hour: the client starts the walk again."""


class GongAuthenticationError(GongResponseError):
    """401: the host does not know the key. One region's key is refused like a wrong one by the others."""


class GongPermissionError(GongResponseError):
    """The credentials are good but may not do this. `scope` is what is missing, where Gong says so."""

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
    """404 for anything but an empty result, which is no error."""


class GongRateLimitedError(GongResponseError):
    """429. `retry_after` is the Retry-After header in seconds, None if it is missing or unreadable."""

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
    """5xx, from Gong or from what stands in front of it."""


class GongMalformedResponseError(GongResponseError):
    """A success by its status, but the body is truncated or not what Gong's API returns."""
