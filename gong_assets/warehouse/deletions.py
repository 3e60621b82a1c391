"""Deletions of records that Gong no longer returns.

A key that lost access to calls gets the same answer as a company without calls. Rows that Gong no longer
returns are therefore deleted only up to a fraction; beyond it the run fails until somebody confirms
(`DeletionGuardError`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gong_assets.dates import DateRange
from gong_assets.warehouse.errors import DeletionGuardError
from gong_assets.warehouse.pending_changes import record_changes
from gong_assets.warehouse.queries import IDS_PER_STATEMENT
from gong_assets.warehouse.tables import RawTable

if TYPE_CHECKING:
    from snowflake.connector.cursor import SnowflakeCursor


@dataclass(frozen=True)
class DeletionPolicy:
    """Which deletions a landing applies without confirmation."""

    max_deleted_fraction: float = 1.0
    """Maximum fraction of the existing rows that may be deleted; 1 disables the guard."""
    is_expected: Callable[[str], bool] = lambda key: False
    """Returns True for a missing record that is an expected deletion, such as a call that became private."""
    with_dependents: bool = True
    """Delete the dependents of deleted records too. If not, a landing of theirs follows, and counts them."""


UNGUARDED = DeletionPolicy()


def check_deletions(
    table: RawTable,
    ranges: Sequence[DateRange] | None,
    *,
    existing: int,
    missing: int,
    policy: DeletionPolicy,
) -> None:
    """Raise DeletionGuardError if the missing rows are more than the policy allows, or all existing rows."""
    allowed = policy.max_deleted_fraction
    if missing and allowed < 1 and (missing == existing or missing > existing * allowed):
        raise DeletionGuardError(
            table.name,
            existing=existing,
            missing=missing,
            max_deleted_fraction=allowed,
            days=", ".join(map(str, ranges or ())),
        )


def delete_records(cursor: SnowflakeCursor, table: RawTable, keys: Sequence[str], correlation_id: str) -> int:
    """Delete these records, record the change of their days, and return the number of deleted rows."""
    deleted = 0
    day = table.partition.name if table.partition else "NULL::DATE"
    for first in range(0, len(keys), IDS_PER_STATEMENT):
        some = keys[first : first + IDS_PER_STATEMENT]
        rows = f"{table.name} WHERE {table.key.name} IN ({', '.join(['%s'] * len(some))})"
        record_changes(cursor, table.name, f"SELECT {day} AS DAY FROM {rows}", some, correlation_id)
        cursor.execute(f"DELETE FROM {rows}", some)
        deleted += cursor.rowcount or 0
    return deleted
