"""Shared fixtures: the real local stack, started once per worker, and a separate schema for each test."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gong_assets.settings import Settings
from gong_assets.warehouse.connection import Warehouse
from gong_assets_tests.cli.command_line import CommandLine
from gong_assets_tests.parsed_projects import ParsedProjects
from gong_assets_tests.repeated_work import keep_results, keep_results_of_dbt
from gong_assets_tests.schemas import emptied

# Keep a developer's own settings out of the tests, and telemetry of the tests off the network.
for _name in Settings.model_fields:
    os.environ.pop(_name.upper(), None)
os.environ["DAGSTER_DISABLE_TELEMETRY"] = "yes"
os.environ["DBT_SEND_ANONYMOUS_USAGE_STATS"] = "false"
# Otherwise the connector queries cloud metadata services before it signs in, which takes seconds without a
# network.
os.environ["SNOWFLAKE_DISABLE_PLATFORM_DETECTION"] = "true"
# Otherwise the connector imports a module in a thread. A process that is forked meanwhile, from a server that
# preloaded the connector, waits for the lock of this import forever.
os.environ["SNOWFLAKE_DISABLE_MINICORE"] = "true"

# In a background job of a shell SIGINT is ignored. Dagster would then ignore SIGTERM as well, and the servers
# that tests start and stop would inherit this.
signal.signal(signal.SIGINT, signal.default_int_handler)
# Under `nohup` SIGHUP is ignored, also by the commands that tests start.
signal.signal(signal.SIGHUP, signal.SIG_DFL)

keep_results()

# The fixtures of running local servers.
SERVERS = {"stack_home", "server", "own_server"}
LONGEST_TEST = timedelta(minutes=8)


def pytest_make_parametrize_id(val: object) -> str | None:
    """Return a short id of a long text: an id is part of each report."""
    if isinstance(val, str) and len(val) > 100:
        return f"{val[:60]!a}... of {len(val)}"
    return None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests slow that query a local server: `make test-fast` runs the others."""
    for item in items:
        if SERVERS.intersection(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.slow)


def pytest_runtest_setup() -> None:
    keep_results_of_dbt()


@pytest.fixture(scope="session", autouse=True)
def parsed_projects(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Parse the dbt project once for each state of its settings."""
    session = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        session = session.parent
    CommandLine.parsed = ParsedProjects(session / "parsed")
    with CommandLine.parsed.parsing():
        yield


@pytest.fixture(scope="session")
def stack_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The home of a running local stack."""
    from gong_assets.local import stack

    home = tmp_path_factory.mktemp("stack")
    stack.up(home)
    yield home
    stack.down(home)


@pytest.fixture
def one_day() -> None:
    """Wait for midnight (UTC) if it is near: the test lasts minutes, and its days are those of one date."""
    now = datetime.now(UTC)
    midnight = datetime.combine(now.date() + timedelta(days=1), datetime.min.time(), UTC)
    if midnight - now < LONGEST_TEST:
        time.sleep((midnight - now).total_seconds())


@pytest.fixture(scope="session")
def manifest_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The manifest of the dbt project."""
    from gong_assets.defs.dbt.project import prepared_project

    return Path(prepared_project(Settings(gong_assets_home=tmp_path_factory.mktemp("dbt"))).manifest_path)


@pytest.fixture
def warehouse(stack_home: Path) -> Iterator[Warehouse]:
    """A warehouse with an empty schema."""
    opened = emptied(stack_home)
    yield opened
    opened.close()
