"""State of the connection to the warehouse, for probes of the MCP server."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from threading import Lock, Thread

from gong_assets.agents.freshness import data_as_of
from gong_assets.warehouse.connection import Warehouse
from gong_assets.warehouse.errors import (
    WarehouseQueryFailed,
    WarehouseSignInFailed,
    WarehouseUnreachable,
)

# Probes come every few seconds, and each check is a sign-in to the warehouse.
SECONDS_BETWEEN_CHECKS = 15
# A query resumes a suspended warehouse, which then costs credits for a minute at least. A sign-in does not.
SECONDS_BETWEEN_QUERIES = 15 * 60
# A warehouse that does not answer takes longer to fail than a probe waits.
SECONDS_TO_WAIT = 3

_STATES = {
    WarehouseUnreachable: "unreachable",
    WarehouseSignInFailed: "sign-in refused",
    WarehouseQueryFailed: "connected, but without tables",
}


class Health:
    """Checks the connection in the background. The report has no names, hosts or messages of errors."""

    def __init__(
        self, warehouse: Callable[[], Warehouse], explain: Callable[[Exception], str | None]
    ) -> None:
        self._warehouse = warehouse
        self._explain = explain
        self._lock = Lock()
        self._check = Thread()
        self._started_at = float("-inf")
        self._queried_at = float("-inf")
        self._as_of: datetime | None = None
        self._report = {"status": "degraded", "warehouse": "connecting"}

    def report(self) -> dict[str, str]:
        """Return the state of the server and of its connection to the warehouse."""
        with self._lock:
            is_due = time.monotonic() - self._started_at > SECONDS_BETWEEN_CHECKS
            if is_due and not self._check.is_alive():
                self._started_at = time.monotonic()
                self._check = Thread(target=self._run_check, daemon=True)
                self._check.start()
            check = self._check
        check.join(SECONDS_TO_WAIT)
        return self._report

    def _run_check(self) -> None:
        try:
            with self._warehouse().connect() as connection:
                if time.monotonic() - self._queried_at > SECONDS_BETWEEN_QUERIES:
                    self._as_of = data_as_of(connection)
                    self._queried_at = time.monotonic()
        except Exception as error:
            state = _STATES.get(type(error), "not available")
            self._report = {"status": "degraded", "warehouse": state}
            if self._explain(error) is None:
                raise
            return
        as_of = {"data_as_of": self._as_of.isoformat()} if self._as_of else {}
        self._report = {"status": "ok", "warehouse": "connected", **as_of}
