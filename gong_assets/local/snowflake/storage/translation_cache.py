"""A bounded cache of translated queries, which saves two thirds of the server's time for a short query."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass

from sqlglot import exp

MAX_QUERIES = 500
MAX_CHARACTERS = 20_000  # of a query; longer ones are rare


@dataclass(frozen=True)
class QueryText:
    """A query, and the session state on which its translation depends."""

    sql: str
    database: str
    schema: str
    governance: str = ""  # the roles of the session, if privileges or policies apply


@dataclass(frozen=True)
class TranslatedQuery:
    """A query that DuckDB can run. The expression is shared and must not be changed."""

    expression: exp.Expression
    statement_type: int


class TranslationCache:
    """Translated queries by their text. The least recently used ones are evicted."""

    def __init__(self) -> None:
        self._queries: OrderedDict[QueryText, TranslatedQuery] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, text: QueryText) -> TranslatedQuery | None:
        """Return the translation of a query, or None."""
        with self._lock:
            if text in self._queries:
                self._queries.move_to_end(text)
            return self._queries.get(text)

    def put(self, text: QueryText, query: TranslatedQuery) -> None:
        """Add the translation of a query."""
        if len(text.sql) > MAX_CHARACTERS:
            return
        with self._lock:
            self._queries[text] = query
            while len(self._queries) > MAX_QUERIES:
                self._queries.popitem(last=False)
