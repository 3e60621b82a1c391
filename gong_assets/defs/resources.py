"""Resources of the graph: the Gong API and Snowflake. Wiring only.

The graph's own resources have no run config, so no launchpad shows or replaces them. Secrets are `EnvVar`s,
which are read in the run: definitions and run config have neither their values nor their names.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import dagster as dg
from pydantic import Field, PrivateAttr, SecretStr

from gong_assets.defs.leases import KeepsLease
from gong_assets.gong import BasicAuth, BearerAuth, GongClient, GongConfig, RefreshingAuth
from gong_assets.gong.oauth import token_file
from gong_assets.provisioning.declaration import layer_arguments
from gong_assets.provisioning.objects import Layer
from gong_assets.settings import Settings, SettingsError
from gong_assets.settings.esc import fill_environment
from gong_assets.settings.load import VARIABLES
from gong_assets.warehouse.connection import Warehouse, local_arguments
from gong_assets.warehouse.credentials import connection_arguments, sign_in_arguments

# The graph's own keys. A project may use `snowflake` and `dbt` for other resources.
GONG = "gong"
SNOWFLAKE = "gong_snowflake"
IO_MANAGER = "gong_snowflake_io_manager"


def _env(name: str, value: SecretStr | None) -> Any:
    """Return the variable itself if it is set, so that its value is read in the run and stored nowhere."""
    if value is None:
        return None
    return dg.EnvVar(name) if name in os.environ else value.get_secret_value()


class GongResource(KeepsLease, dg.ConfigurableResource[Any]):
    """The Gong API of one company, or the simulated tenant of the local stack."""

    simulated: bool = Field(default=False, description="Read the simulated tenant, without credentials.")
    base_url: str | None = None
    access_key: str | None = None
    access_key_secret: str | None = None
    access_token: str | None = None
    client_id: str | None = None
    client_secret: str | None = None
    refresh_token: str | None = None
    token_url: str | None = None
    max_requests_per_second: float = 3.0
    max_requests_per_day: int = 10_000
    home: str = Field(
        default=".gong_assets",
        description="Directory of the local stack, and of the request budget and OAuth token that the "
        "processes of this machine share.",
    )

    @classmethod
    def from_settings(cls, settings: Settings) -> GongResource:
        limits: dict[str, Any] = {
            "max_requests_per_second": settings.gong_max_requests_per_second,
            "max_requests_per_day": settings.gong_max_requests_per_day,
            "home": str(settings.home),
        }
        if settings.uses_simulated_gong:
            return cls(simulated=True, **limits)
        return cls(
            base_url=settings.gong_base_url,
            access_key=_env("GONG_ACCESS_KEY", settings.gong_access_key),
            access_key_secret=_env("GONG_ACCESS_KEY_SECRET", settings.gong_access_key_secret),
            access_token=_env("GONG_ACCESS_TOKEN", settings.gong_access_token),
            client_id=settings.gong_client_id,
            client_secret=_env("GONG_CLIENT_SECRET", settings.gong_client_secret),
            refresh_token=_env("GONG_REFRESH_TOKEN", settings.gong_refresh_token),
            token_url=settings.gong_token_url,
            **limits,
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
                token_file=token_file(self._state, self.refresh_token or ""),
                use_customer_host=self.base_url is None,
                token_url=self.token_url or RefreshingAuth.token_url,
            )
        if self.access_token:
            return self.base_url, BearerAuth(self.access_token)
        if self.access_key:
            return self.base_url, BasicAuth(self.access_key, self.access_key_secret or "")
        if not self.simulated:
            raise SettingsError(
                "The Gong resource has no credentials. Set access_key and access_key_secret, access_token, "
                "or client_id, client_secret and refresh_token; or `simulated` for the simulated tenant."
            )
        from gong_assets.local import local_stack

        tenant = local_stack().up(Path(self.home)).gong
        return tenant.base_url, BasicAuth(tenant.access_key, tenant.access_key_secret)


class SnowflakeResource(KeepsLease, dg.ConfigurableResource[Any]):
    """Connections to Snowflake with any sign-in of the connector; the local stack if no account is given."""

    # Importing dagster-snowflake takes seconds in every run, as it imports Snowpark and snowflake.core, so
    # this is the default. A project that already has dagster-snowflake's resource can use it instead
    # (`snowflake_of`).

    arguments: dict[str, Any] = Field(
        default={}, description="Arguments of snowflake.connector.connect, without secrets."
    )
    password: str | None = None
    token: str | None = None
    private_key: str | None = None
    private_key_passphrase: str | None = None
    local_home: str | None = None
    layers: dict[str, dict[str, str]] = Field(
        default={}, description="Role and warehouse of each layer, if they are provisioned."
    )
    _warehouse: Warehouse | None = PrivateAttr(default=None)

    @classmethod
    def from_settings(cls, settings: Settings) -> SnowflakeResource:
        if settings.target == "local":
            return cls(
                local_home=str(settings.home), arguments=settings.place, layers=layer_arguments(settings)
            )
        return cls(
            layers=layer_arguments(settings),
            arguments=connection_arguments(settings),
            password=_env("SNOWFLAKE_PASSWORD", settings.snowflake_password),
            token=_env("SNOWFLAKE_TOKEN", settings.snowflake_token),
            private_key=_env("SNOWFLAKE_PRIVATE_KEY", settings.snowflake_private_key),
            private_key_passphrase=_env(
                "SNOWFLAKE_PRIVATE_KEY_PASSPHRASE", settings.snowflake_private_key_passphrase
            ),
        )

    def setup_for_execution(self, context: dg.InitResourceContext) -> None:
        super().setup_for_execution(context)
        tag = query_tag(context.run.run_id) if context.run else "gong_assets"
        self._warehouse = Warehouse(self._connector_arguments, query_tag=tag, keep_open=True)

    def teardown_after_execution(self, context: dg.InitResourceContext) -> None:
        self._run_warehouse.close()

    @property
    def _run_warehouse(self) -> Warehouse:
        if self._warehouse is None:  # Outside of a run.
            self._warehouse = Warehouse(self._connector_arguments)
        return self._warehouse

    def warehouse(self, *, query_tag: str | None = None, layer: Layer = Layer.LOADER) -> Warehouse:
        """Return the warehouse of the run, whose steps share one connection, or one with a tag of its own."""
        if query_tag is None:
            return self._run_warehouse
        return Warehouse(partial(self._connector_arguments, layer), query_tag=query_tag)

    @contextmanager
    def get_connection(self, layer: Layer = Layer.LOADER) -> Iterator[Any]:
        """Yield a connection of the run; an error in the block rolls back and closes it.

        Layers share the connection of the run, unless each has a role of its own.
        """
        warehouse = self._run_warehouse
        if layer is not Layer.LOADER and layer in self.layers:
            warehouse = self.warehouse(query_tag=warehouse.query_tag, layer=layer)
        with warehouse.connect() as connection:
            yield connection

    def _connector_arguments(self, layer: Layer = Layer.LOADER) -> Mapping[str, Any]:
        return {**self._sign_in_arguments(), **self.layers.get(layer, {})}

    def _sign_in_arguments(self) -> Mapping[str, Any]:
        if "account" not in self.arguments:
            return local_arguments(Path(self.local_home or ".gong_assets"), self.arguments)
        secrets = sign_in_arguments(
            self.arguments,
            password=self.password,
            token=self.token,
            private_key=self.private_key,
            private_key_passphrase=self.private_key_passphrase,
        )
        return {**self.arguments, **secrets}


# Fields of dagster-snowflake's resource that are arguments of the connector by the same name.
_CONNECTOR_FIELDS = (
    *("account", "user", "role", "warehouse", "authenticator", "login_timeout", "network_timeout"),
    *("client_prefetch_threads", "client_session_keep_alive", "ocsp_response_cache_filename"),
)
# The graph's statements rely on the connector's own values of these: a commit after each statement, `%s` for
# bound values, Python's numbers, and UTC.
_FIXED_ARGUMENTS = {"autocommit", "paramstyle", "numpy", "timezone"}


def snowflake_of(resource: Any, settings: Settings) -> SnowflakeResource:
    """Return connections with the sign-in of a `dagster_snowflake.SnowflakeResource`.

    The database and schema are those of the settings, which name the tables when the graph is loaded.

    Raises:
        TypeError: the resource is of another class.
    """
    if isinstance(resource, SnowflakeResource):
        return resource
    # An op that requests the resource by its key gets a wrapper of this class from Dagster.
    resource = getattr(resource, "snowflake_connection_resource", resource)
    if not hasattr(resource, "additional_snowflake_connection_args"):
        raise TypeError(f"{type(resource).__name__} is not a dagster_snowflake.SnowflakeResource")
    arguments = {name: getattr(resource, name) for name in _CONNECTOR_FIELDS}
    arguments["private_key_file"] = resource.private_key_path
    arguments |= resource.additional_snowflake_connection_args or {}
    arguments |= settings.place
    return SnowflakeResource(
        arguments={
            name: value
            for name, value in arguments.items()
            if value is not None and name not in _FIXED_ARGUMENTS
        },
        password=resource.password,
        private_key=resource.private_key,
        private_key_passphrase=resource.private_key_password,
    )


def without_config(resource: dg.ConfigurableResource[Any]) -> dg.ResourceDefinition:
    """Return the resource without run config; its environment variables are read in each run.

    Dagster's launchpad shows the fields of a `ConfigurableResource`, and sends what it shows.
    """

    @dg.resource(config_schema={}, description=type(resource).__doc__)
    def fixed(context: dg.InitResourceContext) -> Iterator[Any]:
        fill_environment(VARIABLES)
        variables = {name: value for name, value in resource if hasattr(value, "get_value")}
        values = {name: variable.get_value() for name, variable in variables.items()}
        if unset := [str(variables[name].env_var_name) for name, value in values.items() if value is None]:
            raise SettingsError(f"{', '.join(unset)}: not set in the environment of the run")
        with resource.model_copy(update=values).yield_for_execution(context) as initialized:
            yield initialized

    return fixed


def bound_snowflake(key: str, settings: Settings) -> dg.ResourceDefinition:
    """Return a resource that signs in as the project's resource with this key does."""

    @dg.resource(
        config_schema={},
        required_resource_keys={key},
        description=f"Connections with the sign-in of `{key}`.",
    )
    def snowflake(context: dg.InitResourceContext) -> Iterator[SnowflakeResource]:
        account = snowflake_of(getattr(context.resources, key), settings)
        with account.yield_for_execution(context) as initialized:
            yield initialized

    return snowflake


def bound_gong(key: str) -> dg.ResourceDefinition:
    """Return the project's resource with this key, under the graph's own key."""

    @dg.resource(config_schema={}, required_resource_keys={key}, description=f"The Gong API of `{key}`.")
    def gong(context: dg.InitResourceContext) -> GongResource:
        return getattr(context.resources, key)  # type: ignore[no-any-return]

    return gong


def query_tag(run_id: str, step: str | None = None) -> str:
    """Return the tag of a run's statements in Snowflake's query history and Cortex usage history."""
    return json.dumps({"app": "gong_assets", "run_id": run_id, **({"step": step} if step else {})})
