"""Resources of the graph: the Gong API, Snowflake, and dbt. Wiring only.

Secrets are `EnvVar`s, so that the Dagster UI and its storage know the variables' names and never their values.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import DbtCliResource, DbtProject
from packaging.version import Version
from pydantic import Field, SecretStr
from pydantic.config import JsonDict

from gong_assets.defs.dbt.project import dbt_environment
from gong_assets.gong import BasicAuth, BearerAuth, GongClient, GongConfig, RefreshingAuth
from gong_assets.settings import Settings
from gong_assets.warehouse.connection import Warehouse, local_arguments
from gong_assets.warehouse.credentials import connection_arguments, sign_in_arguments

_SECRET: JsonDict = {"dagster__is_secret": True}


def _env(name: str, value: SecretStr | None) -> Any:
    """The variable itself where it is set, so that its value is read in the run and stored nowhere."""
    if value is None:
        return None
    return dg.EnvVar(name) if name in os.environ else value.get_secret_value()


class GongResource(dg.ConfigurableResource[Any]):
    """The Gong API of one company: the simulated tenant of the local stack unless a base URL is given."""

    base_url: str | None = None
    access_key: str | None = Field(default=None, json_schema_extra=_SECRET)
    access_key_secret: str | None = Field(default=None, json_schema_extra=_SECRET)
    access_token: str | None = Field(default=None, json_schema_extra=_SECRET)
    client_id: str | None = None
    client_secret: str | None = Field(default=None, json_schema_extra=_SECRET)
    refresh_token: str | None = Field(default=None, json_schema_extra=_SECRET)
    token_url: str | None = None
    max_requests_per_second: float = 3.0
    max_requests_per_day: int = 10_000
    home: str = Field(
        default=".gong_assets",
        description="Where the local stack is, and where the processes of this machine share the limits and the OAuth token.",
    )

    @classmethod
    def from_settings(cls, settings: Settings) -> GongResource:
        return cls(
            base_url=settings.gong_base_url,
            access_key=_env("GONG_ACCESS_KEY", settings.gong_access_key),
            access_key_secret=_env("GONG_ACCESS_KEY_SECRET", settings.gong_access_key_secret),
            access_token=_env("GONG_ACCESS_TOKEN", settings.gong_access_token),
            client_id=settings.gong_client_id,
            client_secret=_env("GONG_CLIENT_SECRET", settings.gong_client_secret),
            refresh_token=_env("GONG_REFRESH_TOKEN", settings.gong_refresh_token),
            token_url=settings.gong_token_url,
            max_requests_per_second=settings.gong_max_requests_per_second,
            max_requests_per_day=settings.gong_max_requests_per_day,
            home=str(settings.home),
        )

    def client(self) -> GongClient:
        return GongClient(self._config())

    def _config(self) -> GongConfig:
        base_url, auth = self._base_url_and_auth()
        return GongConfig(
            auth=auth,
            base_url=base_url or GongConfig.base_url,
            max_requests_per_second=self.max_requests_per_second,
            max_requests_per_day=self.max_requests_per_day,
            state_directory=self._state,
        )

    @property
    def _state(self) -> Path:
        return Path(self.home) / "gong"

    def _base_url_and_auth(self) -> tuple[str | None, BasicAuth | BearerAuth | RefreshingAuth]:
        if self.client_id:
            return self.base_url, RefreshingAuth(
                client_id=self.client_id,
                client_secret=self.client_secret or "",
                refresh_token=self.refresh_token or "",
                token_file=self._state / "oauth_token.json",
                use_customer_host=self.base_url is None,
                token_url=self.token_url or RefreshingAuth.token_url,
            )
        if self.access_token:
            return self.base_url, BearerAuth(self.access_token)
        if self.access_key:
            return self.base_url, BasicAuth(self.access_key, self.access_key_secret or "")
        from gong_assets.local import local_stack

        tenant = local_stack().up(Path(self.home)).gong
        return tenant.base_url, BasicAuth(tenant.access_key, tenant.access_key_secret)


class SnowflakeResource(dg.ConfigurableResource[Any]):
    """Connections to Snowflake, with every sign-in of the connector; the local stack when no account is given.

    `get_connection` is used as that of dagster-snowflake's resource of the same name. This one closes the connection and
    rolls back when its block raises, and importing it does not import Snowpark and snowflake.core, which takes seconds
    in every run.
    """

    arguments: dict[str, Any] = Field(
        default={}, description="Arguments of snowflake.connector.connect, no secrets."
    )
    password: str | None = Field(default=None, json_schema_extra=_SECRET)
    token: str | None = Field(default=None, json_schema_extra=_SECRET)
    private_key: str | None = Field(default=None, json_schema_extra=_SECRET)
    private_key_passphrase: str | None = Field(default=None, json_schema_extra=_SECRET)
    local_home: str | None = None

    @classmethod
    def from_settings(cls, settings: Settings) -> SnowflakeResource:
        if settings.target == "local":
            return cls(local_home=str(settings.home))
        return cls(
            arguments=connection_arguments(settings),
            password=_env("SNOWFLAKE_PASSWORD", settings.snowflake_password),
            token=_env("SNOWFLAKE_TOKEN", settings.snowflake_token),
            private_key=_env("SNOWFLAKE_PRIVATE_KEY", settings.snowflake_private_key),
            private_key_passphrase=_env(
                "SNOWFLAKE_PRIVATE_KEY_PASSPHRASE", settings.snowflake_private_key_passphrase
            ),
        )

    def warehouse(self, *, query_tag: str = "gong_assets") -> Warehouse:
        return Warehouse(self._connector_arguments, query_tag=query_tag)

    @contextmanager
    def get_connection(self) -> Iterator[Any]:
        with self.warehouse().connect() as connection:
            yield connection

    def _connector_arguments(self) -> Mapping[str, Any]:
        if not self.arguments:
            return local_arguments(Path(self.local_home or ".gong_assets"))
        secrets = sign_in_arguments(
            self.arguments,
            password=self.password,
            token=self.token,
            private_key=self.private_key,
            private_key_passphrase=self.private_key_passphrase,
        )
        return {**self.arguments, **secrets}


def query_tag(run_id: str, step: str) -> str:
    """Marks a run's statements in Snowflake's query history and in Cortex's usage history."""
    return json.dumps({"app": "gong_assets", "run_id": run_id, "step": step})


class GongDbtResource(DbtCliResource):
    """dbt against the warehouse of `SnowflakeResource`, with the start-up costs of dagster-dbt taken out."""

    @cached_property
    def _cli_version(self) -> Version:
        """The version from the package's metadata: the original starts a whole `dbt --version` (5-10 s) in each run."""
        return Version(version("dbt-core"))

    @contextmanager
    def connected(
        self, warehouse: Warehouse, project: DbtProject, sources: Mapping[str, str]
    ) -> Iterator[None]:
        """Within the block, dbt commands of this resource reach `warehouse`, and find the `sources` named.

        The commands inherit this process's environment, which is the only way in that dagster-dbt leaves.
        """
        values = {
            **dbt_environment(warehouse.arguments),
            **sources,
            "DBT_TARGET_PATH": str(project.target_path),
            "GONG_ASSETS_QUERY_TAG": warehouse.query_tag,
            # A run of some models runs a test of two only if the other one is built or lies above: dbt's default would
            # fail on tables that are not there yet. Where checks are deselected, dagster-dbt sets its own.
            "DBT_INDIRECT_SELECTION": "buildable",
        }
        before = {name: os.environ.get(name) for name in values}
        os.environ.update(values)
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value
