"""A session's connection to DuckDB and its state: schema, parameters, variables and transaction."""

from __future__ import annotations

import duckdb
from fakesnow.conn import FakeSnowflakeConnection
from fakesnow.transforms import stage
from sqlglot import exp

from gong_assets.local.snowflake.cortex.call_translation import FAIL_ON_ERROR_VARIABLE
from gong_assets.local.snowflake.errors import SnowflakeError
from gong_assets.local.snowflake.sql.temporary_stages import TemporaryStages
from gong_assets.local.snowflake.sql.temporary_tables import TemporaryTables, full_name
from gong_assets.local.snowflake.storage import fakesnow_patches
from gong_assets.local.snowflake.storage.databases import Storage
from gong_assets.local.snowflake.storage.transaction import Transaction
from gong_assets.local.snowflake.storage.writer_lock import DEFAULT_LOCK_TIMEOUT_SECONDS, WriterLock


class Connection:
    """The state of one session. Only the session's thread uses it, except for ``cancel``."""

    def __init__(
        self,
        storage: Storage,
        lock: WriterLock,
        *,
        session_id: str,
        database: str | None,
        schema: str | None,
        owner: object,
    ) -> None:
        self.parameters: dict[str, str] = {}
        self.session_variables: dict[str, exp.Expression] = {}
        self.temporary_tables = TemporaryTables()
        self.temporary_stages = TemporaryStages(session_id)
        self._storage = storage
        self._lock = lock
        self._duckdb_variables: dict[str, str] = {}
        self.fakesnow: FakeSnowflakeConnection = storage.connect(database, schema)
        self.duck: duckdb.DuckDBPyConnection = self.fakesnow._duck_conn
        self.transaction = Transaction(self.duck, lock, owner)

    @property
    def database(self) -> str | None:
        """The current database."""
        name: str | None = self.fakesnow.database
        return name

    @property
    def schema(self) -> str | None:
        """The current schema."""
        name: str | None = self.fakesnow.schema
        return name

    @property
    def lock_timeout(self) -> float:
        """Seconds to wait for the writer lock."""
        return float(self.parameters.get("LOCK_TIMEOUT", DEFAULT_LOCK_TIMEOUT_SECONDS))

    def set_parameter(self, name: str, value: str) -> None:
        """Run ALTER SESSION SET; raises SnowflakeError for an unknown TIMEZONE."""
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
            self.set_duckdb_variable(FAIL_ON_ERROR_VARIABLE, value)
        self.parameters[name] = value

    def unset_parameter(self, name: str) -> None:
        """Run ALTER SESSION UNSET, which restores the default."""
        name = name.upper()
        if name == "TIMEZONE":
            self.duck.execute("SET TimeZone = 'UTC'")
        elif name == "AUTOCOMMIT":
            self.transaction.autocommit = True
        elif name == FAIL_ON_ERROR_VARIABLE.upper():
            self.set_duckdb_variable(FAIL_ON_ERROR_VARIABLE, "true")
        self.parameters.pop(name, None)

    def duckdb_variable(self, name: str) -> str:
        """Return the value that ``set_duckdb_variable`` stored."""
        return self._duckdb_variables[name]

    def set_duckdb_variable(self, name: str, value: str) -> None:
        """Set a DuckDB variable, which rewritten functions such as CURRENT_ROLE() read."""
        self._duckdb_variables[name] = value
        self.duck.execute(f"SET VARIABLE {name} = " + exp.Literal.string(value).sql(dialect="duckdb"))

    def stage_name(self, name: str) -> str:
        """Return the full name DATABASE.SCHEMA.STAGE under which a stage is stored."""
        full_name = ".".join(stage.parts_from_var(name.lstrip("@"), self.database, self.schema))
        return self.temporary_stages.stored_name(full_name)

    def has_table(self, table: exp.Table) -> bool:
        """Return whether the session can see a table of this name."""
        # Reads the catalog, because querying a missing table would abort an open transaction.
        found = self.duck.execute(
            "SELECT 1 FROM duckdb_tables() WHERE database_name = ? AND schema_name = ? AND table_name = ?",
            list(full_name(table, self.database, self.schema)),
        )
        return found.fetchone() is not None

    def require_stage(self, full_name: str) -> None:
        """Raise SnowflakeError unless the stage exists."""
        database, schema, name = full_name.split(".")
        if not self.duck.execute(
            stage.stage_lookup_sql(database, schema, name, self.fakesnow.table_stages)
        ).fetchone():
            raise stage.not_found_error(full_name)

    def drop_database(self, name: str, *, if_exists: bool) -> None:
        """Run DROP DATABASE: detach the database and delete its file."""
        rows = self.duck.execute("SELECT database_name FROM duckdb_databases()").fetchall()
        if name not in {row[0] for row in rows}:
            if if_exists:
                return
            raise SnowflakeError(
                2003, "02000", f"SQL compilation error: Database '{name}' does not exist or not authorized."
            )
        with self.transaction.ddl(self.lock_timeout):
            if self.database == name:
                self.duck.execute("USE memory.main")
                self.fakesnow.database, self.fakesnow._schema = None, None
                self.fakesnow.database_set = self.fakesnow.schema_set = False
            self.duck.execute(f'DETACH "{name}"')
            self._storage.drop_database(name)

    def drop_for_replacement(self, kind: str, container: exp.Table) -> None:
        """Drop the database or schema of a CREATE OR REPLACE, with all that is in it, if it exists."""
        if kind == "DATABASE":
            self.drop_database(full_name(container, None, None)[2], if_exists=True)
            return
        database, schema = full_name(container, self.database, None)[:2]
        with self.transaction.ddl(self.lock_timeout):
            self.duck.execute(f'DROP SCHEMA IF EXISTS "{database}"."{schema}" CASCADE')

    def finish_create(self, statement: exp.Create) -> None:
        """Complete a CREATE after fakesnow: record a temporary stage, or add PUBLIC to a new database."""
        table = statement.find(exp.Table)
        if table is None:
            return
        kind = str(statement.args.get("kind")).upper()
        if kind == "STAGE" and statement.find(exp.TemporaryProperty):
            self.temporary_stages.add(self.stage_name(table.sql(dialect="snowflake")))
        elif kind == "DATABASE":
            name = full_name(table, None, None)[2]
            self.duck.execute(f'CREATE SCHEMA IF NOT EXISTS "{name}".PUBLIC')

    def cancel(self) -> None:
        """Interrupt the running statement, if any. May be called from any thread."""
        self.transaction.cancelled.set()
        self._lock.wake_waiters()
        self.duck.interrupt()

    def close(self) -> None:
        """Roll back the open transaction, drop temporary objects, and close the DuckDB connection."""
        self.transaction.rollback()
        for name in self.temporary_stages.stored_names():
            fakesnow_patches.drop_stage(self.duck, name)
        self.fakesnow.close()
