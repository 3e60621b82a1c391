"""The view SNOWFLAKE.ACCOUNT_USAGE.CORTEX_AI_FUNCTIONS_USAGE_HISTORY."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from snowflake.connector import SnowflakeConnection
from snowflake.connector.errors import ProgrammingError

from gong_assets_tests.local.snowflake.conftest import ServerProcess

Connect = Callable[..., SnowflakeConnection]

HISTORY = "snowflake.account_usage.cortex_ai_functions_usage_history"


def history(connection: SnowflakeConnection, tag: str) -> list[Any]:
    return (
        connection.cursor()
        .execute(
            "select function_name, model_name, query_id, role_names, metrics, credits, is_completed"
            f" from {HISTORY}"
            " where query_tag = %s order by start_time, function_name",
            [tag],
        )
        .fetchall()
    )


def tokens(row: Any) -> int:
    """Return the input tokens of a row of the history."""
    (entry, *_) = json.loads(row[4])
    assert entry["key"] == {"metric": "input", "unit": "tokens"}
    return int(entry["value"])


def test_a_query_adds_one_row_per_function_and_model(connect: Connect) -> None:
    connection = connect(role="enricher", session_parameters={"QUERY_TAG": "one row each"})
    query_id = (
        connection.cursor()
        .execute(
            "select ai_embed('e5-base-v2', column1), snowflake.cortex.sentiment(column1)"
            " from values ('one two'), ('three'), (null)"
        )
        .sfqid
    )

    embed, sentiment = history(connection, "one row each")

    assert embed[:4] == ("AI_EMBED", "e5-base-v2", query_id, '["ENRICHER"]')
    assert sentiment[0] == "SENTIMENT"
    assert (tokens(embed), tokens(sentiment)) == (7, 7)
    assert embed[5] > 0
    assert embed[6] is True


def test_a_cached_embedding_is_counted_again(connect: Connect) -> None:
    connection = connect(session_parameters={"QUERY_TAG": "counted again"})
    for _ in range(2):
        connection.cursor().execute("select ai_embed('e5-base-v2', 'the same words every time')")

    assert [tokens(row) for row in history(connection, "counted again")] == [7, 7]


def test_a_failed_query_has_no_completed_row(connect: Connect) -> None:
    connection = connect(session_parameters={"QUERY_TAG": "failed"})
    with pytest.raises(ProgrammingError):
        connection.cursor().execute(
            "select snowflake.cortex.sentiment(column1) from values ('fine'), (repeat('word ', 600))"
        )

    assert not [row for row in history(connection, "failed") if row[6]]


def test_a_view_is_counted_for_the_query_that_reads_it(connect: Connect) -> None:
    connection = connect(session_parameters={"QUERY_TAG": "makes the view"})
    cursor = connection.cursor()
    cursor.execute("create table t as select 'hello' as said")
    cursor.execute("create view v as select ai_embed('e5-base-v2', said) as e from t")
    assert history(connection, "makes the view") == []

    cursor.execute("alter session set query_tag = 'reads the view'")
    query_id = cursor.execute("select e from v").sfqid

    assert [row[2] for row in history(connection, "reads the view")] == [query_id]


@pytest.mark.slow
def test_the_history_survives_a_restart(own_server: ServerProcess) -> None:
    with own_server.connect(session_parameters={"QUERY_TAG": "kept"}) as connection:
        connection.cursor().execute("select ai_summarize('hello')")
    own_server.stop()
    own_server.start()

    with own_server.connect() as connection:
        assert [row[0] for row in history(connection, "kept")] == ["AI_SUMMARIZE"]
