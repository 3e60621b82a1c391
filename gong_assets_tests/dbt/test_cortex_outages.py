"""Failures of statements that send texts to Cortex, for reasons that are not in the texts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import snowflake.connector
from snowflake.connector import SnowflakeConnection
from snowflake.connector.errors import Error, ProgrammingError

from gong_assets.cortex.planning import Plan
from gong_assets.warehouse.errors import may_come_from_rows
from gong_assets_tests.dbt.conftest import delete_rows
from gong_assets_tests.dbt.cortex_company import TURNS, Company, texts
from gong_assets_tests.dbt.enriching import enrich, scope_of

pytestmark = pytest.mark.xdist_group("cortex")


@pytest.fixture(scope="module")
def staged_company(served_company: Company) -> Company:
    """Return the schema with a call of which no text was sent."""
    delete_rows(served_company)
    served_company.land({"call0": texts(0)})
    served_company.run(tokens=0)
    return served_company


@pytest.fixture
def company(staged_company: Company) -> Company:
    delete_rows(staged_company, "CORTEX_", "GONG_CORTEX_")
    return replace(staged_company, sent_before=len(staged_company.sent()))


@pytest.mark.parametrize("statement", ["SELECT * FROM NO_SUCH_TABLE", "COMMIT WITHOUT SUCH SYNTAX"])
def test_an_error_that_no_text_causes_is_not_called_one_of_cortex(
    company: Company, monkeypatch: pytest.MonkeyPatch, statement: str
) -> None:
    monkeypatch.setattr(Plan, "send", lambda *_: statement)

    with pytest.raises(ProgrammingError) as raised:
        company.send()

    assert not may_come_from_rows(raised.value)


def _missing_table(connection: SnowflakeConnection, statement: str) -> str:
    return "SELECT * FROM NO_SUCH_TABLE"


def _lost_connection(connection: SnowflakeConnection, statement: str) -> str:
    connection.close()
    return statement


def _used_up_quota(connection: SnowflakeConnection, statement: str) -> str:
    raise ProgrammingError("Warehouse cannot be resumed", errno=90073, sqlstate="22000")


def _canceled_statement(connection: SnowflakeConnection, statement: str) -> str:
    raise ProgrammingError("SQL execution canceled", errno=604, sqlstate="57014")


def _canceled_run(connection: SnowflakeConnection, statement: str) -> str:
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    "fail", [_missing_table, _lost_connection, _used_up_quota, _canceled_statement, _canceled_run]
)
def test_an_outage_that_no_text_causes_uses_up_no_attempt(
    company: Company,
    monkeypatch: pytest.MonkeyPatch,
    fail: Callable[[SnowflakeConnection, str], str],
) -> None:
    scope = scope_of({**company.variables, "cortex_connections": 1})
    send = Plan.send
    for _ in range(scope.max_attempts + 1):
        with monkeypatch.context() as patched:
            own = snowflake.connector.connect(**company.warehouse.arguments)
            patched.setattr(Plan, "send", lambda plan, batch, on=own: fail(on, send(plan, batch)))
            with own, pytest.raises((Error, KeyboardInterrupt)):
                enrich(own, company.warehouse.arguments, scope)
    (tried,) = company.warehouse.query(
        "select count(*) as claims, max(attempt) as attempts from gong_cortex_attempts"
    )
    assert tried == {"CLAIMS": TURNS * (scope.max_attempts + 1), "ATTEMPTS": 0}
    assert company.sent() == []

    company.send()
    company.build()

    for row in (*company.segments().values(), *company.warehouse.query("select * from cortex_gong_calls")):
        assert (row["PROCESSED_BY_CORTEX"], row["CORTEX_ATTEMPTS"], row["CORTEX_ERROR"]) == (True, 1, None)
    embedded = [row["FUNCTION_NAME"] for row in company.sent()].count("AI_EMBED")
    assert embedded == 1  # All in one batch: none of them was tried alone.
