"""Names of result columns without an alias: the text of the expression in upper case."""

from __future__ import annotations

from typing import Any

import pytest

ONE = "from (select 1 as a)"


@pytest.mark.parametrize(
    ("sql", "names"),
    [
        (f"select count(*), sum(a), a {ONE} group by a", ["COUNT(*)", "SUM(A)", "A"]),
        ("select 1+1, upper('x'), 'y', null", ["1+1", "UPPER('X')", "'Y'", "NULL"]),
        (f"select distinct max(a) over (partition by a) {ONE}", ["MAX(A) OVER (PARTITION BY A)"]),
        (f"select iff(a = 1, [1, 2], null)[0]::int, a as b {ONE}", ["IFF(A = 1, [1, 2], NULL)[0]::INT", "B"]),
        ("select parse_json('{}'):a.b", ["PARSE_JSON('{}'):A.B"]),
        (f"select count(*) {ONE} union all select 2", ["COUNT(*)"]),
        (f"with c as (select count(*) {ONE}) select * from c", ["COUNT(*)"]),
        (f"select (select max(a) {ONE}), 2 -- comment", ["(SELECT MAX(A) FROM (SELECT 1 AS A))", "2"]),
        (f"select \"COUNT(*)\" from (select count(*) {ONE})", ["COUNT(*)"]),
        (
            f"select current_date, current_timestamp, localtimestamp, current_time, localtime, a {ONE}",
            ["CURRENT_DATE", "CURRENT_TIMESTAMP", "LOCALTIMESTAMP", "CURRENT_TIME", "LOCALTIME", "A"],
        ),
        (f"select * from {ONE.removeprefix('from ')}", ["A"]),
    ],
)  # fmt: skip
def test_unnamed_columns_have_the_text_of_their_expression(cursor: Any, sql: str, names: list[str]) -> None:
    cursor.execute(sql)

    assert [column.name for column in cursor.description] == names
    assert [column.name for column in cursor.describe(sql)] == names
