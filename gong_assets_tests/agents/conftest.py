"""Fixtures of tests of agents."""

from __future__ import annotations

from pathlib import Path

import pytest

from gong_assets.warehouse.connection import Warehouse
from gong_assets_tests.schemas import emptied


@pytest.fixture(scope="module")
def module_warehouse(stack_home: Path) -> Warehouse:
    """A warehouse with a schema that was empty, for tables that the tests of a module only read."""
    return emptied(stack_home, "AGENTS")
