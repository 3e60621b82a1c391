"""Time window of a query, as Gong filters: start inclusive, end exclusive."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True)
class Window:
    """From `start` (inclusive) to `end` (exclusive), both converted to UTC.

    Raises ValueError for a time without an offset, and for a start that is not before the end: Gong rejects
    that.
    """

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        for name in ("start", "end"):
            moment: datetime = getattr(self, name)
            if moment.utcoffset() is None:
                raise ValueError(f"the window's {name} must have a time zone: {moment.isoformat()}")
            object.__setattr__(self, name, moment.astimezone(UTC))
        if self.start >= self.end:
            raise ValueError(f"the window's start must be before its end: {self}")

    def __str__(self) -> str:
        return f"{iso(self.start)}..{iso(self.end)}"


def iso(moment: datetime) -> str:
    """Return ISO 8601 in UTC with `Z`, as in Gong's examples."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
