"""A client's session: its connection, its settings, and the thread on which its statements run one by one."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

import duckdb
import sqlglot
from fakesnow.transforms import stage
from sqlglot import exp

from gong_assets.local.snowflake import commands, fakesnow_patches
from gong_assets.local.snowflake.cortex_calls import FAIL_ON_ERROR_VARIABLE, QUERY_ID_VARIABLE
from gong_assets.local.snowflake.cursor import Cursor, Parameters
from gong_assets.local.snowflake.errors import SnowflakeError, translate
from gong_assets.local.snowflake.locks import DEFAULT_LOCK_TIMEOUT_SECONDS, WriterLock
from gong_assets.local.snowflake.refusals import refuse
from gong_assets.local.snowflake.results import Result
from gong_assets.local.snowflake.rewrite import rewrite
from gong_assets.local.snowflake.storage import Storage
from gong_assets.local.snowflake.temporary_tables import TemporaryTables, full_name
from gong_assets.local.snowflake.transaction import Transaction
from gong_assets.local.snowflake.usage import QueryContext

T = TypeVar("T")

# The server has no users: everyone is the same one in the usage history.
USER_ID = 1

_DML = (exp.Insert, exp.Update, exp.Delete, exp.Merge, exp.Copy)
_DDL = (exp.Create, exp.Alter, exp.Drop, exp.Comment, exp.TruncateTable)


@dataclass(frozen=True)
class Login:
    """What a client said when it logged in. Nothing of it is checked."""

    account: str = ""
    user: str = ""
    role: str = ""
    warehouse: str = ""
    database: str | None = None
    schema: str | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Request:
    """A statement to run: its text, and the values of its placeholders (one set per row for a batch)."""

    sql: str
    parameters: Parameters = None
    batch: list[list[Any]] | None = None
    describe_only: bool = False


@dataclass(frozen=True)
class Answer:
    """A statement's result, and for a PUT what the client has to do."""

    result: Result
    upload: dict[str, Any] | None = None


class Session:
    """One logged-in client. Statements may be submitted from any thread; they run on the session's own."""

    def __init__(self, storage: Storage, lock: WriterLock, login: Login) -> None:
        self.token = secrets.token_urlsafe(32)
        self.id = secrets.randbelow(2**53)
        self.login = login
        self.parameters: dict[str, str] = {}
        self.variables: dict[str, exp.Expression] = {}
        self.last_used = time.monotonic()
        self._storage = storage
        self._lock = lock
        self._variables: dict[str, str] = {}
        self._temporary_tables = TemporaryTables()
        self._temporary_stages: set[str] = set()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"session-{self.id}")
        self._connection = storage.connect(login.database, login.schema)
        self.duck: duckdb.DuckDBPyConnection = self._connection._duck_conn
        self.transaction = Transaction(self.duck, lock, self)
        for name, value in (
            ("current_account", login.account),
            ("current_user", login.user),
            ("current_role", login.role),
            ("current_warehouse", login.warehouse),
            ("current_region", "LOCAL"),
            ("current_session", str(self.id)),
            ("last_query_id", ""),
            (QUERY_ID_VARIABLE, ""),
            (FAIL_ON_ERROR_VARIABLE, "true"),
        ):
            self.set_variable(name, value)
        for name, value in login.parameters.items():
            self.set_parameter(name, value)

    def __str__(self) -> str:
        return f"session {self.id} of user {self.login.user or 'unknown'}"

    @property
    def database(self) -> str | None:
        """The current database."""
        name: str | None = self._connection.database
        return name

    @property
    def schema(self) -> str | None:
        """The current schema."""
        name: str | None = self._connection.schema
        return name

    def submit(self, work: Callable[[], T]) -> Future[T]:
        """Do ``work`` on the session's thread, after what was submitted before."""
        self.last_used = time.monotonic()
        return self._thread.submit(work)

    def execute(self, request: Request, query_id: str) -> Answer:
        """Run one statement, on the session's thread; raises SnowflakeError."""
        context = QueryContext(
            query_id=query_id,
            query_tag=self.parameters.get("QUERY_TAG", ""),
            role=self.variable("current_role"),
            user_id=USER_ID,
            started=datetime.now(UTC),
        )
        completed = False
        try:
            self.set_variable(QUERY_ID_VARIABLE, context.query_id)
            answer = self._run(request, context.query_id)
            self.set_variable("last_query_id", context.query_id)
            completed = True
            return answer
        except Exception as error:
            self.transaction.note_failure()
            raise translate(error) from error
        finally:
            self._storage.usage.close_query(context, datetime.now(UTC), completed=completed)

    def cancel(self) -> None:
        """Stop the running statement, if there is one."""
        self.transaction.cancelled.set()
        self._lock.wake_waiters()
        self.duck.interrupt()

    def close(self) -> None:
        """Roll back the open transaction, drop what was temporary, and free the connection."""
        self.cancel()
        self._thread.submit(self._close).result()
        self._thread.shutdown(wait=False)

    def set_parameter(self, name: str, value: str) -> None:
        """ALTER SESSION SET; raises SnowflakeError for a TIMEZONE that does not exist."""
        name = name.upper()
        if name == "TIMEZONE":
            try:
                self.duck.execute("SET TimeZone = " + exp.Literal.string(value).sql(dialect="duckdb"))
            except duckdb.Error:
                raise SnowflakeError(
                    1008, "22023", f"invalid value [{value}] for parameter 'TIMEZONE'"
                ) from None
        elif name == "AUTOCOMMIT":
            self.transaction.commit()
            self.transaction.autocommit = value.lower() == "true"
        elif name == FAIL_ON_ERROR_VARIABLE.upper():
            self.set_variable(FAIL_ON_ERROR_VARIABLE, value)
        self.parameters[name] = value

    def unset_parameter(self, name: str) -> None:
        """ALTER SESSION UNSET: back to the default."""
        name = name.upper()
        if name == "TIMEZONE":
            self.duck.execute("SET TimeZone = 'UTC'")
        elif name == "AUTOCOMMIT":
            self.transaction.autocommit = True
        elif name == FAIL_ON_ERROR_VARIABLE.upper():
            self.set_variable(FAIL_ON_ERROR_VARIABLE, "true")
        self.parameters.pop(name, None)

    def variable(self, name: str) -> str:
        """The value of a variable that ``set_variable`` set."""
        return self._variables[name]

    def set_variable(self, name: str, value: str) -> None:
        """Set a DuckDB variable of the connection, which rewritten functions read (CURRENT_ROLE() and others)."""
        self._variables[name] = value
        self.duck.execute(f"SET VARIABLE {name} = " + exp.Literal.string(value).sql(dialect="duckdb"))

    def stage_name(self, name: str) -> str:
        """The full name DATABASE.SCHEMA.STAGE of a stage."""
        return ".".join(stage.parts_from_var(name.lstrip("@"), self.database, self.schema))

    def has_table(self, table: exp.Table) -> bool:
        """Whether a table of this name exists, as the session would find it."""
        # Asking the catalog, not the table: an error would cost an open transaction.
        found = self.duck.execute(
            "SELECT 1 FROM duckdb_tables() WHERE database_name = ? AND schema_name = ? AND table_name = ?",
            list(full_name(table, self.database, self.schema)),
        )
        return found.fetchone() is not None

    def require_stage(self, full_name: str) -> None:
        """Raise SnowflakeError unless the stage exists."""
        database, schema, name = full_name.split(".")
        if not self.duck.execute(
            stage.stage_lookup_sql(database, schema, name, self._connection.table_stages)
        ).fetchone():
            raise stage.not_found_error(full_name)

    def drop_database(self, name: str, *, if_exists: bool) -> None:
        """DROP DATABASE: detach it, and delete its file."""
        known = {
            row[0] for row in self.duck.execute("SELECT database_name FROM duckdb_databases()").fetchall()
        }
        if name not in known:
            if if_exists:
                return
            raise SnowflakeError(
                2003, "02000", f"SQL compilation error: Database '{name}' does not exist or not authorized."
            )
        with self.transaction.ddl(self._lock_timeout):
            if self.database == name:
                self.duck.execute("USE memory.main")
                self._connection.database, self._connection._schema = None, None
                self._connection.database_set = self._connection.schema_set = False
            self.duck.execute(f'DETACH "{name}"')
            self._storage.drop_database(name)

    @property
    def _lock_timeout(self) -> float:
        return float(self.parameters.get("LOCK_TIMEOUT", DEFAULT_LOCK_TIMEOUT_SECONDS))

    def _run(self, request: Request, query_id: str) -> Answer:
        self.transaction.cancelled.clear()
        cursor = Cursor(self._connection, self._storage.results)
        if (answered := commands.answer_text(self, request.sql)) is not None:
            return Answer(cursor.run(commands.parse_answer(answered), None, query_id))
        statement = self._parse(request.sql)
        if (answered := commands.answer_statement(self, statement)) is not None:
            return Answer(cursor.run(commands.parse_answer(answered), None, query_id))
        self.transaction.require_alive()
        if request.describe_only:
            return Answer(Result.of_columns(cursor.describe_columns(statement), statement))
        with self._writing(statement):
            result = self._run_rows(cursor, statement, request, query_id)
        if isinstance(statement, exp.Create):
            self._after_create(statement)
        return Answer(result, cursor.upload())

    def _run_rows(self, cursor: Cursor, statement: exp.Expression, request: Request, query_id: str) -> Result:
        if request.batch is None:
            return cursor.run(statement, request.parameters, query_id)
        results = [cursor.run(statement.copy(), list(row), query_id) for row in request.batch]
        return results[-1].with_affected(sum(result.affected or 0 for result in results))

    def _parse(self, sql: str) -> exp.Expression:
        statement = sqlglot.parse_one(sql, read="snowflake")
        refuse(sql, statement)
        for parameter in list(statement.find_all(exp.Parameter)):
            # $1 is a column of a staged file.
            if isinstance(parameter.this, exp.Var):
                name = parameter.this.name.upper()
                if name not in self.variables:
                    raise SnowflakeError(2211, "02000", f"Session variable '${name}' does not exist")
                parameter.replace(self.variables[name].copy())
        statement = rewrite(statement)
        self._temporary_tables.resolve(statement, self.database, self.schema)
        return statement

    def _writing(self, statement: exp.Expression) -> AbstractContextManager[None]:
        if isinstance(statement, _DML):
            return self.transaction.dml(self._lock_timeout)
        if isinstance(statement, _DDL):
            return self.transaction.ddl(self._lock_timeout)
        if isinstance(statement, exp.Command) and str(statement.this).upper() in ("CREATE", "ALTER", "DROP"):
            return self.transaction.ddl(self._lock_timeout)
        return nullcontext()

    def _after_create(self, statement: exp.Create) -> None:
        table = statement.find(exp.Table)
        if table is None:
            return
        kind = str(statement.args.get("kind")).upper()
        if kind == "STAGE" and statement.find(exp.TemporaryProperty):
            self._temporary_stages.add(self.stage_name(table.sql(dialect="snowflake")))
        elif kind == "DATABASE":
            name = full_name(table, None, None)[2]
            self.duck.execute(f'CREATE SCHEMA IF NOT EXISTS "{name}".PUBLIC')

    def _close(self) -> None:
        self.transaction.rollback()
        for name in self._temporary_stages:
            fakesnow_patches.drop_stage(self.duck, name)
        self._connection.close()
