"""The dbt resource of the graph."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from importlib.metadata import version

from dagster_dbt import DbtCliResource, DbtProject
from packaging.version import Version

from gong_assets.defs.dbt.project import dbt_environment, dbt_executable
from gong_assets.defs.leases import KeepsLease
from gong_assets.warehouse.connection import Warehouse


class GongDbtResource(KeepsLease, DbtCliResource):
    """dbt with the warehouse of the graph, and without the start-up cost of dagster-dbt."""

    @classmethod
    def from_project(cls, project: DbtProject) -> GongDbtResource:
        return cls(
            project_dir=str(project.project_dir), target=project.target, dbt_executable=dbt_executable()
        )

    @cached_property
    def _cli_version(self) -> Version:
        """Return the installed version. The original starts `dbt --version` (5-10 s) in each run."""
        return Version(version("dbt-core"))

    @contextmanager
    def connected(
        self, warehouse: Warehouse, project: DbtProject, sources: Mapping[str, str]
    ) -> Iterator[None]:
        """Connect the dbt commands of the block to `warehouse` and to these `sources`.

        dagster-dbt has no parameter for it: the commands inherit the environment of this process.
        """
        values = {
            **dbt_environment(warehouse.arguments),
            **sources,
            "DBT_TARGET_PATH": str(project.target_path),
            "GONG_ASSETS_QUERY_TAG": warehouse.query_tag,
            # Run a test of two models only if both are built or exist. The default of dbt fails on tables
            # that do not exist yet. Where checks are deselected, dagster-dbt sets its own value.
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
