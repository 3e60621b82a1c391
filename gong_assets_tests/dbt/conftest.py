"""Fixtures: the local warehouse server with the landed test records, and the dbt project built once on them.

All modules that read the built tables are in one xdist group, so that only one worker builds them.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import snowflake.connector

from gong_assets_tests.dbt.cortex_company import REFUSED, UNCOUNTED, UNSCORABLE, Company
from gong_assets_tests.dbt.project import DbtProject
from gong_assets_tests.dbt.warehouse import Tables, Warehouse

DATABASE, SCHEMA = "SOPHIA_AI", "GONG_DATA"


@pytest.fixture(scope="session")
def warehouse_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with served(tmp_path_factory.mktemp("warehouse")) as port:
        yield port


@contextmanager
def served(home: Path, **environment: str) -> Iterator[int]:
    """Run a separate local server within the block, and yield its port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    with (home / "log").open("w") as log:
        command = [sys.executable, "-m", "gong_assets.local.snowflake"]
        server = subprocess.Popen(
            [*command, "--data", str(home / "data"), "--port", str(port)],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            env={**os.environ, **environment},
        )
        assert server.stdin is not None
        server.stdin.write(b"local\n")  # the password of the dbt profile, if no other is set
        server.stdin.close()
    try:
        while not _healthy(port):
            assert server.poll() is None, (home / "log").read_text()
            time.sleep(0.1)
        yield port
    finally:
        server.terminate()
        server.wait(timeout=20)


def _healthy(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, ConnectionError):
        return False


@pytest.fixture(scope="session")
def warehouse(warehouse_port: int) -> Iterator[Warehouse]:
    with connected(warehouse_port) as connection:
        yield connection


@contextmanager
def connected(port: int, schema: str = SCHEMA) -> Iterator[Warehouse]:
    arguments = {
        "account": "local",
        "user": "local",
        "password": "local",
        "host": "127.0.0.1",
        "port": port,
        "protocol": "http",
        "database": DATABASE,
        "schema": schema,
    }
    connection = snowflake.connector.connect(**arguments, session_parameters={"TIMEZONE": "UTC"})
    with connection:
        yield Warehouse(connection, arguments)


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory, warehouse_port: int) -> DbtProject:
    return project_of(tmp_path_factory.mktemp("dbt"), warehouse_port)


def project_of(work_dir: Path, port: int, schema: str = SCHEMA) -> DbtProject:
    return DbtProject(
        work_dir=work_dir,
        environment={
            "GONG_ASSETS_TARGET": "local",
            "SNOWFLAKE_PORT": str(port),
            "SNOWFLAKE_DATABASE": DATABASE,
            "SNOWFLAKE_SCHEMA": schema,
        },
    )


@pytest.fixture(scope="session")
def built(warehouse: Warehouse, project: DbtProject) -> Tables:
    """Return the tables after one `dbt build` of everything, including data tests."""
    warehouse.land_everything()
    warehouse.share_hubspot()
    project.succeed("build", "--exclude-resource-type", "unit_test")
    return warehouse.tables()


@pytest.fixture(scope="session")
def served_company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    with (
        served(
            tmp_path_factory.mktemp("refusing"),
            GONG_ASSETS_LOCAL_CORTEX_REFUSES=f"{REFUSED}|^{UNSCORABLE}",
            GONG_ASSETS_LOCAL_CORTEX_CANNOT_COUNT=UNCOUNTED,
        ) as port,
        connected(port) as warehouse,
    ):
        project = project_of(tmp_path_factory.mktemp("dbt"), port)
        variables = {"cortex_segments_per_batch": 8, "cortex_calls_per_batch": 2, "cortex_max_attempts": 2}
        yield Company(warehouse, project, variables, 0)


@pytest.fixture
def company(served_company: Company) -> Company:
    """Return the schema without rows. Its tables stay, because dbt takes seconds to create them."""
    delete_rows(served_company)
    return replace(served_company, sent_before=len(served_company.sent()))


def delete_rows(company: Company, *prefixes: str) -> None:
    """Delete all rows of the tables, or of those whose name has one of the prefixes."""
    for name in _relations(company.warehouse, "BASE TABLE"):
        if not prefixes or name.startswith(prefixes):
            # The table of the texts that wait is one that a run creates and drops.
            verb = "drop table" if "QUEUE" in name else "delete from"
            company.warehouse.query(f"{verb} {name}")


@pytest.fixture
def new_company(served_company: Company) -> Company:
    """Return the schema without tables."""
    for kind in ("VIEW", "BASE TABLE"):
        for name in _relations(served_company.warehouse, kind):
            served_company.warehouse.query(f"drop {kind.split()[-1]} {name}")
    return replace(served_company, sent_before=len(served_company.sent()))


def _relations(warehouse: Warehouse, kind: str) -> list[str]:
    sql = "select table_name from information_schema.tables where table_schema = %s and table_type = %s"
    return [row["TABLE_NAME"] for row in warehouse.query(sql, (SCHEMA, kind))]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that start a server and build models on it as slow."""
    for item in items:
        if {"warehouse_port", "served_company"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.slow)
