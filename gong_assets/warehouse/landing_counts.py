"""Row counts of a landing by day, so that each partition of a run shows its own."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any


@dataclass
class DayCounts:
    """Rows of a day, by what a landing did to them.

    A record that moved from one day to another is deleted from the one, and inserted in the other.
    `deleted_keys` are the keys of the day that the table no longer holds.
    """

    inserted: int = 0
    deleted: int = 0
    unchanged: int = 0
    deleted_keys: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Landed:
    """Row counts of one landing, and of each of its days.

    `deleted_keys` are the keys that the table no longer holds.
    """

    inserted: int
    deleted: int
    unchanged: int
    total: int
    deleted_keys: tuple[str, ...] = ()
    by_day: Mapping[date | None, DayCounts] = field(default_factory=dict, compare=False)

    @classmethod
    def of_days(cls, by_day: Mapping[date | None, DayCounts], total: int) -> Landed:
        days = by_day.values()
        return cls(
            sum(each.inserted for each in days),
            sum(each.deleted for each in days),
            sum(each.unchanged for each in days),
            total,
            tuple(sorted(key for each in days for key in each.deleted_keys)),
            by_day,
        )


def change_counts(table: str, load: str, day: str | None, is_stale: str, is_new: str) -> str:
    """Return SQL for the number of rows by DAY and KIND: deleted, inserted, loaded, and the table's own.

    Args:
        day: column of the day, or None if the table has none.
        is_stale: condition of the rows of the table that a landing deletes.
        is_new: condition of the loaded rows that it inserts.
    """
    return (
        "SELECT DAY, KIND, COUNT(*) FROM ("
        f"SELECT {day or 'NULL::DATE'} AS DAY, 'deleted' AS KIND FROM {table} WHERE {is_stale} "
        f"UNION ALL SELECT DAY, 'inserted' FROM {load} WHERE {is_new} "
        f"UNION ALL SELECT DAY, 'loaded' FROM {load}"
        ") AS CHANGES GROUP BY DAY, KIND "
        f"UNION ALL SELECT NULL::DATE, 'stored', COUNT(*) FROM {table}"
    )


def counts_by_day(
    rows: Iterable[tuple[Any, ...]], missing: Iterable[tuple[str, date | None]]
) -> tuple[Mapping[date | None, DayCounts], int]:
    """Return the counts of each day, and the rows of the table afterwards.

    Args:
        rows: the result of `change_counts`.
        missing: keys that are not loaded, and their days.
    """
    by_day: defaultdict[date | None, DayCounts] = defaultdict(DayCounts)
    total = 0
    for day, kind, count in rows:
        if kind == "stored":
            total += count
        elif kind == "deleted":
            by_day[day].deleted = count
            total -= count
        elif kind == "inserted":
            by_day[day].inserted = count
            by_day[day].unchanged -= count
            total += count
        else:
            by_day[day].unchanged += count
    for key, day in missing:
        by_day[day].deleted_keys.append(key)
    return dict(by_day), total


def unchanged_by_day(
    versions: Iterable[tuple[str, str | None, str | None]],
) -> Mapping[date | None, DayCounts]:
    """Return the counts of a landing that changes nothing, from the versions of its rows."""
    rows = Counter(day for _, _, day in versions)
    return {
        date.fromisoformat(day) if day else None: DayCounts(unchanged=count) for day, count in rows.items()
    }
