"""What can go wrong between us and the warehouse, as a small tree.

WarehouseError               one plain line
├── WarehouseUnreachable     no answer from the host in time; trying again later may help
├── WarehouseSignInFailed    the host answers, and refuses the user, key, token or password
├── VanishedRecords          more of a table's rows would be deleted than may be without somebody's word
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


class VanishedRecords(WarehouseError):
    """`lost` of the `held` rows are not in Gong's answer any more; nothing was changed."""

    def __init__(self, table: str, *, held: int, lost: int, max_share: float, span: str) -> None:
        what = "none of them" if lost == held else f"{lost:,} of them ({lost / held:.0%}) no more"
        super().__init__(
            f"{table} holds {held:,} records{span}, and Gong returned {what}; up to {max_share:.0%} may be gone "
            "(GONG_MAX_VANISHED_SHARE). Nothing was changed."
        )
        self.table = table
        self.held = held
        self.lost = lost


class WarehouseQueryFailed(WarehouseError):
    def __init__(self, message: str, *, errno: int | None = None, sqlstate: str | None = None) -> None:
        super().__init__(message)
        self.errno = errno
        self.sqlstate = sqlstate


# The connector's own codes. 250001 is its "could not connect" in general, for an unreachable host as for an answer that
# refuses the sign-in; 250003 is a failed HTTP request, 251005 to 251008 are missing or unfit credentials.
# https://docs.snowflake.com/en/developer-guide/python-connector/python-connector-api#error-codes
_UNREACHABLE = {250001, 250002, 250003, 251001}
_SIGN_IN = {250004, 251005, 251006, 251007, 251008}
# What the server answers to a sign-in that it refuses: 390100 (password), 390144 (key pair), 390303 (token) and others.
_REFUSED_BY_THE_SERVER = range(390_000, 391_000)


def translated(error: Exception, *, host: str) -> WarehouseError:
    """A connector's exception as one of ours, to be raised `from` the original."""
    text = " ".join(str(getattr(error, "msg", None) or error).split())
    errno: Any = getattr(error, "errno", None)
    # Both are put in the same words, but that a host which does not answer has nothing to say of the account.
    refused = "Failed to connect to DB" in text and "Service is unavailable" not in text
    if errno in _SIGN_IN or errno in _REFUSED_BY_THE_SERVER or refused:
        return WarehouseSignInFailed(f"Snowflake at {host} refused the sign-in: {text}")
    if errno in _UNREACHABLE:
        return WarehouseUnreachable(f"Snowflake at {host} does not answer: {text}")
    return WarehouseQueryFailed(text, errno=errno, sqlstate=getattr(error, "sqlstate", None))
