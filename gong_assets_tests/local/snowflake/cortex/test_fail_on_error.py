"""The session parameter AI_SQL_ERROR_HANDLING_USE_FAIL_ON_ERROR and AI_REDACT."""

from __future__ import annotations

import json
from collections.abc import Iterator

import duckdb
import pytest

from gong_assets.local.snowflake.cortex import udfs
from gong_assets.local.snowflake.cortex.call_translation import FAIL_ON_ERROR_VARIABLE
from gong_assets.local.snowflake.cortex.usage_history import UsageHistory
from gong_assets.local.snowflake.server.translation import translate
from gong_assets.local.snowflake.sql import macros

TOO_LONG = "repeat('word ', 1100)"


@pytest.fixture
def duck() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("ATTACH ':memory:' AS SNOWFLAKE; SET VARIABLE query_id = 'q'")
        connection.execute(macros.creation_sql())
        udfs.register(connection, UsageHistory(connection.cursor()))
        yield connection


def answer(duck: duckdb.DuckDBPyConnection, call: str) -> str | None:
    sql = translate(f"select {call}", {}).sql(dialect="duckdb")
    row = duck.execute(sql).fetchone()
    assert row is not None
    text: str | None = row[0]
    return text


@pytest.mark.parametrize("value", [None, "true", "TRUE"])
@pytest.mark.parametrize("details", ["", ", return_error_details => true", ", true"])
def test_ai_redact_fails_the_statement_by_default(
    duck: duckdb.DuckDBPyConnection, value: str | None, details: str
) -> None:
    if value:
        duck.execute(f"SET VARIABLE {FAIL_ON_ERROR_VARIABLE} = '{value}'")
    with pytest.raises(duckdb.Error, match="AI_REDACT accepts at most 1024 tokens"):
        answer(duck, f"ai_redact({TOO_LONG}{details})")


@pytest.mark.parametrize("value", ["false", "FALSE"])
def test_ai_redact_returns_null_if_the_parameter_is_false(
    duck: duckdb.DuckDBPyConnection, value: str
) -> None:
    duck.execute(f"SET VARIABLE {FAIL_ON_ERROR_VARIABLE} = '{value}'")
    assert answer(duck, f"ai_redact({TOO_LONG})") is None
    details = json.loads(answer(duck, f"ai_redact({TOO_LONG}, return_error_details => true)") or "")
    assert details["value"] is None
    assert "AI_REDACT accepts at most 1024 tokens" in details["error"]
    assert json.loads(answer(duck, "ai_redact('Mail to a@b.com', true)") or "") == {
        "value": "Mail to [EMAIL]",
        "error": None,
    }
