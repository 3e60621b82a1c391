"""A Snowflake account whose statements are recorded, for objects that no other server has."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

from pydantic import SecretStr
from snowflake.connector.errors import ProgrammingError

from gong_assets.defs.resources import SnowflakeResource
from gong_assets.provisioning.objects import Layer
from gong_assets.settings import Settings
from gong_assets.warehouse.connection import Warehouse
from gong_assets.warehouse.errors import translated

Answer = tuple[list[str], list[tuple[Any, ...]]]


class RecordedAccount:
    """Records statements. A subclass answers them.

    Attributes:
        refuses: beginning of the statements for which the role has no privilege.
        layers: the layer of each connection.
    """

    def __init__(self) -> None:
        self.statements: list[str] = []
        self.layers: list[Layer] = []
        self.refuses = ""

    def told(self, beginning: str) -> list[str]:
        return [statement for statement in self.statements if statement.startswith(beginning)]

    def record(self, sql: str) -> Answer:
        self.statements.append(sql)
        if self.refuses and sql.startswith(self.refuses):
            raise ProgrammingError("SQL access control error: Insufficient privileges", errno=3001)
        return self.answer(sql)

    def answer(self, sql: str) -> Answer:
        raise NotImplementedError

    def cursor(self) -> Cursor:
        return Cursor(self)

    def close(self) -> None:
        pass


class Cursor:
    def __init__(self, account: RecordedAccount) -> None:
        self.account = account
        self.description: list[Any] = []

    def __enter__(self) -> Cursor:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def execute(self, sql: str, parameters: Any = None) -> None:
        assert not parameters
        columns, self.rows = self.account.record(sql)
        self.description = [SimpleNamespace(name=column) for column in columns]

    def fetchall(self) -> list[tuple[Any, ...]]:
        return self.rows


class AccountResource(SnowflakeResource):
    account: ClassVar[Any] = None

    def warehouse(self, *, query_tag: str | None = None, layer: Layer = Layer.LOADER) -> Warehouse:
        self.account.layers.append(layer)
        return AccountWarehouse({}, query_tag=query_tag or "gong_assets")


def account_settings(home: Path, **values: Any) -> Settings:
    """Return the settings of a Snowflake account, with simulated calls."""
    return Settings(
        **{
            "gong_assets_home": home,
            "gong_assets_source": "simulated",
            "snowflake_account": "org-account",
            "snowflake_user": "gong",
            "snowflake_password": SecretStr("x"),
            "snowflake_warehouse": "SEARCH_WH",
            **values,
        }
    )


class AccountWarehouse(Warehouse):
    @contextmanager
    def connect(self) -> Iterator[Any]:
        try:
            yield AccountResource.account
        except ProgrammingError as error:
            raise translated(error, host="account") from error
