"""Runs of the real command line: three over a company's month, and one over odd records.

A run takes most of a minute, so each is made once and shared. Tests read the tables as they were after a run,
and no test changes them. The modules of one xdist group share their runs, and two groups use two cores.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest

from gong_assets.local import stack
from gong_assets.settings import Settings
from gong_assets.warehouse.connection import Warehouse, local_arguments, open_warehouse
from gong_assets_tests.cli.command_line import CommandLine
from gong_assets_tests.cli.network import NetworkLog
from gong_assets_tests.end_to_end.company import FIRST, LAST, change
from gong_assets_tests.end_to_end.company_gong import company_gong
from gong_assets_tests.end_to_end.gong_server import Gong
from gong_assets_tests.end_to_end.odd_records import odd_calls, odd_transcripts, odd_users, unusable_calls
from gong_assets_tests.end_to_end.openapi_examples import example_gong
from gong_assets_tests.end_to_end.runs import Run, sync

# The deals, contacts and companies in the company's CRM that its calls refer to.
HUBSPOT = """
INSERT INTO OBJECTS_DEALS (OBJECTID, PROPERTY_DEALNAME, PROPERTY_AMOUNT, PROPERTY_DEALSTAGE)
    VALUES (2271307570613351879, 'Platform for Customer Ltd', 12000.5, 'presentationscheduled');
INSERT INTO OBJECTS_DEALS (OBJECTID, PROPERTY_DEALNAME, PROPERTY_AMOUNT, PROPERTY_DEALSTAGE)
    VALUES (8800000002, 'Renewal of Other GmbH', 500, 'closedwon');
INSERT INTO OBJECTS_CONTACTS (OBJECTID, PROPERTY_FIRSTNAME, PROPERTY_EMAIL)
    VALUES (7700000001, 'Çağla', 'cagla@customer.example');
INSERT INTO OBJECTS_COMPANIES (OBJECTID, PROPERTY_NAME) VALUES (9900000001, 'Customer Ltd, Istanbul');
INSERT INTO OBJECTS_COMPANIES (OBJECTID, PROPERTY_NAME) VALUES (9900000002, 'Other GmbH')
"""


@pytest.fixture(scope="session")
def gong() -> Iterator[Gong]:
    with company_gong().served() as served:
        yield served


@pytest.fixture(scope="session")
def network(tmp_path_factory: pytest.TempPathFactory) -> NetworkLog:
    """Network use so far of the commands of `project` and of its local stack."""
    return NetworkLog(tmp_path_factory.mktemp("network"))


@pytest.fixture(scope="session")
def project(
    gong: Gong, network: NetworkLog, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[CommandLine]:
    """A project with a running local stack that reads from the company's Gong."""
    directory = tmp_path_factory.mktemp("o'brien")
    # Proxies that do not answer: nothing on this machine may be sent to one.
    proxies = {"HTTP_PROXY": "http://127.0.0.1:9", "ALL_PROXY": "socks5://127.0.0.1:9"}
    home = {"GONG_ASSETS_HOME": str(directory / "home"), "GONG_ASSETS_TARGET": "local", **proxies}
    command_line = network.record(CommandLine(directory, {**home, **gong.environment}))
    command_line.gong_assets("local", "up").succeeded()
    yield command_line
    command_line.gong_assets("local", "down").succeeded()


@pytest.fixture(scope="session")
def company_warehouse(project: CommandLine) -> Warehouse:
    """The warehouse of `project`, with the company's deals in its HubSpot share."""
    opened = open_warehouse(Settings(gong_assets_home=project.directory / "home"))
    warehouse = Warehouse(opened.arguments, keep_open=True)
    share = Warehouse({**warehouse.arguments, "database": "HUBSPOT_SHARE", "schema": "V2_DAILY"})
    for statement in HUBSPOT.split(";"):
        share.query(statement)
    return warehouse


@pytest.fixture(scope="session")
def first_run(project: CommandLine, company_warehouse: Warehouse, gong: Gong) -> Run:
    return sync(project, company_warehouse, gong, FIRST, LAST)


@pytest.fixture(scope="session")
def second_run(first_run: Run, project: CommandLine, company_warehouse: Warehouse, gong: Gong) -> Run:
    """The same days again, with nothing changed in Gong."""
    return sync(project, company_warehouse, gong, FIRST, LAST)


@pytest.fixture(scope="session")
def third_run(second_run: Run, project: CommandLine, company_warehouse: Warehouse, gong: Gong) -> Run:
    """The same days again, after some changes in Gong."""
    change(gong)
    return sync(project, company_warehouse, gong, FIRST, LAST)


@pytest.fixture(scope="session")
def strange_gong() -> Iterator[Gong]:
    """Examples of Gong's OpenAPI document, odd records as live accounts send them, and invalid records."""
    gong = example_gong()
    gong.calls += [*odd_calls(), *unusable_calls()]
    gong.transcripts += odd_transcripts()
    gong.users += odd_users()
    with gong.served() as served:
        yield served


@pytest.fixture(scope="session")
def sales_warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """An account with a database SALES, on a Snowflake-compatible server that the graph does not start."""
    home = tmp_path_factory.mktemp("account")
    warehouse = Warehouse(local_arguments(home))
    warehouse.query("CREATE DATABASE SALES")
    warehouse.query("CREATE SCHEMA SALES.GONG")
    yield Warehouse({**warehouse.arguments, "database": "SALES", "schema": "GONG"}, keep_open=True)
    stack.down(home)


@pytest.fixture(scope="session")
def sales(
    strange_gong: Gong, sales_warehouse: Warehouse, tmp_path_factory: pytest.TempPathFactory
) -> CommandLine:
    """A project that is configured for this account by environment variables, like a real one."""
    account = {f"SNOWFLAKE_{name.upper()}": str(value) for name, value in sales_warehouse.arguments.items()}
    directory = tmp_path_factory.mktemp("sales")
    home = {"GONG_ASSETS_HOME": str(directory / "home")}
    return CommandLine(directory, {**home, **account, **strange_gong.environment})


@pytest.fixture(scope="session")
def sales_run(sales: CommandLine, sales_warehouse: Warehouse, strange_gong: Gong) -> Run:
    return sync(sales, sales_warehouse, strange_gong, date(2018, 2, 1), date(2018, 2, 28))
