"""Errors of the warehouse.

WarehouseError               base class; the message is one line
├── WarehouseUnreachable     the host did not answer in time; retry later
├── WarehouseSignInFailed    the host refused the user, key, token or password
├── OutdatedTables           the schema has tables of an earlier system or version
├── DeletionGuardError       a landing would delete more rows than allowed without confirmation
└── WarehouseQueryFailed     a statement was refused (`errno` and `sqlstate` as Snowflake reports them)
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from gong_assets.security.texts import one_line

# "Object does not exist or not authorized": Snowflake does not distinguish the two.
_UNKNOWN_OBJECT_ERRNO, _UNKNOWN_OBJECT_SQLSTATE = 2003, "42S02"
_INVALID_IDENTIFIER_ERRNO = 904


class WarehouseError(Exception):
    """Base class; the message is one line that names the host and contains no secret."""

    def __init__(self, message: str) -> None:
        # Snowflake quotes the value that it rejects, which may be a text of a call.
        super().__init__(one_line(message))


class WarehouseUnreachable(WarehouseError):
    """The host did not answer in time."""


class WarehouseSignInFailed(WarehouseError):
    """The host refused the sign-in."""


class OutdatedTables(WarehouseError):
    """The schema has tables of an earlier system or version. Nothing was changed."""

    def __init__(self, tables: Mapping[str, str], schema: str) -> None:
        found = "; ".join(f"{table} {reason}" for table, reason in tables.items())
        super().__init__(f"Outdated tables in {schema}: {found}. Nothing was changed.")


class DeletionGuardError(WarehouseError):
    """Gong no longer returns `missing` of the `existing` rows. Nothing was changed."""

    def __init__(
        self, table: str, *, existing: int, missing: int, max_deleted_fraction: float, days: str
    ) -> None:
        of_days = f" for {days}" if days else ""
        super().__init__(
            f"Refusing to delete {missing:,} of {existing:,} rows ({missing / existing:.0%}) from "
            f"{table}{of_days}: Gong no longer returns them, and GONG_MAX_VANISHED_SHARE allows "
            f"{max_deleted_fraction:.0%}. Nothing was changed."
        )
        self.table = table
        self.existing = existing
        self.missing = missing


class WarehouseQueryFailed(WarehouseError):
    """A statement was refused."""

    def __init__(self, message: str, *, errno: int | None = None, sqlstate: str | None = None) -> None:
        super().__init__(message)
        self.errno = errno
        self.sqlstate = sqlstate


def lacks_raw_column(error: Exception) -> bool:
    """Return True if a statement named a column that every raw table has, and its table does not have it."""
    is_invalid_identifier = getattr(error, "errno", None) == _INVALID_IDENTIFIER_ERRNO
    columns = ("CONTENT_HASH", "CORRELATION_ID", "PROCESSING_ERROR", "CALL_DATE", "SOURCE")
    return is_invalid_identifier and any(name in str(error) for name in columns)


def is_unknown_object(error: Exception) -> bool:
    """Return True if a table or view does not exist, or the role may not see it.

    Accepts a WarehouseQueryFailed as well as the connector's own exception.
    """
    errno, sqlstate = getattr(error, "errno", None), getattr(error, "sqlstate", None)
    return errno == _UNKNOWN_OBJECT_ERRNO or sqlstate == _UNKNOWN_OBJECT_SQLSTATE


# Classes of SQLSTATE of the errors that do not depend on the rows: missing objects, the connection, the state
# of the transaction, SQL and privileges, resources such as the disk, no warehouse, and files that cannot be
# read or written or are damaged.
_INDEPENDENT_OF_ROWS = ("02", "08", "25", "42", "53", "57P", "58", "XX001")
# Further ones, in classes of errors that depend on the rows: the account is suspended, and the quota of the
# resource monitor is used up.
_SUSPENDED = {666, 90073}
# A person, a resource monitor or a timeout canceled the statement. Only a timeout depends on the rows.
_CANCELED = 604


def may_come_from_rows(error: Exception) -> bool:
    """Return True if the statement may succeed with other rows.

    A function may have rejected a value, or the statement ran for too long. Unknown errors are included.
    """
    errno, sqlstate = getattr(error, "errno", None), getattr(error, "sqlstate", None) or ""
    if errno == _CANCELED:
        return "timeout" in str(error)
    is_of_connection = _kind("", errno) is not WarehouseQueryFailed
    return not (is_of_connection or errno in _SUSPENDED or sqlstate.startswith(_INDEPENDENT_OF_ROWS))


def is_unknown_table(error: Exception) -> bool:
    """Return True if the unknown object is a table or view, not a user, a role or a stage."""
    return is_unknown_object(error) and re.search(r"\b(?:Object|Table|View) '", str(error)) is not None


# Error codes of the connector: 250001 is its general "could not connect", for an unreachable host as well as
# for a refused sign-in; 250003 is a failed HTTP request; 251005 to 251008 are missing or invalid credentials.
# https://docs.snowflake.com/en/developer-guide/python-connector/python-connector-api#error-codes
_UNREACHABLE = {250001, 250002, 250003, 251001}
# The server does not know the session any more: it was restarted, or the session was idle for hours.
_ENDED_SESSION = {390111, 390112}
_SIGN_IN = {250004, 251005, 251006, 251007, 251008}
# Error codes of the server for a refused sign-in: 390100 (password), 390144 (key pair), 390303 (token) and
# others.
_REFUSED_BY_SERVER = range(390_000, 391_000)


def is_unreachable(text: str) -> bool:
    """Return True if the text of a failed statement or sign-in means that a later one may succeed.

    The host did not answer, or it does not know the session any more.
    """
    code = re.search(r"\b(?:25|39)\d{4}\b", text)
    return _kind(text, int(code[0]) if code else None) is WarehouseUnreachable


def translated(error: Exception, *, host: str) -> WarehouseError:
    """Return the connector's exception as one of ours, to be raised `from` the original."""
    text = one_line(str(getattr(error, "msg", None) or error))
    errno: Any = getattr(error, "errno", None)
    kind = _kind(text, errno)
    if kind is WarehouseSignInFailed:
        return WarehouseSignInFailed(f"Snowflake at {host} refused the sign-in: {text}")
    if kind is WarehouseUnreachable:
        return WarehouseUnreachable(f"Snowflake at {host} does not answer: {text}")
    return WarehouseQueryFailed(text, errno=errno, sqlstate=getattr(error, "sqlstate", None))


def _kind(text: str, errno: int | None) -> type[WarehouseError]:
    # The connector uses the same message for both; only an unreachable host adds "Service is unavailable".
    refused = "Failed to connect to DB" in text and "Service is unavailable" not in text
    if errno in _ENDED_SESSION:
        return WarehouseUnreachable
    if errno in _SIGN_IN or errno in _REFUSED_BY_SERVER or refused:
        return WarehouseSignInFailed
    return WarehouseUnreachable if errno in _UNREACHABLE else WarehouseQueryFailed
