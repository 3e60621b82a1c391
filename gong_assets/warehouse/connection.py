"""Connections to Snowflake, and transactions on them.

Which arguments the connector gets for which settings is decided here, as a pure function. No statement of this
project's own belongs here, except BEGIN, COMMIT and ROLLBACK.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gong_assets.settings import Settings
from gong_assets.warehouse.errors import translated

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection

# An unreachable host must be reported within 30 s, and the connector's own default is to try for five minutes.
LOGIN_TIMEOUT_SECONDS = 15
# Bounds one request with its retries, not a query: Snowflake answers a long query's request early and is then polled.
NETWORK_TIMEOUT_SECONDS = 900

_ALWAYS: Mapping[str, Any] = {
    "login_timeout": LOGIN_TIMEOUT_SECONDS,
    "network_timeout": NETWORK_TIMEOUT_SECONDS,
    # Without this the connector asks three clouds' metadata services where it runs before it signs in.
    "platform_detection_timeout_seconds": 0.0,
    "log_imported_packages_in_telemetry": False,
    "client_session_keep_alive": True,
    "application": "gong_assets",
}

# Call dates are UTC dates, and TIMESTAMP_LTZ is shown in the session's time zone. An account may have set formats in which
# the dates and times that are sent as texts could not be read.
_SESSION_PARAMETERS: Mapping[str, Any] = {
    "TIMEZONE": "UTC",
    "DATE_INPUT_FORMAT": "AUTO",
    "TIMESTAMP_INPUT_FORMAT": "AUTO",
    "CLIENT_TELEMETRY_ENABLED": False,
}


def connection_arguments(settings: Settings) -> dict[str, Any]:
    """The connector's arguments for target `snowflake`, without the secrets (see `sign_in_arguments`).

    https://docs.snowflake.com/en/developer-guide/python-connector/python-connector-api#connect
    """
    arguments = {
        "account": settings.snowflake_account,
        "user": settings.snowflake_user,
        "role": settings.snowflake_role,
        "warehouse": settings.snowflake_warehouse,
        "database": settings.snowflake_database,
        "schema": settings.snowflake_schema,
        "host": settings.snowflake_host,
        "port": settings.snowflake_port,
        "protocol": settings.snowflake_protocol,
        "authenticator": _authenticator(settings),
        "workload_identity_provider": settings.snowflake_workload_identity_provider,
        "private_key_file": settings.snowflake_private_key_path and str(settings.snowflake_private_key_path),
    }
    return {name: value for name, value in arguments.items() if value is not None}


def _authenticator(settings: Settings) -> str | None:
    if settings.snowflake_authenticator:
        given = settings.snowflake_authenticator
        return given if given.startswith("https://") else given.upper()
    if settings.snowflake_private_key or settings.snowflake_private_key_path:
        return "SNOWFLAKE_JWT"
    if settings.snowflake_token:
        return "PROGRAMMATIC_ACCESS_TOKEN"
    return None


def sign_in_arguments(
    arguments: Mapping[str, Any],
    *,
    password: str | None = None,
    token: str | None = None,
    private_key: str | None = None,
    private_key_passphrase: str | None = None,
) -> dict[str, Any]:
    """The secret half of the connector's arguments, for the sign-in that `arguments` (see above) describe.

    Raises:
        ValueError: the private key cannot be read; the text names the variable and never shows the key.
    """
    if private_key is not None:
        from gong_assets.warehouse.private_key import load_private_key

        return {
            "private_key": load_private_key(key=private_key, path=None, passphrase=private_key_passphrase)
        }
    if "private_key_file" in arguments:
        return {"private_key_file_pwd": private_key_passphrase} if private_key_passphrase else {}
    if token is not None:
        return {"token": token}
    return {"password": password} if password is not None else {}


def local_arguments(home: Path) -> dict[str, Any]:
    """The connector's arguments for the local stack of this home, which is started if it does not run.

    Raises:
        LocalStackError: it cannot be started.
    """
    from gong_assets.local import stack

    return asdict(stack.up(home).snowflake)


class Warehouse:
    """Opens connections with one set of arguments.

    Args:
        arguments: the connector's arguments, or a function that gives them when the first connection is made (which
            may start the local stack).
        query_tag: marks each statement in Snowflake's query and usage history.
    """

    def __init__(
        self,
        arguments: Mapping[str, Any] | Callable[[], Mapping[str, Any]],
        *,
        query_tag: str = "gong_assets",
    ) -> None:
        self._arguments = arguments
        self.query_tag = query_tag

    @property
    def arguments(self) -> dict[str, Any]:
        if callable(self._arguments):
            self._arguments = self._arguments()
        return dict(self._arguments)

    @property
    def host(self) -> str:
        arguments = self.arguments
        host = arguments.get("host") or f"{arguments.get('account')}.snowflakecomputing.com"
        return f"{host}:{arguments['port']}" if "port" in arguments else str(host)

    def qualified(self, name: str) -> str:
        """`name` with its database and schema, as the connection was told them."""
        return f"{self.arguments['database']}.{self.arguments['schema']}.{name}"

    @contextmanager
    def connect(self) -> Iterator[SnowflakeConnection]:
        """A connection that is closed, and whose open transaction is rolled back, whatever happens.

        Raises:
            WarehouseError: for each error of the connector, those of the block included.
        """
        # Costs about a second, and a code location is loaded far more often than a connection is made.
        import snowflake.connector

        try:
            connection = snowflake.connector.connect(
                **{**_ALWAYS, **self.arguments},
                session_parameters={**_SESSION_PARAMETERS, "QUERY_TAG": self.query_tag},
            )
        except snowflake.connector.errors.Error as error:
            raise translated(error, host=self.host) from error
        try:
            yield connection
        except snowflake.connector.errors.Error as error:
            raise translated(error, host=self.host) from error
        finally:
            connection.close()

    def query(self, sql: str, parameters: Sequence[Any] | None = None) -> list[dict[str, Any]]:
        """All rows of one statement as dicts by column name; `%s` in `sql` stands for a bound parameter.

        Raises:
            WarehouseError: see `connect`.
        """
        with self.connect() as connection:
            return fetch(connection, sql, parameters)

    def check(self) -> None:
        """Sign in, and do nothing else: starts the local stack on first need, and tells early what is wrong.

        Raises:
            WarehouseError: the warehouse cannot be reached, or refuses the sign-in.
        """
        with self.connect():
            pass


def fetch(
    connection: SnowflakeConnection, sql: str, parameters: Sequence[Any] | None = None
) -> list[dict[str, Any]]:
    """As `Warehouse.query`, on a connection that is used for several statements."""
    columns, rows = fetch_table(connection, sql, parameters)
    return [dict(zip(columns, row, strict=True)) for row in rows]


def fetch_table(
    connection: SnowflakeConnection, sql: str, parameters: Sequence[Any] | None = None
) -> tuple[list[str], list[tuple[Any, ...]]]:
    """The column names and the rows of one statement: a result without rows has columns too."""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        rows = [tuple(row) for row in cursor.fetchall()]
        return [column.name for column in cursor.description], rows


@contextmanager
def transaction(connection: SnowflakeConnection) -> Iterator[None]:
    """One explicit transaction. No DDL inside: on Snowflake each DDL statement commits what is open."""
    with connection.cursor() as cursor:
        cursor.execute("BEGIN")
        try:
            yield
        except BaseException:
            # What went wrong is the news. Where the connection itself is broken, its end rolls back.
            with suppress(Exception):
                cursor.execute("ROLLBACK")
            raise
        cursor.execute("COMMIT")


def open_warehouse(settings: Settings, *, query_tag: str = "gong_assets") -> Warehouse:
    """The warehouse that the settings name; the local stack is started when the first connection is made."""
    if settings.target == "local":
        return Warehouse(lambda: local_arguments(settings.home), query_tag=query_tag)
    arguments = connection_arguments(settings)
    secrets = {
        name: secret.get_secret_value() if secret else None
        for name, secret in {
            "password": settings.snowflake_password,
            "token": settings.snowflake_token,
            "private_key": settings.snowflake_private_key,
            "private_key_passphrase": settings.snowflake_private_key_passphrase,
        }.items()
    }
    return Warehouse({**arguments, **sign_in_arguments(arguments, **secrets)}, query_tag=query_tag)
