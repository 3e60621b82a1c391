"""What identifies the cause of an error, so that it is one message wherever it strikes."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from typing import Any

from gong_assets.gong import (
    GongAuthenticationError,
    GongConnectionError,
    GongQuotaExhausted,
    GongServerError,
)
from gong_assets.warehouse.errors import WarehouseSignInFailed, WarehouseUnreachable, is_unreachable

# Whatever was requested, these have the same cause.
_ANYWHERE = frozenset(
    kind.__name__
    for kind in (
        GongAuthenticationError, GongConnectionError, GongQuotaExhausted, WarehouseSignInFailed,
        WarehouseUnreachable,
    )
)  # fmt: skip
# So do these statuses of a GongServerError. A 500 may be about what was requested.
_OUTAGE = {"502", "503", "504"}

# Parts of a message that differ each time: IDs, dates, times, numbers and addresses.
_VARIABLE = re.compile(
    r"0x[0-9a-f]+|[0-9a-f]{8}-[0-9a-f-]{27}|\b[0-9a-f]{12,}\b|\d[\d,.:T/-]*", re.IGNORECASE
)
# Parts of a message that tell causes apart, although they are masked or vary: quoted names, such as that of a
# missing key, and the status of a response.
_NAME_OR_STATUS = re.compile(
    r"""(?<!\w)["'](?P<name>[a-z_][\w.$]*)["'](?!\w)"""
    r"|(?:\b(?:HTTP|status|code|error)\W{1,2}|/\S{0,99}: )(?P<status>[45]\d\d)\b",
    re.IGNORECASE,
)


def cause_of(chain: Sequence[Any], text: str, reason: str) -> str:
    """Return what is the same whenever the cause of an error recurs, and differs for another cause.

    Args:
        chain: the error and its causes, as Dagster stores them.
        text: the whole message.
        reason: the part of it that may be shown.
    """
    statuses = [each["status"] for each in _NAME_OR_STATUS.finditer(text) if each["status"]]
    classes = [error.cls_name for error in chain]
    if text.startswith("dbt: ") and is_unreachable(text):  # dbt has errors of its own.
        classes.append(WarehouseUnreachable.__name__)
    for name in classes:
        if name in _ANYWHERE:
            return str(name)
    if GongServerError.__name__ in classes and not _OUTAGE.isdisjoint(statuses):
        return GongServerError.__name__
    names = [each["name"] for each in _NAME_OR_STATUS.finditer(text) if each["name"]]
    return " ".join([*_VARIABLE.sub("#", " ".join([reason, *names])).split(), *statuses])


def fingerprint(cause: str) -> str:
    return hashlib.sha256(cause.encode()).hexdigest()[:16]


def error_text(chain: Sequence[Any]) -> str:
    """Return the message of the error at the root of the chain."""
    return str(chain[-1].message).strip() if chain else ""
