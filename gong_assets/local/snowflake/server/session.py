"""A client's session: the thread that runs its statements one at a time, and how one statement is run."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar

from sqlglot import exp

from gong_assets.local.snowflake.cortex.call_translation import FAIL_ON_ERROR_VARIABLE, QUERY_ID_VARIABLE
from gong_assets.local.snowflake.cortex.usage_history import QueryContext
from gong_assets.local.snowflake.errors import to_snowflake_error
from gong_assets.local.snowflake.server import session_commands
from gong_assets.local.snowflake.server.connection import Connection
from gong_assets.local.snowflake.server.cursor import Cursor, Parameters
from gong_assets.local.snowflake.server.governed_session import GovernedSession
from gong_assets.local.snowflake.server.results import Result
from gong_assets.local.snowflake.server.translation import translate
from gong_assets.local.snowflake.sql import merges
from gong_assets.local.snowflake.storage.databases import Storage
from gong_assets.local.snowflake.storage.translation_cache import QueryText
from gong_assets.local.snowflake.storage.writer_lock import WriterLock

T = TypeVar("T")

# The server has no users: the usage history shows the same user id for every session.
USER_ID = 1

# $name is a variable of the session, and $1 a column of a staged file.
_VARIABLE = re.compile(r"\$\w")

_DML = (exp.Insert, exp.Update, exp.Delete, exp.Merge, exp.Copy)
_DDL = (exp.Create, exp.Alter, exp.Drop, exp.Comment, exp.TruncateTable)


@dataclass(frozen=True)
class Login:
    """The values of a login request, apart from the password."""

    account: str = ""
    user: str = ""
    role: str = ""
    warehouse: str = ""
    only_role: str | None = None  # of a programmatic access token
    database: str | None = None
    schema: str | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class StatementRequest:
    """A statement to run: its text and the values of its placeholders (for a batch, one list per row)."""

    sql: str
    parameters: Parameters = None
    batch: list[list[Any]] | None = None
    describe_only: bool = False


@dataclass(frozen=True)
class StatementResponse:
    """The result of a statement; for PUT also the instructions that the client carries out."""

    result: Result
    upload: dict[str, Any] | None = None


class Session:
    """One logged-in client. Statements can be submitted from any thread; they run on the session's own."""

    def __init__(self, storage: Storage, lock: WriterLock, login: Login) -> None:
        self.token = secrets.token_urlsafe(32)
        self.id = secrets.randbelow(2**53)
        self.last_used = time.monotonic()
        self._user = login.user
        self._storage = storage
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"session-{self.id}")
        self.connection = Connection(
            storage,
            lock,
            session_id=str(self.id),
            database=login.database,
            schema=login.schema,
            owner=self,
        )
        self.governed = GovernedSession(storage.governance, self.connection, login.user)
        role, warehouse = self.governed.log_in(login.role, login.warehouse, login.only_role)
        for name, value in (
            ("current_account", login.account),
            ("current_user", login.user),
            ("current_role", role),
            ("current_warehouse", warehouse),
            ("current_region", "LOCAL"),
            ("current_session", str(self.id)),
            ("last_query_id", ""),
            (QUERY_ID_VARIABLE, ""),
            (FAIL_ON_ERROR_VARIABLE, "true"),
        ):
            self.connection.set_duckdb_variable(name, value)
        for name, value in login.parameters.items():
            self.connection.set_parameter(name, value)

    def __str__(self) -> str:
        return f"session {self.id} of user {self._user or 'unknown'}"

    def submit(self, work: Callable[[], T]) -> Future[T]:
        """Queue ``work`` on the session's thread."""
        self.last_used = time.monotonic()
        return self._thread.submit(work)

    def execute(self, request: StatementRequest, query_id: str) -> StatementResponse:
        """Run one statement on the session's thread; raises SnowflakeError."""
        connection = self.connection
        context = QueryContext(
            query_id=query_id,
            query_tag=connection.parameters.get("QUERY_TAG", ""),
            role=connection.duckdb_variable("current_role"),
            user_id=USER_ID,
            started=datetime.now(UTC),
        )
        completed = False
        try:
            connection.set_duckdb_variable(QUERY_ID_VARIABLE, query_id)
            response = self._run(request, query_id)
            connection.set_duckdb_variable("last_query_id", query_id)
            completed = True
            return response
        except Exception as error:
            failure = self._storage.damage(error) or to_snowflake_error(error)
            connection.transaction.handle_failure(failure)
            raise failure from error
        finally:
            self._storage.usage.close_query(context, datetime.now(UTC), completed=completed)

    def cancel(self) -> None:
        """Interrupt the running statement, if any."""
        self.connection.cancel()

    def close(self) -> None:
        """Interrupt the running statement and close the connection, which rolls back its open transaction."""
        self.cancel()
        self._thread.submit(self.connection.close).result()
        self._thread.shutdown(wait=False)

    def _run(self, request: StatementRequest, query_id: str) -> StatementResponse:
        connection = self.connection
        connection.transaction.cancelled.clear()
        cursor = Cursor(connection.fakesnow, self._storage.results, self._user)
        cursor.apply_policies = partial(self.governed.apply_policies, cursor)
        cursor.rejects_duplicates = connection.parameters.get(merges.PARAMETER, "true").lower() == "true"
        text = self._query_text(request)
        if text is not None and (query := self._storage.translations.get(text)) is not None:
            connection.transaction.raise_if_aborted()
            return StatementResponse(cursor.run_translated(query, query_id))
        if (answer := session_commands.run_text_command(connection, self.governed, request.sql)) is not None:
            return StatementResponse(cursor.run(answer, None, query_id))
        sql = self.governed.with_policy_references(request.sql)
        statement = self.governed.session_functions(translate(sql, connection.session_variables))
        connection.temporary_tables.resolve(statement, connection.database, connection.schema)
        connection.temporary_stages.resolve(statement, connection.database, connection.schema)
        self.governed.check(sql, statement)
        creation = self.governed.creation(statement)
        if isinstance(statement, exp.Use):
            self.governed.use(statement)
        if (answer := session_commands.run_parsed_command(connection, statement)) is not None:
            response = StatementResponse(cursor.run(answer, None, query_id))
            if creation is not None:
                creation.finish()
            return response
        connection.transaction.raise_if_aborted()
        if request.describe_only:
            return StatementResponse(Result.of_columns(cursor.describe_columns(statement), statement))
        with self._write_transaction(statement):
            result = _run_all_rows(cursor, statement, request, query_id)
        if text is not None and cursor.translated is not None:
            self._storage.translations.put(text, cursor.translated)
        if isinstance(statement, exp.Create):
            connection.finish_create(statement)
        if creation is not None:
            creation.finish()
        return StatementResponse(result, cursor.upload())

    def _query_text(self, request: StatementRequest) -> QueryText | None:
        """Return the key of the request in the cache of translations.

        Returns None if its translation depends on more: values, session variables or temporary tables.
        """
        connection = self.connection
        if request.parameters or request.batch or request.describe_only or _VARIABLE.search(request.sql):
            return None
        if connection.temporary_tables or not (connection.database and connection.schema):
            return None
        return QueryText(request.sql, connection.database, connection.schema, self.governed.key)

    def _write_transaction(self, statement: exp.Expression) -> AbstractContextManager[None]:
        """Return the transaction that a statement needs; a query needs none."""
        transaction, lock_timeout = self.connection.transaction, self.connection.lock_timeout
        if isinstance(statement, _DML):
            return transaction.dml(lock_timeout)
        if isinstance(statement, _DDL):
            return transaction.ddl(lock_timeout)
        if isinstance(statement, exp.Command) and str(statement.this).upper() in ("CREATE", "ALTER", "DROP"):
            return transaction.ddl(lock_timeout)
        return nullcontext()


def _run_all_rows(
    cursor: Cursor, statement: exp.Expression, request: StatementRequest, query_id: str
) -> Result:
    """Run the statement once, or once for each row of a batch."""
    if request.batch is None:
        return cursor.run(statement, request.parameters, query_id)
    results = [cursor.run(statement.copy(), list(row), query_id) for row in request.batch]
    return results[-1].with_affected(sum(result.affected or 0 for result in results))
