"""Errors have Snowflake's codes and a one-line message."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import duckdb
import pytest
from snowflake.connector.errors import DatabaseError

from gong_assets.local.snowflake.errors import SnowflakeError, to_snowflake_error

Query = Callable[..., list[Any]]


@pytest.mark.parametrize(
    ("sql", "code", "state", "names"),
    [
        ("select * from no_such_table", 2003, "42S02", "NO_SUCH_TABLE"),
        ("select * from no_db.no_schema.t", 2003, "42S02", "NO_DB.NO_SCHEMA.T"),
        ("use schema no_such_schema", 2043, "02000", "NO_SUCH_SCHEMA"),
        ("select no_such_function(1)", 2140, "42601", "NO_SUCH_FUNCTION"),
        ("select ai_no_such_function('x')", 2140, "42601", "AI_NO_SUCH_FUNCTION"),
        ("select no_such_column from t", 904, "42000", "NO_SUCH_COLUMN"),
        ("select z.n from t", 904, "42000", "Z"),
        ("select n from t a join t b on a.n = b.n", 2028, "42601", "N"),
        ("select n, m, count(*) from t group by n", 979, "42601", "M"),
        ("selec n from t", 1003, "42000", "selec"),
        ("select from where", 1003, "42000", "where"),
        ("create table t (n int)", 2002, "42710", "T"),
        ("select parse_json('{\"a\": ')", 100069, "22P02", "parsing JSON"),
        ("select 'abc'::int", 100038, "22018", "abc"),
        ("select m::int from t", 100038, "22018", "x"),
        ("select 'tomorrow'::timestamp_ntz", 100035, "22007", "tomorrow"),
        ("select string_agg(m, ',') from t", 2140, "42601", "STRING_AGG"),
        ("create index i on t (n)", 391420, "0A000", "index"),
        ("insert into t (n, m) values (1, parse_json('{}'))", 2014, "22000", "PARSE_JSON"),
        ("insert into t (n) values (null)", 100072, "22000", "T.N"),
    ],
)
def test_a_mistake_has_snowflakes_error_code(
    query: Query, sql: str, code: int, state: str, names: str
) -> None:
    query("create table t (n int not null, m varchar)")
    query("insert into t values (1, 'x')")

    with pytest.raises(DatabaseError) as raised:
        query(sql)

    message = str(raised.value.raw_msg)
    assert (raised.value.errno, raised.value.sqlstate) == (code, state), message
    assert names in message
    assert "\n" not in message


def test_string_agg_in_a_string_is_accepted(query: Query) -> None:
    assert query("select 'string_agg(x)'") == [("string_agg(x)",)]


def test_unexpected_errors_are_converted_too(caplog: pytest.LogCaptureFixture) -> None:
    assert (
        to_snowflake_error(AssertionError("odd")).message
        == "Internal error of the local server: AssertionError: odd"
    )
    (record,) = caplog.records
    assert record.exc_info is not None, "the server's log tells where it was raised"
    assert to_snowflake_error(NotImplementedError("PIVOT of that")).sqlstate == "0A000"
    assert to_snowflake_error(duckdb.Error("odd")).code == 603
    already = SnowflakeError(1, "x", "y")
    assert to_snowflake_error(already) is already
