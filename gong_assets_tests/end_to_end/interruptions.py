"""What happens to a run at a statement: it is killed, or another run takes place meanwhile.

Both happen at a chosen statement, so a sequence of them can be repeated exactly.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any
from unittest.mock import patch

from snowflake.connector import SnowflakeConnection

from gong_assets_tests.statements import kind


class Killed(BaseException):
    """The process of the run ends here: no handler of `Exception` may see it."""


@contextmanager
def at_statement(number: int, happens: Callable[[], object]) -> Iterator[None]:
    """Call `happens` before this statement of all connections of the block (1 is the first).

    It waits for the end of an open transaction, which another run in this process could not outwait.
    """
    query, lock = SnowflakeConnection.cmd_query, threading.Lock()
    sent, due, in_transaction = 0, True, set[int]()

    def counted(self: SnowflakeConnection, sql: str, *arguments: Any, **options: Any) -> Any:
        nonlocal sent, due
        with lock:
            sent += 1
            now = due and sent >= number and not in_transaction
            due = due and not now
        if now:
            happens()
        match kind(sql):
            case "BEGIN" | "START":
                in_transaction.add(id(self))
            case "COMMIT" | "ROLLBACK":
                in_transaction.discard(id(self))
        return query(self, sql, *arguments, **options)

    with patch.object(SnowflakeConnection, "cmd_query", counted):
        yield


@contextmanager
def killed_at(number: int) -> Iterator[None]:
    """Kill the run of the block before this statement, in a transaction or not, if it sends so many.

    Nothing that the run would do afterwards reaches the warehouse, except that its transactions are rolled
    back, as Snowflake does when a session ends.
    """
    query = SnowflakeConnection.cmd_query
    sent = 0

    def counted(self: SnowflakeConnection, sql: str, *arguments: Any, **options: Any) -> Any:
        nonlocal sent
        sent += 1
        if sent < number or kind(sql) == "ROLLBACK":
            return query(self, sql, *arguments, **options)
        if threading.current_thread() is threading.main_thread():
            raise Killed
        raise RuntimeError("killed")  # dbt waits for ever for a thread that ends otherwise.

    with patch.object(SnowflakeConnection, "cmd_query", counted), suppress(Killed):
        yield
