"""Connections to Snowflake, and transactions on them.

The only statements in this module are BEGIN, COMMIT and ROLLBACK. The connector's arguments for each way to
sign in are in `credentials.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gong_assets.settings import Settings
from gong_assets.warehouse.credentials import connection_arguments, sign_in_arguments
from gong_assets.warehouse.errors import translated

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection

# Report an unreachable host within 30 s; the connector's own default is to retry for five minutes.
LOGIN_TIMEOUT_SECONDS = 15
# Limits one request with its retries, not a query: Snowflake answers the request of a long query early, and
# the connector then polls.
NETWORK_TIMEOUT_SECONDS = 900

_ALWAYS: Mapping[str, Any] = {
    "login_timeout": LOGIN_TIMEOUT_SECONDS,
    "network_timeout": NETWORK_TIMEOUT_SECONDS,
    # Otherwise the connector queries the metadata services of three clouds before it signs in.
    "platform_detection_timeout_seconds": 0.0,
    "log_imported_packages_in_telemetry": False,
    "client_session_keep_alive": True,
    "application": "gong_assets",
}

# Call dates are UTC dates, but Snowflake shows TIMESTAMP_LTZ in the session's time zone. The input formats of
# an account might reject the dates and times that we send as text. Weeks begin on Monday, as in the report.
_SESSION_PARAMETERS: Mapping[str, Any] = {
    "TIMEZONE": "UTC",
    "DATE_INPUT_FORMAT": "AUTO",
    "TIMESTAMP_INPUT_FORMAT": "AUTO",
    "WEEK_START": 1,
    "CLIENT_TELEMETRY_ENABLED": False,
}


def local_arguments(home: Path, place: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the connector's arguments for the local stack of this home, and start the stack if necessary.

    `place` has the database and schema, if they are not the default ones.

    Raises:
        LocalStackError: the stack cannot be started, or is not installed.
    """
    from gong_assets.local import local_stack

    return asdict(local_stack().up(home, **place or {}).snowflake)


class Warehouse:
    """Opens connections with one set of arguments.

    Args:
        arguments: the connector's arguments, or a function that returns them when the first connection is
            made (which may start the local stack).
        query_tag: tag of each statement in Snowflake's query and usage history.
        keep_open: use one connection again until `close`, because a sign-in takes longer than a statement.
            A block that is entered while another one uses it gets a connection of its own.
    """

    def __init__(
        self,
        arguments: Mapping[str, Any] | Callable[[], Mapping[str, Any]],
        *,
        query_tag: str = "gong_assets",
        keep_open: bool = False,
    ) -> None:
        self._arguments = arguments
        self.query_tag = query_tag
        self._keep_open = keep_open
        self._idle: list[SnowflakeConnection] = []

    @property
    def arguments(self) -> dict[str, Any]:
        arguments = self._arguments
        if callable(arguments):  # Another thread may replace the attribute meanwhile.
            self._arguments = arguments = arguments()
        return dict(arguments)

    @property
    def host(self) -> str:
        arguments = self.arguments
        host = arguments.get("host") or f"{arguments.get('account')}.snowflakecomputing.com"
        return f"{host}:{arguments['port']}" if "port" in arguments else str(host)

    def qualified(self, name: str) -> str:
        """Return `name` with the connection's database and schema."""
        return f"{self.arguments['database']}.{self.arguments['schema']}.{name}"

    @contextmanager
    def connect(self) -> Iterator[SnowflakeConnection]:
        """Open a connection; on leaving the block, roll back an open transaction and close the connection.

        Raises:
            WarehouseError: for each error of the connector, including those in the block.
        """
        # The import takes about a second, and a code location is loaded far more often than it connects.
        import snowflake.connector

        connection = None
        with suppress(IndexError):  # Another thread may take the idle connection first.
            connection = self._idle.pop()
        if connection is None:
            connection = self._open()
        try:
            yield connection
        except snowflake.connector.errors.Error as error:
            connection.close()
            raise translated(error, host=self.host) from error
        except BaseException:
            connection.close()
            raise
        if self._keep_open and not self._idle:
            self._idle.append(connection)
        else:
            connection.close()

    def _open(self) -> SnowflakeConnection:
        import snowflake.connector

        arguments = {**_ALWAYS, **self.arguments}
        session = {**(arguments.pop("session_parameters", None) or {}), **_SESSION_PARAMETERS}
        session["QUERY_TAG"] = self.query_tag
        try:
            return snowflake.connector.connect(**arguments, session_parameters=session)
        except snowflake.connector.errors.Error as error:
            raise translated(error, host=self.host) from error

    def close(self) -> None:
        """Close the connection that `keep_open` left open."""
        while self._idle:
            self._idle.pop().close()

    def query(self, sql: str, parameters: Sequence[Any] | None = None) -> list[dict[str, Any]]:
        """Run one statement and return its rows as dicts by column name; `%s` in `sql` is a bound parameter.

        Raises:
            WarehouseError: see `connect`.
        """
        with self.connect() as connection:
            return fetch(connection, sql, parameters)

    def check(self) -> None:
        """Sign in and disconnect, to report an unreachable warehouse early. May start the local stack.

        Raises:
            WarehouseError: the warehouse cannot be reached, or refuses the sign-in.
        """
        with self.connect():
            pass


def fetch(
    connection: SnowflakeConnection, sql: str, parameters: Sequence[Any] | None = None
) -> list[dict[str, Any]]:
    """Run one statement on an open connection and return its rows as dicts by column name."""
    columns, rows = fetch_table(connection, sql, parameters)
    return [dict(zip(columns, row, strict=True)) for row in rows]


def fetch_table(
    connection: SnowflakeConnection, sql: str, parameters: Sequence[Any] | None = None
) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Return the column names and rows of one statement; a result without rows has column names too."""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        rows = [tuple(row) for row in cursor.fetchall()]
        return [column.name for column in cursor.description], rows


@contextmanager
def transaction(connection: SnowflakeConnection) -> Iterator[None]:
    """Run the block in one transaction. It must not contain DDL, which would commit it on Snowflake."""
    with connection.cursor() as cursor:
        cursor.execute("BEGIN")
        try:
            yield
        except BaseException:
            # Report the original error. If the connection is broken, Snowflake rolls back when it ends.
            with suppress(Exception):
                cursor.execute("ROLLBACK")
            raise
        cursor.execute("COMMIT")


def open_warehouse(settings: Settings, *, query_tag: str = "gong_assets") -> Warehouse:
    """Return the warehouse of the settings. The local stack is started when the first connection is made."""
    if settings.target == "local":
        role = {"role": settings.snowflake_role} if settings.snowflake_role else {}
        return Warehouse(
            lambda: {**local_arguments(settings.home, settings.place), **role}, query_tag=query_tag
        )
    arguments = connection_arguments(settings)
    secrets = sign_in_arguments(arguments, **settings.snowflake_secrets)
    return Warehouse({**arguments, **secrets}, query_tag=query_tag)
