"""What the API answers when it does not answer: the statuses and texts of Gong's errors, each in one place.

Texts are those that Gong's users have recorded from it; where a comment says "assumed", none is on record.
"""

from __future__ import annotations


class ApiError(Exception):
    """Answered as Gong's ErrorResponse, `{"requestId": ..., "errors": [text]}`."""

    def __init__(self, status: int, text: str, *, retry_after: int | None = None) -> None:
        super().__init__(text)
        self.status = status
        self.text = text
        self.retry_after = retry_after  # seconds


def missing_authorization() -> ApiError:
    return ApiError(401, 'Missing mandatory header "Authorization"')


def bad_credentials() -> ApiError:
    return ApiError(401, "Validate credentials failed")


def unknown_path() -> ApiError:
    return ApiError(401, "Unauthorized for path")


def missing_scope(scope: str) -> ApiError:
    """Gong answers 401 here, not 403."""
    return ApiError(401, f"You don't have permission to use '{scope}' in your app.")


def nothing_found(noun: str) -> ApiError:
    """What Gong answers instead of an empty list whenever the request had a filter."""
    period = "." if noun == "answered scorecards" else ""  # this one text ends with a period
    return ApiError(404, f"No {noun} found corresponding to the provided filters{period}")


def call_not_found(call_id: str) -> ApiError:
    return ApiError(404, f"Call ID {call_id} was not found")


def bad_request(text: str = "Bad request") -> ApiError:
    return ApiError(400, text)


def expired_cursor() -> ApiError:
    return ApiError(400, "cursor has expired")  # the status is assumed


def bad_cursor() -> ApiError:
    return ApiError(
        400, "cursor is invalid"
    )  # assumed; also what a cursor gets that is sent with another filter


def too_many_requests(retry_after: int) -> ApiError:
    return ApiError(429, "API request limit exceeded", retry_after=retry_after)  # the text is assumed


def method_not_allowed() -> ApiError:
    return ApiError(405, "Method Not Allowed")


def unsupported_media_type() -> ApiError:
    return ApiError(415, "Unsupported Media Type")
