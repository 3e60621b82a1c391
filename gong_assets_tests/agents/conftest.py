"""Fixtures of tests of agents."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gong_assets.warehouse.connection import Warehouse
from gong_assets_tests.schemas import emptied


@pytest.fixture(scope="module")
def module_warehouse(stack_home: Path) -> Iterator[Warehouse]:
    """A warehouse with a schema that was empty, for tables that the tests of a module only read."""
    opened = emptied(stack_home, "AGENTS")
    yield opened
    opened.close()
