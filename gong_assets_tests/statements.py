"""The statements that this process sends to the warehouse, for tests of how many a run needs.

with recorded_statements() as sent:
    job.execute_in_process(...)
assert sent.logins <= 3 and len(sent.statements) <= 250, sent.by_kind()
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

from snowflake.connector import SnowflakeConnection

_COMMENTS = re.compile(r"/\*.*?\*/|--[^\n]*", re.DOTALL)
_WORDS_OF_KIND = {"CREATE": 3, "ALTER": 2, "SHOW": 2, "INSERT": 2, "COMMENT": 3}


@dataclass
class Statements:
    """Statements in the order in which they were sent, and the number of connections.

    Attributes:
        seconds: the time until the answers of all statements had arrived, added up.
    """

    statements: list[str] = field(default_factory=list)
    logins: int = 0
    seconds: float = 0.0

    def by_kind(self) -> dict[str, int]:
        """Return the number of statements by their first words, most frequent first."""
        return dict(Counter(map(kind, self.statements)).most_common())


def kind(sql: str) -> str:
    """Return the first word of a statement, or its first words if one does not say what it does."""
    words = _COMMENTS.sub(" ", sql).upper().replace("OR REPLACE ", "").split()
    return " ".join(words[: _WORDS_OF_KIND.get(words[0], 1)])


@contextmanager
def recorded_statements() -> Iterator[Statements]:
    """Record what all connections of this process send within the block, dbt's included."""
    sent = Statements()
    connect, query = SnowflakeConnection.connect, SnowflakeConnection.cmd_query

    def connect_and_count(self: SnowflakeConnection, **arguments: Any) -> None:
        connect(self, **arguments)
        sent.logins += 1

    def query_and_record(self: SnowflakeConnection, sql: str, *arguments: Any, **options: Any) -> Any:
        if not options.get("describe_only"):
            sent.statements.append(sql)
        started = time.perf_counter()
        try:
            return query(self, sql, *arguments, **options)
        finally:
            sent.seconds += time.perf_counter() - started

    with (
        patch.object(SnowflakeConnection, "connect", connect_and_count),
        patch.object(SnowflakeConnection, "cmd_query", query_and_record),
    ):
        yield sent
