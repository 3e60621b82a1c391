"""Gong's error responses: their statuses and texts.

The texts are those that users of Gong have published. A comment marks the ones that are assumed.
"""

from __future__ import annotations


class ApiError(Exception):
    """An error that is returned as Gong's ErrorResponse, ``{"requestId": ..., "errors": [text]}``."""

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
    """Return the error for a missing scope; Gong uses 401 rather than 403."""
    return ApiError(401, f"You don't have permission to use '{scope}' in your app.")


def nothing_found(noun: str) -> ApiError:
    """Return the error that Gong uses instead of an empty list if the request has a filter."""
    period = "." if noun == "answered scorecards" else ""  # only this text ends with a period
    return ApiError(404, f"No {noun} found corresponding to the provided filters{period}")


def call_not_found(call_id: str) -> ApiError:
    return ApiError(404, f"Call ID {call_id} was not found")


def bad_request(text: str = "Bad request") -> ApiError:
    return ApiError(400, text)


def expired_cursor() -> ApiError:
    return ApiError(400, "cursor has expired")  # the status is assumed


def bad_cursor() -> ApiError:
    """Return the error for an invalid cursor, and for one that is sent with another filter (both assumed)."""
    return ApiError(400, "cursor is invalid")


def too_many_requests(retry_after: int) -> ApiError:
    return ApiError(429, "API request limit exceeded", retry_after=retry_after)  # the text is assumed


def method_not_allowed() -> ApiError:
    return ApiError(405, "Method Not Allowed")


def unsupported_media_type() -> ApiError:
    return ApiError(415, "Unsupported Media Type")
