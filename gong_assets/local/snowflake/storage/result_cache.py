"""A bounded cache of query results, for RESULT_SCAN and asynchronous queries."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

# fakesnow's own cache is unbounded. Entries also hold a parsed statement, so their number is limited too.
MAX_BYTES = 64 * 2**20
MAX_RESULTS = 100


class ResultCache(dict[str, tuple[Any, ...]]):
    """Cache of results by query id that evicts the oldest beyond 64 MiB of data or 100 results."""

    def __init__(self) -> None:
        super().__init__()
        self._sizes: OrderedDict[str, int] = OrderedDict()
        self._columns: dict[str, Sequence[tuple[str, str]]] = {}
        self._users: dict[str, str] = {}
        self._lock = threading.Lock()

    def __setitem__(self, query_id: str, result: tuple[Any, ...]) -> None:
        with self._lock:
            super().__setitem__(query_id, result)
            self._sizes[query_id] = result[0].nbytes
            while len(self._sizes) > MAX_RESULTS or sum(self._sizes.values()) > MAX_BYTES:
                oldest, _ = self._sizes.popitem(last=False)
                self._columns.pop(oldest, None)
                self._users.pop(oldest, None)
                del self[oldest]

    def rename(
        self, query_id: str, fakesnow_id: str, columns: Sequence[tuple[str, str]], user: str = ""
    ) -> None:
        """Move the result that fakesnow stored under its own id to the query id that the client knows."""
        with self._lock:
            if fakesnow_id in self:
                super().__setitem__(query_id, self.pop(fakesnow_id))
                self._sizes[query_id] = self._sizes.pop(fakesnow_id)
                self._columns[query_id] = columns
                self._users[query_id] = user

    def is_of(self, query_id: str, user: str) -> bool:
        """Return whether there is a result of this query, which the user ran."""
        return self._users.get(query_id) == user

    def columns(self, query_id: str) -> Sequence[tuple[str, str]]:
        """Return the (name, DuckDB type) pairs of a cached result."""
        return self._columns[query_id]
