"""The streams of the Gong connection in Airbyte or Fivetran, as assets that run its sync.

They are those of the components of dagster-airbyte and dagster-fivetran. `refresh` reads the connection from
the product's API into a file, and loading the definitions reads only that file.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import dagster as dg
from dagster.components import build_defs_for_component

from gong_assets.defs.options import DATA_ENGINEERING, DEFAULT_OPTIONS, GraphOptions
from gong_assets.security.private_files import create_private_directory
from gong_assets.settings import Settings, SettingsError

_logger = logging.getLogger("gong_assets")


REFRESH_HINT = "run `gong-assets source refresh`"


class ConnectionNotFound(Exception):
    """The product's API does not return the connection."""


def state_path(settings: Settings) -> Path:
    """Return the file with the connection, as the product's API returned it last."""
    return settings.gong_assets_home / f"{settings.gong_source}_connection.json"


def build_connector(settings: Settings, options: GraphOptions = DEFAULT_OPTIONS) -> list[dg.AssetsDefinition]:
    """Return the assets of the connection; none without GONG_SOURCE_CONNECTION or before `refresh`.

    Raises:
        SettingsError: the extra of the product is not installed.
    """
    if settings.gong_source_connection is None:
        return []
    path = state_path(settings)
    component = _component(settings, options)
    if not path.exists():
        _logger.warning(f"{path} does not exist, so the connection is not shown: {REFRESH_HINT}")
        return []
    definitions = build_defs_for_component(FromFile(component, path))
    return [each for each in definitions.assets or () if isinstance(each, dg.AssetsDefinition)]


class FromFile(dg.Component):
    """A state-backed component whose state is this file, also outside a `dg` project."""

    def __init__(self, component: dg.StateBackedComponent, path: Path) -> None:
        self.component = component
        self.path = path

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        return self.component.build_defs_from_state(context, self.path)


async def refresh(settings: Settings) -> list[str]:
    """Read the connection from the product's API into the file, and return the names of its streams.

    Raises:
        ConnectionNotFound: the workspace has no such connection with streams. The file is unchanged.
        SettingsError: the extra of the product is not installed.
        dagster.Failure: the API refused.
    """
    path = state_path(settings)
    create_private_directory(path.parent)
    new = path.with_suffix(".new")
    component: Any = _component(settings, DEFAULT_OPTIONS)
    try:
        await component.write_state_to_path(new)
        found = build_defs_for_component(FromFile(component, new))
        keys = [
            key for each in found.assets or () if isinstance(each, dg.AssetsDefinition) for key in each.keys
        ]
        if not keys:
            raise ConnectionNotFound(
                f"GONG_SOURCE_CONNECTION: {settings.gong_source} has no connection with streams whose name "
                f"or ID is {settings.gong_source_connection!r}. It has: {', '.join(_names(new)) or 'none'}."
            )
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)
    return sorted(key.path[-1] for key in keys)


def _names(path: Path) -> list[str]:
    state: Any = dg.deserialize_value(path.read_text("utf-8"))
    connections = state.connections_by_id if hasattr(state, "connections_by_id") else state.connectors_by_id
    return sorted(each.name for each in connections.values())


def _component(settings: Settings, options: GraphOptions) -> dg.StateBackedComponent:
    build = {"airbyte": _airbyte, "fivetran": _fivetran}[settings.gong_source]
    try:
        component: dg.StateBackedComponent = build(settings, options)
    except ImportError:
        raise SettingsError(
            f"GONG_SOURCE_CONNECTION: needs the extra: pip install 'gong_assets[{settings.gong_source}]'"
        ) from None
    return component


def _airbyte(settings: Settings, options: GraphOptions) -> Any:
    from dagster_airbyte import AirbyteCloudWorkspace, AirbyteWorkspace, AirbyteWorkspaceComponent

    # Airbyte's own schedule continues, so its sync may be running already: then it is awaited.
    common: dict[str, Any] = {
        "workspace_id": settings.airbyte_workspace_id,
        "client_id": settings.airbyte_client_id,
        "client_secret": _secret(settings.airbyte_client_secret),
        "poll_previous_running_sync": True,
    }
    url = (settings.airbyte_url or "").rstrip("/")
    return AirbyteWorkspaceComponent(
        workspace=AirbyteWorkspace(
            rest_api_base_url=f"{url}/api/public/v1", configuration_api_base_url=f"{url}/api/v1", **common
        )
        if url
        else AirbyteCloudWorkspace(**common),
        connection_selector=lambda each: settings.gong_source_connection in (each.id, each.name),
        translation=lambda spec, props: _spec(spec, props.table_name, settings, options),
    )


def _fivetran(settings: Settings, options: GraphOptions) -> Any:
    from dagster_fivetran import FivetranAccountComponent, FivetranWorkspace

    return FivetranAccountComponent(
        workspace=FivetranWorkspace(
            account_id="",
            api_key=settings.fivetran_api_key or "",
            api_secret=_secret(settings.fivetran_api_secret),
            # By default, the first sync from Dagster would end Fivetran's own schedule.
            disable_schedule_on_trigger=False,
        ),
        connector_selector=lambda each: settings.gong_source_connection in (each.id, each.name),
        translation=lambda spec, props: _spec(spec, props.table.partition(".")[2], settings, options),
    )


def _secret(value: Any) -> str:
    return value.get_secret_value() if value else ""


def _spec(spec: dg.AssetSpec, table: str, settings: Settings, options: GraphOptions) -> dg.AssetSpec:
    """Return the asset of a stream, with a key that no other asset has and the real name of its table."""
    database = settings.gong_source_database or settings.snowflake_database
    return spec.replace_attributes(
        key=dg.AssetKey([*options.prefix_parts, settings.gong_source, table]),
        description=f"Materializing it runs the sync of the connection {settings.gong_source_connection}, "
        "with all its streams.",
        group_name=f"{options.group_prefix}source",
        owners=[DATA_ENGINEERING] if options.owners is None else options.owners,
        tags=options.tags or {},
        kinds={settings.gong_source, "snowflake"},
    ).merge_attributes(
        metadata={"dagster/table_name": f"{database}.{settings.source_schema}.{table.upper()}"}
    )
