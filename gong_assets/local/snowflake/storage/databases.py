"""The data directory of the server.

::

    databases/NAME.db   one DuckDB file per database; SNOWFLAKE.db holds the usage history
    account.db          metadata of all databases: stages, comments, lengths of text columns
    governance.json     users, roles, grants, policies and tags
    stages/             the files of internal stages
    server.lock         locked by the server that uses the directory

DuckDB may open files in this directory only, loads no extensions, and its configuration is locked.
"""

from __future__ import annotations

import re
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
from gong_assets.local.snowflake.errors import SnowflakeError
from gong_assets.local.snowflake.governance.state import Governance
from gong_assets.local.snowflake.sql import macros
from gong_assets.local.snowflake.sql.names import require_plain_name
from gong_assets.local.snowflake.storage import fakesnow_patches
from gong_assets.local.snowflake.storage.result_cache import ResultCache
from gong_assets.local.snowflake.storage.translation_cache import TranslationCache

# DuckDB reads a row group with one thread. With its default of 122,880 rows, a search of 100,000 embeddings
# would use one core.
ROW_GROUP_SIZE = 16_384
# Compressed embeddings are a seventh smaller, but comparing them takes two thirds longer.
DISABLED_COMPRESSION = "alp,alprd"


# A log that DuckDB wrote starts with its version record. DuckDB ignores a log that starts otherwise, and with
# it the committed data in the log.
WAL_START = b"\x64\x00\x62\x65\x00"

_DAMAGED_BLOCK = re.compile(
    r"Corrupt database file: .* does not match stored checksum (\d+) in block at location (\d+)"
)


class DataError(Exception):
    """The data directory cannot be used. The message names the file and what to do."""


class Storage:
    """The open databases of a data directory. There is one instance per process."""

    def __init__(self, directory: Path) -> None:
        """Open or create the databases in ``directory``.

        Raises:
            DataError: another server uses the directory, or a database file or its log is damaged.
        """
        directory = directory.resolve()
        self.databases = directory / "databases"
        self.databases.mkdir(parents=True, exist_ok=True)
        self._lock = FileLock(directory / "server.lock")
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            raise DataError(f"Another server uses {directory}.") from None
        self.results = ResultCache()
        self.translations = TranslationCache()
        self.governance = Governance(directory / "governance.json")
        self._duck = _duckdb(directory)
        fakesnow_patches.describe_tables_of_every_database()
        fakesnow_patches.create_tables_of_all_columns()
        fakesnow_patches.list_views_as_tables()
        fakesnow_patches.quote_comments()
        fakesnow_patches.hide_temporary_stages_of_other_sessions()
        fakesnow_patches.use_numbers_of_38_digits()
        fakesnow_patches.keep_stages_in(directory / "stages")
        self._attach(directory / "account.db", GLOBAL_DATABASE_NAME)
        _restrict(self._duck, directory)
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
        directory. Once privileges are enforced, a session has only what exists. Raises SnowflakeError for a
        name that cannot be part of a path.
        """
        if self.governance.is_enforced:
            database, schema = self._existing(database, schema)
        for name in filter(None, (database, schema)):
            require_plain_name(name)
        if database is not None and database.upper() not in self._attached():
            self._attach_database(database.upper())
        # fakesnow only puts it into the text literal of an ATTACH statement.
        literal = str(self.databases).replace("'", "''")
        return FakeSnowflakeConnection(
            self._duck.cursor(), self.results, database=database, schema=schema, db_path=literal
        )

    def _existing(self, database: str | None, schema: str | None) -> tuple[str | None, str | None]:
        """Return the database and schema if they exist."""
        rows = self._duck.execute("SELECT upper(database_name), schema_name FROM duckdb_schemas()").fetchall()
        if database is None or database.upper() not in {name for name, _ in rows}:
            return None, None
        return database, schema if (database.upper(), schema) in rows else None

    def drop_database(self, name: str) -> None:
        """Delete the file of a detached database."""
        for suffix in (".db", ".db.wal"):
            (self.databases / f"{name}{suffix}").unlink(missing_ok=True)

    def damage(self, error: Exception) -> SnowflakeError | None:
        """Return the error that names the damaged file, if that is why a statement failed."""
        found = _DAMAGED_BLOCK.search(f"{error} {error.__cause__}")
        if found is None:
            return None
        checksum, location = int(found[1]).to_bytes(8, "little"), int(found[2])
        for file in (self.databases.parent / "account.db", *self.databases.glob("*.db")):
            # DuckDB does not name the file. A block starts with its checksum.
            if _content(file, len(checksum), location) == checksum:
                return SnowflakeError(
                    603,
                    "XX001",
                    f"The database {file} is damaged: {found[0]}. Nothing was changed. Stop the local stack "
                    f"(`gong-assets local down`). {_way_back(file)}",
                )
        return None

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
        log = file.with_name(f"{file.name}.wal")
        if _content(log, len(WAL_START)) not in (b"", WAL_START):
            raise _damaged(file, "it does not start with DuckDB's version record", log)
        try:
            self._duck.execute(f"ATTACH '{path}' AS \"{name}\" (ROW_GROUP_SIZE {ROW_GROUP_SIZE})")
        except duckdb.PermissionException:
            raise
        except duckdb.Error as error:
            raise _damaged(file, str(error).splitlines()[0], log if "WAL" in str(error) else None) from error


def _content(path: Path, length: int, start: int = 0) -> bytes:
    """Return some bytes of a file; none if it does not exist."""
    try:
        with path.open("rb") as file:
            file.seek(start)
            return file.read(length)
    except FileNotFoundError:
        return b""


def _duckdb(directory: Path) -> duckdb.DuckDBPyConnection:
    # sqlglot generates lambdas with an arrow, which DuckDB 2 does not accept by default.
    duck = duckdb.connect(
        ":memory:",
        config={"lambda_syntax": "ENABLE_SINGLE_ARROW", "temp_directory": str(directory / "spill")},
    )
    # Not Snowflake's default, which is America/Los_Angeles.
    duck.execute("SET GLOBAL TimeZone = 'UTC'")
    duck.execute(f"SET GLOBAL disabled_compression_methods = '{DISABLED_COMPRESSION}'")
    return duck


def _restrict(duck: duckdb.DuckDBPyConnection, directory: Path) -> None:
    """Allow no other files than those of the attached databases, new databases, and stages."""
    allowed = ", ".join(
        "'" + str(directory / name).replace("'", "''") + "'" for name in ("databases", "stages")
    )
    for setting, value in {
        "python_enable_replacements": "false",  # a query must not read variables of the server
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "allow_community_extensions": "false",
        "allowed_directories": f"[{allowed}]",
        "enable_external_access": "false",
        "allowed_configs": "['TimeZone']",  # each session may set its own
        "lock_configuration": "true",
    }.items():
        duck.execute(f"SET GLOBAL {setting} = {value}")


def _damaged(file: Path, reason: str, log: Path | None) -> DataError:
    if log is not None:
        return DataError(
            f"The log {log} is damaged: {reason}. Nothing was changed. To go back to the last checkpoint of "
            f"{file.name}, move the log to another directory, start again, and sync the latest days."
        )
    return DataError(
        f"The database {file} cannot be opened: {reason}. Nothing was changed. {_way_back(file)}"
    )


def _way_back(file: Path) -> str:
    return (
        f"Restore it from a backup, or move it and {file.name}.wal to another directory, start again, and "
        "sync all days."
    )
