"""What can go wrong between us and the warehouse, as a small tree.

WarehouseError               one plain line
├── WarehouseUnreachable     no answer from the host in time; trying again later may help
├── WarehouseSignInFailed    the host answers, and refuses the user, key, token or password
└── WarehouseQueryFailed     a statement was refused (`errno`, `sqlstate` as Snowflake gives them)
"""

from __future__ import annotations

from typing import Any


class WarehouseError(Exception):
    """Base of all; the text is one line that names the host and shows no secret."""


class WarehouseUnreachable(WarehouseError):
    pass


class WarehouseSignInFailed(WarehouseError):
    pass


class WarehouseQueryFailed(WarehouseError):
    def __init__(self, message: str, *, errno: int | None = None, sqlstate: str | None = None) -> None:
        super().__init__(message)
        self.errno = errno
        self.sqlstate = sqlstate


# 250001 is the connector's "could not connect" in general: it wraps both a refused sign-in, which carries the server's
# own code in its text, and an unreachable host. 250003: a failed HTTP request.
# https://docs.snowflake.com/en/developer-guide/python-connector/python-connector-api#error-codes
_UNREACHABLE = {250001, 250002, 250003, 251001}
_SIGN_IN = {251005, 251006, 251007, 251008, 250004}


def translated(error: Exception, *, host: str) -> WarehouseError:
    """A connector's exception as one of ours, to be raised `from` the original."""
    text = " ".join(str(getattr(error, "msg", None) or error).split())
    errno: Any = getattr(error, "errno", None)
    refused = "incorrect username or password" in text.lower() or "390" in text.partition(":")[0]
    if errno in _SIGN_IN or refused:
        return WarehouseSignInFailed(f"Snowflake at {host} refused the sign-in: {text}")
    if errno in _UNREACHABLE or "login request is retryable" in text.lower():
        return WarehouseUnreachable(f"Snowflake at {host} does not answer: {text}")
    return WarehouseQueryFailed(text, errno=errno, sqlstate=getattr(error, "sqlstate", None))
