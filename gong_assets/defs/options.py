"""Options of the graph within a Dagster project: keys, groups, owners, schedules, sensors and resources.

What is read, and from which accounts, is in `gong_assets/settings`. A `defs.yaml` sets these options as
attributes of the component (`component.py`); Python code passes them to `build_defs` (`build.py`).
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self, TypeVar

import dagster as dg
from pydantic import Field

from gong_assets.settings import Settings, SettingsError

Layer = Literal["raw", "staging", "hubspot", "cortex", "enriched", "monitoring", "agents", "health"]

# Jobs, schedules and sensors select assets by this tag. Groups and keys may be shared with other assets of
# the project.
LAYER_TAG = "gong_assets/layer"

DATA_ENGINEERING = "team:data-engineering"
REVENUE_OPERATIONS = "team:revenue-operations"


class ScheduleOptions(dg.Model, dg.Resolvable):
    """When a schedule runs."""

    cron: Annotated[
        str | None,
        dg.Resolver.default(
            description="Cron expression that replaces the setting, such as GONG_ASSETS_INGESTION_CRON."
        ),
    ] = None
    timezone: Annotated[
        str,
        dg.Resolver.default(
            description="Time zone of the cron expression. Defaults to GONG_ASSETS_TIMEZONE."
        ),
    ] = "UTC"
    enabled: Annotated[
        bool,
        dg.Resolver.default(
            description="Start the schedule by default. Defaults to GONG_ASSETS_SCHEDULES_ENABLED. A change "
            "made in the Dagster UI takes precedence."
        ),
    ] = True

    @property
    def default_status(self) -> dg.DefaultScheduleStatus:
        return dg.DefaultScheduleStatus.RUNNING if self.enabled else dg.DefaultScheduleStatus.STOPPED


class SensorOptions(dg.Model, dg.Resolvable):
    """When a sensor runs."""

    interval_seconds: Annotated[
        int | None,
        dg.Resolver.default(description="Seconds between two evaluations, instead of the default."),
        Field(ge=1),
    ] = None
    enabled: Annotated[
        bool,
        dg.Resolver.default(
            description="Start the sensor by default. Defaults to GONG_ASSETS_SCHEDULES_ENABLED; "
            "`orphaned_runs`, which starts nothing, always starts. A change made in the Dagster UI takes "
            "precedence."
        ),
    ] = True

    @property
    def default_status(self) -> dg.DefaultSensorStatus:
        return dg.DefaultSensorStatus.RUNNING if self.enabled else dg.DefaultSensorStatus.STOPPED


class Schedules(dg.Model, dg.Resolvable):
    """The schedules of the graph."""

    ingestion: Annotated[
        ScheduleOptions,
        dg.Resolver.default(description="Reads the lookback days again; every 4 hours by default."),
    ] = ScheduleOptions()
    reconciliation: Annotated[
        ScheduleOptions,
        dg.Resolver.default(description="Compares older days with Gong; Sundays at 01:30 by default."),
    ] = ScheduleOptions()
    reference_data: Annotated[
        ScheduleOptions,
        dg.Resolver.default(
            description="Reads reference data, such as trackers and scorecards; daily at 00:45 by default."
        ),
    ] = ScheduleOptions()
    hubspot: Annotated[
        ScheduleOptions,
        dg.Resolver.default(
            description="Rebuilds the HubSpot tables; by default daily at 06:05 for the share's V2_DAILY, "
            "hourly at minute 5 otherwise."
        ),
    ] = ScheduleOptions()
    standing_checks: Annotated[
        ScheduleOptions,
        dg.Resolver.default(description="Checks all days and writes the report; daily at 06:30 by default."),
    ] = ScheduleOptions()
    storage_cleanup: Annotated[
        ScheduleOptions,
        dg.Resolver.default(
            description="Deletes old runs and logs from Dagster's storage; daily at 03:20 by default."
        ),
    ] = ScheduleOptions()
    retention: Annotated[
        ScheduleOptions,
        dg.Resolver.default(
            description="Deletes rows that have expired (GONG_RETENTION_DAYS); monthly by default."
        ),
    ] = ScheduleOptions()
    agent_objects: Annotated[
        ScheduleOptions,
        dg.Resolver.default(
            description="Replaces changed objects for agents (GONG_AGENT_OBJECTS); daily at 06:45 by default."
        ),
    ] = ScheduleOptions()


class Sensors(dg.Model, dg.Resolvable):
    """The sensors of the graph."""

    transformation: Annotated[
        SensorOptions, dg.Resolver.default(description="Materializes the models whose sources changed.")
    ] = SensorOptions()
    source: Annotated[
        SensorOptions,
        dg.Resolver.default(description="Follows the tables of GONG_SOURCE, if another product loads them."),
    ] = SensorOptions()
    missing_transcripts: Annotated[
        SensorOptions, dg.Resolver.default(description="Requests the transcripts that Gong had not finished.")
    ] = SensorOptions()
    webhook: Annotated[
        SensorOptions,
        dg.Resolver.default(description="Requests the calls that Gong's webhook announced; every 10 s."),
    ] = SensorOptions()
    resume: Annotated[
        SensorOptions, dg.Resolver.default(description="Resumes the runs that Gong's daily quota stopped.")
    ] = SensorOptions()
    orphaned_runs: Annotated[
        SensorOptions, dg.Resolver.default(description="Fails runs whose process or machine died.")
    ] = SensorOptions()
    alerts: Annotated[
        SensorOptions, dg.Resolver.default(description="Reports failures and recoveries; every minute.")
    ] = SensorOptions()


class ResourceKeys(dg.Model, dg.Resolvable):
    """Keys of resources of the project that the graph uses instead of creating its own."""

    gong: Annotated[str | None, dg.Resolver.default(description="Key of a `GongResource`.")] = None
    snowflake: Annotated[
        str | None,
        dg.Resolver.default(
            description="Key of a `dagster_snowflake.SnowflakeResource`. Its sign-in, role and warehouse "
            "are used by all assets, checks and sensors, and by dbt; the database and schema are those of "
            "the settings."
        ),
    ] = None


class GraphOptions(dg.Model, dg.Resolvable):
    """How the graph appears in a Dagster project. Without any option, keys and groups have no prefix."""

    key_prefix: Annotated[
        str | list[str],
        dg.Resolver.default(
            description="Prefix of every asset key; the parts of a string are separated by slashes."
        ),
    ] = ""
    group_prefix: Annotated[
        str, dg.Resolver.default(description="Prefix of every group name, such as `gong_`.")
    ] = ""
    owners: Annotated[
        list[str] | None,
        dg.Resolver.default(description="Owners of all assets: e-mail addresses or `team:<name>`."),
    ] = None
    tags: Annotated[
        dict[str, str] | None, dg.Resolver.default(description="Tags that are added to all assets.")
    ] = None
    source_assets: Annotated[
        list[str],
        dg.Resolver.default(
            description="Keys of the project's assets that load the tables of GONG_SOURCE, such as those of "
            "an `AirbyteWorkspaceComponent` or a `FivetranAccountComponent`. They are upstream of "
            "`gong_source_tables`."
        ),
    ] = []  # noqa: RUF012
    schedules: Annotated[Schedules, dg.Resolver.default(description="When the schedules run.")] = Schedules()
    sensors: Annotated[Sensors, dg.Resolver.default(description="When the sensors run.")] = Sensors()
    resource_keys: Annotated[
        ResourceKeys, dg.Resolver.default(description="Resources of the project that the graph uses.")
    ] = ResourceKeys()

    def asset_key(self, name: str) -> dg.AssetKey:
        """Return the key of one of the graph's assets."""
        return dg.AssetKey([*self.prefix_parts, name])

    @property
    def prefix_parts(self) -> list[str]:
        if isinstance(self.key_prefix, str):
            return [part for part in self.key_prefix.split("/") if part]
        return list(self.key_prefix)

    def asset_attributes(self, layer: Layer, *, owner: str, **tags: str) -> dict[str, Any]:
        """Return the group, owners and tags of an asset in this layer."""
        return {
            "group_name": f"{self.group_prefix}{layer}",
            "owners": [owner] if self.owners is None else self.owners,
            "tags": {**(self.tags or {}), **tags, LAYER_TAG: layer},
        }

    def op_name(self, name: str) -> str:
        """Return the name of an op of several assets. The op of a single asset is named after its key."""
        return "__".join([*self.prefix_parts, name])

    def with_settings(self, settings: Settings) -> Self:
        """Return the options with the schedules of the settings, where an option does not say otherwise.

        Raises:
            SettingsError: a cron expression is invalid.
        """
        schedules = {
            name: _with_defaults(getattr(self.schedules, name), settings, cron=f"gong_assets_{name}_cron")
            for name in Schedules.model_fields
        }
        # Runs by hand need the repair of dead runs too, and it reads and costs nothing.
        sensors = {
            name: _with_defaults(getattr(self.sensors, name), settings)
            for name in Sensors.model_fields.keys() - {"orphaned_runs"}
        }
        return self.model_copy(
            update={
                "schedules": self.schedules.model_copy(update=schedules),
                "sensors": self.sensors.model_copy(update=sensors),
            }
        )


Timing = TypeVar("Timing", ScheduleOptions, SensorOptions)


def _with_defaults(options: Timing, settings: Settings, *, cron: str | None = None) -> Timing:
    defaults: dict[str, Any] = {"enabled": settings.schedules_enabled}
    if cron is not None:
        defaults |= {"cron": _valid_cron(cron, settings), "timezone": settings.gong_assets_timezone}
    return options.model_copy(
        update={name: value for name, value in defaults.items() if name not in options.model_fields_set}
    )


def _valid_cron(name: str, settings: Settings) -> str | None:
    cron: str | None = getattr(settings, name)
    if cron is not None:
        try:
            dg.ScheduleDefinition(name="validated", job_name="validated", cron_schedule=cron)
        except dg.DagsterInvalidDefinitionError:
            raise SettingsError(
                f"{name.upper()}: {cron!r} is not a cron expression such as `0 */4 * * *`"
            ) from None
    return cron


DEFAULT_OPTIONS = GraphOptions()


def layers(*names: Layer) -> dg.AssetSelection:
    """Return the selection of the graph's own assets in these layers."""
    selection = dg.AssetSelection.tag(LAYER_TAG, names[0])
    for name in names[1:]:
        selection = selection | dg.AssetSelection.tag(LAYER_TAG, name)
    return selection
