"""The data directory of the server.

::

    databases/NAME.db   one DuckDB file per database; SNOWFLAKE.db holds the usage history
    account.db          metadata of all databases: stages, comments, lengths of text columns
    stages/             the files of internal stages
    server.lock         locked by the server that uses the directory
"""

from __future__ import annotations

from pathlib import Path

import duckdb
from fakesnow import info_schema
from fakesnow import macros as fakesnow_macros
from fakesnow.conn import FakeSnowflakeConnection
from fakesnow.instance import GLOBAL_DATABASE_NAME
from fakesnow.transforms import show
from filelock import FileLock, Timeout

from gong_assets.local.snowflake.cortex import udfs
from gong_assets.local.snowflake.cortex.usage_history import DATABASE as USAGE_DATABASE
from gong_assets.local.snowflake.cortex.usage_history import UsageHistory
from gong_assets.local.snowflake.sql import macros
from gong_assets.local.snowflake.storage import fakesnow_patches
from gong_assets.local.snowflake.storage.result_cache import ResultCache

# DuckDB reads a row group with one thread. With its default of 122,880 rows, a search of 100,000 embeddings
# would use one core.
ROW_GROUP_SIZE = 16_384
# Compressed embeddings are a seventh smaller, but comparing them takes two thirds longer.
DISABLED_COMPRESSION = "alp,alprd"


class DataInUseError(Exception):
    """Another server uses the data directory."""


class Storage:
    """The open databases of a data directory. There is one instance per process."""

    def __init__(self, directory: Path) -> None:
        """Open or create the databases in ``directory``; raises DataInUseError if another server uses it."""
        self.databases = directory / "databases"
        self.databases.mkdir(parents=True, exist_ok=True)
        self._lock = FileLock(directory / "server.lock")
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            raise DataInUseError(f"Another server uses {directory}.") from None
        self.results = ResultCache()
        # sqlglot generates lambdas with an arrow, which DuckDB 2 does not accept by default.
        self._duck = duckdb.connect(
            ":memory:",
            config={"lambda_syntax": "ENABLE_SINGLE_ARROW", "temp_directory": str(directory / "spill")},
        )
        # Not Snowflake's default, which is America/Los_Angeles.
        self._duck.execute("SET GLOBAL TimeZone = 'UTC'")
        self._duck.execute(f"SET GLOBAL disabled_compression_methods = '{DISABLED_COMPRESSION}'")
        fakesnow_patches.describe_tables_of_every_database()
        fakesnow_patches.list_views_as_tables()
        fakesnow_patches.quote_comments()
        fakesnow_patches.keep_stages_in(directory / "stages")
        self._attach(directory / "account.db", GLOBAL_DATABASE_NAME)
        self._duck.execute(info_schema.fs_global_creation_sql())
        self._duck.execute(fakesnow_patches.columns_view_sql())
        self._duck.execute(show.fs_global_creation_sql())
        self._duck.execute(macros.creation_sql())
        for file in sorted(self.databases.glob("*.db")):
            self._attach_database(file.stem)
        if USAGE_DATABASE not in {file.stem for file in self.databases.glob("*.db")}:
            self._attach_database(USAGE_DATABASE)
        fakesnow_patches.drop_temporary_stages(self._duck)
        self.usage = UsageHistory(self._duck.cursor())
        udfs.register(self._duck, self.usage)

    def connect(self, database: str | None, schema: str | None) -> FakeSnowflakeConnection:
        """Return a new connection for a session, and create the database and the schema if they do not exist.

        Snowflake would not create them; here they are created so that a project can start with an empty
        directory.
        """
        if database is not None and database.upper() not in self._attached():
            self._attach_database(database.upper())
        return FakeSnowflakeConnection(
            self._duck.cursor(), self.results, database=database, schema=schema, db_path=self.databases
        )

    def drop_database(self, name: str) -> None:
        """Delete the file of a detached database."""
        for suffix in (".db", ".db.wal"):
            (self.databases / f"{name}{suffix}").unlink(missing_ok=True)

    def close(self) -> None:
        """Checkpoint and close all databases, and release the data directory."""
        for (name,) in self._duck.execute(
            "SELECT database_name FROM duckdb_databases() WHERE path IS NOT NULL"
        ).fetchall():
            self._duck.execute(f'CHECKPOINT "{name}"')
        self._duck.close()
        self._lock.release()

    def _attached(self) -> set[str]:
        rows = self._duck.execute("SELECT upper(database_name) FROM duckdb_databases()").fetchall()
        return {name for (name,) in rows}

    def _attach_database(self, name: str) -> None:
        self._attach(self.databases / f"{name}.db", name)
        self._duck.execute(info_schema.per_db_creation_sql(name))
        self._duck.execute(fakesnow_patches.tables_view_sql(name))
        self._duck.execute(fakesnow_macros.creation_sql(name))

    def _attach(self, file: Path, name: str) -> None:
        path = str(file).replace("'", "''")
        self._duck.execute(f"ATTACH '{path}' AS \"{name}\" (ROW_GROUP_SIZE {ROW_GROUP_SIZE})")
