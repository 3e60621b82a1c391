"""Injected failures of Cortex functions, through the real server."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from snowflake.connector.errors import ProgrammingError

from gong_assets.local.cortex.failure_injection import VARIABLE
from gong_assets_tests.local.snowflake.conftest import ServerProcess

pytestmark = pytest.mark.slow

Query = Callable[..., list[Any]]

GOOD, BAD = "'We like it.'", "'Something unspeakable happened.'"


@pytest.fixture(scope="module")
def failing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Query]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, "(?i)UNSPEAKABLE")
        server = ServerProcess(tmp_path_factory.mktemp("refusing"))
    with server.connect() as connection:

        def run(sql: str) -> list[Any]:
            rows: list[Any] = connection.cursor().execute(sql).fetchall()
            return rows

        yield run
    server.stop()


@pytest.mark.slow
@pytest.mark.parametrize(
    "call",
    [
        "snowflake.cortex.sentiment({})",
        "snowflake.cortex.summarize({})",
        "snowflake.cortex.complete('mistral-7b', {})",
        "snowflake.cortex.extract_answer({}, 'What?')",
        "ai_embed('e5-base-v2', {})",
        "ai_summarize_agg({})",
        "ai_redact({})",
        "ai_redact({}, return_error_details => true)",
    ],
)
def test_an_injected_failure_fails_the_statement(failing: Query, call: str) -> None:
    assert failing(f"select {call.format(GOOD)} is not null") == [(True,)]
    with pytest.raises(ProgrammingError, match=rf"100351.*Request failed for external function .*{VARIABLE}"):
        failing(f"select {call.format(BAD)}")


@pytest.mark.parametrize(
    "call",
    ["ai_sentiment({})", "ai_summarize({})", "ai_complete('mistral-7b', {})", "ai_classify({}, ['a', 'b'])",
     "snowflake.cortex.try_complete('mistral-7b', {})"],
)  # fmt: skip
def test_an_injected_failure_returns_null_for_its_row_only(failing: Query, call: str) -> None:
    rows = failing(f"select {call.format('column1')} is null from values ({GOOD}), ({BAD}), ({GOOD})")
    assert rows == [(False,), (True,), (False,)]


def test_error_details_and_extraction_report_the_injected_failure(failing: Query) -> None:
    ((details, extracted),) = failing(
        f"select ai_sentiment({BAD}, return_error_details => true):error::varchar,"
        f" ai_extract({BAD}, object_construct('a', 'What?')):error::varchar"
    )
    assert VARIABLE in details
    assert VARIABLE in extracted


def test_functions_without_billing_do_not_fail(failing: Query) -> None:
    assert failing(f"select ai_count_tokens('ai_embed', 'e5-base-v2', {BAD}) > 2") == [(True,)]


def test_texts_before_the_failing_one_are_billed(failing: Query) -> None:
    failing("alter session set query_tag = 'half way'")
    with pytest.raises(ProgrammingError, match="Request failed"):
        failing(f"select ai_embed('e5-base-v2', column1) from values ({GOOD}), ({BAD}), ({GOOD})")
    failing("alter session unset query_tag")
    assert failing(
        "select metrics[0]:value::int, is_completed"
        " from snowflake.account_usage.cortex_ai_functions_usage_history"
        " where query_tag = 'half way'"
    ) == [(6, False)]


def test_an_invalid_expression_is_reported_before_the_server_starts(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "gong_assets.local.snowflake", "--data", str(tmp_path), "--port", "0"]
    result = subprocess.run(
        command, env={**os.environ, VARIABLE: "("}, capture_output=True, text=True, timeout=60, check=False
    )
    assert result.returncode == 2
    assert f"{VARIABLE} is not a regular expression" in result.stderr
