"""SQL that finds, moves and deletes what was sent before."""

from __future__ import annotations

from dataclasses import dataclass

from gong_assets.cortex.enrichments import Enrichment
from gong_assets.cortex.tables import ANSWERS, ATTEMPTS
from gong_assets.cortex.texts import CALLS, Scope
from gong_assets.warehouse.literals import literal


@dataclass(frozen=True)
class SentTexts:
    """The attempts and answers of an enrichment that the texts of the run's days do not have any more."""

    enrichment: Enrichment
    scope: Scope

    @property
    def _name(self) -> str:
        return literal(self.enrichment.name)

    def counts(self, kept_days: int) -> str:
        """Return the columns MOVED, STALE and ORPHANED of a query with the CTE `texts`.

        What was sent for a call that has MOVED to a day of the run is on another day. STALE texts were
        changed, or are no longer said in their call. The call of ORPHANED texts is not landed any more, and
        its answers are not kept, or no longer.
        """
        return f"""(SELECT COUNT(*) FROM {ATTEMPTS} AS attempts {self._moved("attempts")}) AS MOVED,
    (SELECT COUNT(*) FROM {ATTEMPTS} AS attempts WHERE {self._stale("attempts")}) AS STALE,
    (SELECT COUNT(*) FROM {ATTEMPTS} AS attempts WHERE {self._orphaned(kept_days)}) AS ORPHANED"""

    def _moved(self, table: str) -> str:
        return (
            f"INNER JOIN {CALLS} AS calls ON {table}.CALL_ID = calls.CALL_ID\n"
            f"        WHERE {table}.ENRICHMENT = {self._name} AND {self.scope.in_days('calls.CALL_DATE')} "
            f"AND {table}.CALL_DATE <> calls.CALL_DATE"
        )

    def _stale(self, table: str) -> str:
        return (
            f"ENRICHMENT = {self._name} AND {self.scope.in_days(f'{table}.CALL_DATE')}\n"
            f"        AND {table}.CALL_ID IN (SELECT CALL_ID FROM {CALLS} WHERE "
            f"{self.scope.in_days('CALL_DATE')})\n"
            f"        AND NOT EXISTS (SELECT 1 FROM texts WHERE texts.CALL_ID = {table}.CALL_ID "
            f"AND texts.TEXT_HASH = {table}.TEXT_HASH)"
        )

    def _orphaned(self, kept_days: int) -> str:
        # A call leaves the layers with the run of its day. Kept answers outlive that run.
        of_days = self.scope.in_days("CALL_DATE")
        is_old = f"ATTEMPTED_AT < DATEADD('day', -{kept_days}, CURRENT_TIMESTAMP())"
        return (
            f"ENRICHMENT = {self._name} AND CALL_ID NOT IN (SELECT CALL_ID FROM GONG_CALLS_RAW) "
            f"AND {is_old if kept_days else of_days}"
        )

    def move(self) -> list[str]:
        """Return statements that put what was sent for moved calls on their new days."""
        return [
            f"UPDATE {table} SET CALL_DATE = calls.CALL_DATE FROM {CALLS} AS calls "
            f"WHERE {table}.CALL_ID = calls.CALL_ID AND {table}.ENRICHMENT = {self._name} "
            f"AND {self.scope.in_days('calls.CALL_DATE')} AND {table}.CALL_DATE <> calls.CALL_DATE"
            for table in (ANSWERS, ATTEMPTS)
        ]

    def delete_stale(self) -> list[str]:
        """Return statements that delete what was sent of texts that are no longer said."""
        texts = self.enrichment.texts(self.scope)
        return [
            f"DELETE FROM {table} WHERE "
            + self._stale(table).replace("FROM texts WHERE", f"FROM ({texts}) AS texts WHERE")
            for table in (ANSWERS, ATTEMPTS)
        ]

    def delete_orphaned(self, kept_days: int) -> list[str]:
        """Return statements that delete what was sent for calls that are not landed any more.

        An answer is as old as its attempt.
        """
        orphaned = self._orphaned(kept_days)
        return [
            f"DELETE FROM {ANSWERS} WHERE ENRICHMENT = {self._name} AND EXISTS (SELECT 1 FROM "
            f"(SELECT CALL_ID, TEXT_HASH, BATCH_ID FROM {ATTEMPTS} WHERE {orphaned}) AS orphaned "
            f"WHERE orphaned.CALL_ID = {ANSWERS}.CALL_ID AND orphaned.TEXT_HASH = {ANSWERS}.TEXT_HASH "
            f"AND orphaned.BATCH_ID = {ANSWERS}.BATCH_ID)",
            f"DELETE FROM {ATTEMPTS} WHERE {orphaned}",
        ]
