"""Metadata of a landing, for its run and for each of its days.

A run reads and lands all of its days at once. A day shows its own rows, and what belongs to the whole run,
such as its requests, has keys that start with `run/`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from gong_assets.ingestion.sources import MAX_SHOWN_IDS
from gong_assets.warehouse.landing_counts import Landed

RUN_ROWS = ("run/rows_inserted", "run/rows_deleted")

ByDay = Mapping[date | None, int]


@dataclass(frozen=True)
class LandingMetadata:
    """Metadata of a landing. It has no counts if nothing landed.

    Attributes:
        run: what is the same for each day: the table, and the rows of the whole run.
        counts: numbers of each day, by key.
        deleted_keys: the keys of each day that the table no longer holds.
    """

    run: Mapping[str, Any]
    counts: Mapping[str, ByDay] = field(default_factory=dict)
    deleted_keys: Mapping[date | None, Sequence[str]] = field(default_factory=dict)

    @classmethod
    def of_landed(cls, landed: Landed, table_name: str, **counts: ByDay) -> LandingMetadata:
        days = landed.by_day.items()
        return cls(
            {
                "dagster/row_count": landed.total,
                "dagster/table_name": table_name,
                **dict(zip(RUN_ROWS, (landed.inserted, landed.deleted), strict=True)),
            },
            {
                "rows_inserted": {day: each.inserted for day, each in days},
                "rows_deleted": {day: each.deleted for day, each in days},
                "rows_unchanged": {day: each.unchanged for day, each in days},
                "records_vanished": {day: len(each.deleted_keys) for day, each in days},
                **counts,
            },
            {day: each.deleted_keys for day, each in days},
        )

    def of_day(self, day: date | None) -> dict[str, Any]:
        """Return the metadata of one day; of a table without days, for None."""
        numbers = {name: by_day.get(day, 0) for name, by_day in self.counts.items()}
        deleted = list(self.deleted_keys.get(day, ()))[:MAX_SHOWN_IDS]
        return {**numbers, **({"records_vanished_ids": deleted} if deleted else {})}
