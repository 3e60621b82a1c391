"""dbt unit tests of the models, on the local server."""

from __future__ import annotations

import pytest

from gong_assets_tests.dbt.project import DbtProject
from gong_assets_tests.dbt.warehouse import Tables

pytestmark = [pytest.mark.extended, pytest.mark.xdist_group("dbt")]


def test_the_unit_tests_of_the_project_pass(built: Tables, project: DbtProject) -> None:
    assert built  # dbt asks the built tables for the types of the tests' inputs
    output = project.succeed("test", "--select", "test_type:unit")
    tests = len(project.manifest()["unit_tests"])
    assert f"PASS={tests} WARN=0 ERROR=0 SKIP=0" in output
