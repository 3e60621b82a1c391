"""One company, read three times through the real command line: the tests look at what each run left behind.

A run takes most of a minute here, so each is made once and shared. No test changes what another one sees: the tables are
looked at as they were after a run, and the runs follow one another.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from gong_assets.settings import Settings
from gong_assets.warehouse.connection import Warehouse, open_warehouse
from gong_assets_tests.cli.command_line import CommandLine, Outcome
from gong_assets_tests.end_to_end import snapshot
from gong_assets_tests.end_to_end.company import FIRST, LAST, change, company
from gong_assets_tests.end_to_end.gong_server import Asked, Gong, Record
from gong_assets_tests.end_to_end.snapshot import Snapshot

# What the company's CRM holds of the deals, contacts and companies that its calls refer to.
HUBSPOT = """
INSERT INTO OBJECTS_DEALS (OBJECTID, PROPERTY_DEALNAME, PROPERTY_AMOUNT, PROPERTY_DEALSTAGE)
    VALUES (2271307570613351879, 'Platform for Customer Ltd', 12000.5, 'presentationscheduled');
INSERT INTO OBJECTS_DEALS (OBJECTID, PROPERTY_DEALNAME, PROPERTY_AMOUNT, PROPERTY_DEALSTAGE)
    VALUES (8800000002, 'Renewal of Other GmbH', 500, 'closedwon');
INSERT INTO OBJECTS_CONTACTS (OBJECTID, PROPERTY_FIRSTNAME, PROPERTY_EMAIL) VALUES (7700000001, 'Çağla', 'cagla@customer.example');
INSERT INTO OBJECTS_COMPANIES (OBJECTID, PROPERTY_NAME) VALUES (9900000001, 'Customer Ltd, Istanbul');
INSERT INTO OBJECTS_COMPANIES (OBJECTID, PROPERTY_NAME) VALUES (9900000002, 'Other GmbH')
"""


@dataclass(frozen=True)
class Run:
    """A run of `gong-assets sync`: what was asked of Gong, what Gong had then, and what was in the tables afterwards."""

    outcome: Outcome
    asked: list[Asked]
    transcripts: list[Record]
    tables: Snapshot


@pytest.fixture(scope="session")
def gong() -> Iterator[Gong]:
    with company().served() as served:
        yield served


@pytest.fixture(scope="session")
def project(gong: Gong, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommandLine]:
    """A home with a running local stack, reading from the company's Gong."""
    directory = tmp_path_factory.mktemp("company")
    command_line = CommandLine(directory, {"GONG_ASSETS_HOME": str(directory / "home"), **gong.environment})
    command_line.gong_assets("local", "up").succeeded()
    yield command_line
    command_line.gong_assets("local", "down").succeeded()


@pytest.fixture(scope="session")
def company_warehouse(project: CommandLine) -> Warehouse:
    """The warehouse of `project`, whose HubSpot share has the company's deals."""
    warehouse = open_warehouse(Settings(gong_assets_home=project.directory / "home"))
    share = Warehouse({**warehouse.arguments, "database": "HUBSPOT_SHARE", "schema": "V2_DAILY"})
    for statement in HUBSPOT.split(";"):
        share.query(statement)
    return warehouse


@pytest.fixture(scope="session")
def first_run(project: CommandLine, company_warehouse: Warehouse, gong: Gong) -> Run:
    return _run(project, company_warehouse, gong)


@pytest.fixture(scope="session")
def second_run(first_run: Run, project: CommandLine, company_warehouse: Warehouse, gong: Gong) -> Run:
    """The same days again, while nothing changed."""
    return _run(project, company_warehouse, gong)


@pytest.fixture(scope="session")
def third_run(second_run: Run, project: CommandLine, company_warehouse: Warehouse, gong: Gong) -> Run:
    """The same days again, after a few things changed in Gong."""
    change(gong)
    return _run(project, company_warehouse, gong)


def _run(project: CommandLine, warehouse: Warehouse, gong: Gong) -> Run:
    gong.log.clear()
    days = ("--from-date", FIRST.isoformat(), "--to-date", LAST.isoformat())
    outcome = project.gong_assets("sync", "--mode", "backfill", *days).succeeded()
    return Run(outcome, list(gong.log), list(gong.transcripts), snapshot.take(warehouse))
