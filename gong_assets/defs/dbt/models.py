"""The models and tests of the dbt project, and their selection in a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import dagster as dg

from gong_assets.defs.dbt.check_names import dbt_test_names
from gong_assets.defs.dbt.translator import GongDbtTranslator


@dataclass(frozen=True)
class DbtModels:
    """The models and tests of the project, by the names that Dagster has for them.

    Attributes:
        manifest: dbt's manifest, in which checks have their short names.
        names: dbt's name of each model, by asset key.
        tests: dbt's name of each test, by its unique ID.
    """

    manifest: Mapping[str, Any]
    translator: GongDbtTranslator
    names: Mapping[dg.AssetKey, str]
    tests: Mapping[str, str]

    @classmethod
    def of_manifest(cls, manifest: Mapping[str, Any], translator: GongDbtTranslator) -> DbtModels:
        models = {
            translator.get_asset_key(node): node
            for node in manifest["nodes"].values()
            if node["resource_type"] == "model"
        }
        return cls(
            manifest,
            translator,
            names={key: node["name"] for key, node in models.items()},
            tests=dbt_test_names(manifest),
        )

    def selection(self, context: dg.AssetExecutionContext) -> list[str]:
        """Return dbt's arguments for the selected models and checks."""
        of_check = {
            spec.key: self.tests[spec.metadata["dagster_dbt/unique_id"]]
            for spec in context.assets_def.node_check_specs_by_output_name.values()
        }
        assets, checks = context.selected_asset_keys, context.selected_asset_check_keys
        selected = [self.names[key] for key in assets]
        selected += [of_check[key] for key in checks if key.asset_key not in assets]
        excluded = [name for key, name in of_check.items() if key.asset_key in assets and key not in checks]
        # Run a test of two models only if both are built or exist. The default of dbt fails on tables that
        # do not exist yet.
        arguments = [
            *("--indirect-selection", "buildable" if assets else "empty"),
            *("--select", *sorted(selected)),
        ]
        return [*arguments, "--exclude", *sorted(excluded)] if excluded else arguments
