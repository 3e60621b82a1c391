"""What Dagster shows of a dbt model and of its tests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings, DbtProject

from gong_assets.defs.dbt.code_versions import CodeVersions
from gong_assets.defs.freshness import hubspot_freshness
from gong_assets.defs.options import REVENUE_OPERATIONS, GraphOptions
from gong_assets.settings import Settings


class GongDbtTranslator(DagsterDbtTranslator):
    """Translator that adds key prefix, partitions, group (the folder), freshness policy and code version."""

    def __init__(
        self,
        settings: Settings,
        options: GraphOptions,
        partitions: dg.DailyPartitionsDefinition,
        code_versions: CodeVersions,
    ) -> None:
        super().__init__(DagsterDbtTranslatorSettings(enable_code_references=True))
        self._graph_settings = settings
        self._options = options
        self._partitions = partitions
        self._code_versions = code_versions

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
        key = super().get_asset_key(dbt_resource_props)
        return dg.AssetKey([*self._options.prefix_parts, *key.path])

    def get_partitions_def(
        self, dbt_resource_props: Mapping[str, Any]
    ) -> dg.PartitionsDefinition[Any] | None:
        return self._partitions if is_partitioned(dbt_resource_props) else None

    def get_code_version(self, dbt_resource_props: Mapping[str, Any]) -> str | None:
        if dbt_resource_props["resource_type"] != "model":
            return None
        return self._code_versions.of_model(dbt_resource_props)

    def get_asset_spec(
        self, manifest: Mapping[str, Any], unique_id: str, project: DbtProject | None
    ) -> dg.AssetSpec:
        spec = super().get_asset_spec(manifest, unique_id, project)
        properties = self.get_resource_props(manifest, unique_id)
        if properties["resource_type"] != "model":
            return spec
        hubspot = properties["name"].startswith("stg_hubspot_")
        layer: Any = "hubspot" if hubspot else folder(properties)
        attributes = self._options.asset_attributes(layer, owner=REVENUE_OPERATIONS)
        return spec.replace_attributes(
            description=properties["description"],  # dagster-dbt appends the SQL, which is in the repository.
            group_name=attributes["group_name"],
            tags={**spec.tags, **attributes["tags"]},
            owners=attributes["owners"],
            # In upper case, as Snowflake shows it.
            metadata={**spec.metadata, "dagster/table_name": _table_name(properties)},
            freshness_policy=hubspot_freshness(self._graph_settings, self._options) if hubspot else None,
        )


def folder(properties: Mapping[str, Any]) -> str:
    """Return the folder of a model below `models/`, which is its layer."""
    return str(properties["fqn"][1])


def is_partitioned(properties: Mapping[str, Any]) -> bool:
    """Return whether a model, or a table of answers, shares the daily partitions of the raw assets."""
    return "partitioned" in properties["tags"] or properties.get("source_name") == "cortex"


def _table_name(properties: Mapping[str, Any]) -> str:
    return f"{properties['database']}.{properties['schema']}.{properties['alias']}".upper()
