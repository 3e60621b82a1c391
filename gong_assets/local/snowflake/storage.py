"""The server's files: one DuckDB file per database, the stages, and the lock that keeps a second server out.

Below the data directory::

    databases/NAME.db   a database of the account; SNOWFLAKE.db holds the usage history
    account.db          what spans databases: stages, comments, lengths of text columns
    stages/             the files of internal stages
    server.lock         held by the one server that may open all this
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

from gong_assets.local.snowflake import cortex_udfs, fakesnow_patches, macros
from gong_assets.local.snowflake.result_cache import ResultCache
from gong_assets.local.snowflake.usage import DATABASE as USAGE_DATABASE
from gong_assets.local.snowflake.usage import UsageHistory

# A row group is read by one thread: with DuckDB's 122,880 rows a search among 100,000 embeddings would use one core.
ROW_GROUP_SIZE = 16_384
# The compression of floats makes embeddings a seventh smaller, and comparing them take two thirds more time.
UNUSED_COMPRESSION = "alp,alprd"


class DataInUseError(Exception):
    """Another server has the data directory open."""


class Storage:
    """The open databases of one data directory; there is one per process."""

    def __init__(self, directory: Path) -> None:
        """Open or create the databases in ``directory``; raises DataInUseError if another server has it open."""
        self.databases = directory / "databases"
        self.databases.mkdir(parents=True, exist_ok=True)
        self._lock = FileLock(directory / "server.lock")
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            raise DataInUseError(f"Another server has {directory} open.") from None
        self.results = ResultCache()
        # sqlglot still writes lambdas with an arrow, which DuckDB 2 reads only when told to.
        self._duck = duckdb.connect(
            ":memory:",
            config={"lambda_syntax": "ENABLE_SINGLE_ARROW", "temp_directory": str(directory / "spill")},
        )
        # Snowflake's default time zone is Los Angeles; UTC everywhere is one thing less to go wrong.
        self._duck.execute("SET GLOBAL TimeZone = 'UTC'")
        self._duck.execute(f"SET GLOBAL disabled_compression_methods = '{UNUSED_COMPRESSION}'")
        fakesnow_patches.describe_tables_of_every_database()
        fakesnow_patches.list_views_as_tables()
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
        fakesnow_patches.forget_temporary_stages(self._duck)
        self.usage = UsageHistory(self._duck.cursor())
        cortex_udfs.register(self._duck, self.usage)

    def connect(self, database: str | None, schema: str | None) -> FakeSnowflakeConnection:
        """A new connection for one session; the database and schema are created if they do not exist.

        Snowflake would refuse names that do not exist: creating them lets a graph start on an empty directory.
        """
        if database is not None and database.upper() not in self._attached():
            self._attach_database(database.upper())
        return FakeSnowflakeConnection(
            self._duck.cursor(), self.results, database=database, schema=schema, db_path=self.databases
        )

    def drop_database(self, name: str) -> None:
        """Delete the file of a database that was detached."""
        for suffix in (".db", ".db.wal"):
            (self.databases / f"{name}{suffix}").unlink(missing_ok=True)

    def close(self) -> None:
        """Write everything into the database files, and let the next server have them."""
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
