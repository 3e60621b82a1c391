"""The models and tests of the dbt project, and their selection in a run."""

from __future__ import annotations

from collections.abc import Collection, Mapping
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

    def selected_tests(self, context: dg.AssetExecutionContext) -> dict[str, dg.AssetKey]:
        """Return the unique ID of the test of each selected check, with the asset that it tests."""
        return {
            spec.metadata["dagster_dbt/unique_id"]: spec.asset_key
            for spec in context.assets_def.node_check_specs_by_output_name.values()
            if spec.key in context.selected_asset_check_keys
        }

    def selection(self, assets: Collection[dg.AssetKey], tests: Mapping[str, dg.AssetKey]) -> list[str]:
        """Return dbt's arguments for the models of assets, and for these tests; see `selected_tests`."""
        names = [self.names[key] for key in assets]
        names += [self.tests[test] for test, asset in tests.items() if asset not in assets]
        # Run a test of two models only if both are built or exist. The default of dbt fails on tables that
        # do not exist yet.
        return ["--indirect-selection", "buildable" if assets else "empty", "--select", *sorted(names)]
