"""What tests share: the real local stack, started once in each worker, and a schema of its own for each test."""

from __future__ import annotations

import os
import signal
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from gong_assets.settings import Settings
from gong_assets.warehouse.connection import Warehouse, local_arguments

# Nothing of a developer's own environment may reach a test, and nothing of a test may reach a third party.
for _name in Settings.model_fields:
    os.environ.pop(_name.upper(), None)
os.environ["DAGSTER_DISABLE_TELEMETRY"] = "yes"
os.environ["DBT_SEND_ANONYMOUS_USAGE_STATS"] = "false"
# The connector looks up the names of clouds before it signs in, which takes seconds where nothing answers.
os.environ["SNOWFLAKE_DISABLE_PLATFORM_DETECTION"] = "true"

# A shell's background jobs ignore SIGINT. Dagster then lets its process ignore SIGTERM too, and what is ignored is inherited
# by the servers that tests start, and mean to end.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def stack_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The home of a running local stack."""
    from gong_assets.local import stack

    home = tmp_path_factory.mktemp("stack")
    stack.up(home)
    yield home
    stack.down(home)


@pytest.fixture
def warehouse(stack_home: Path) -> Warehouse:
    """A warehouse whose schema no other test uses."""
    return Warehouse({**local_arguments(stack_home), "schema": f"TEST_{uuid.uuid4().hex[:8].upper()}"})
