"""Transforms of an indexed statement give what they give when they walk the whole tree."""

from __future__ import annotations

import inspect
import re

import pytest
from fakesnow import transforms
from fakesnow.cursor import FakeSnowflakeCursor
from sqlglot import exp

from gong_assets.local.snowflake.sql.indexed_statement import ALL, changed_classes
from gong_assets_tests.local.snowflake.sql.test_documented_examples import EXAMPLES
from gong_assets_tests.local.snowflake.sql.transforms import transformed

OTHERS = [
    "alter session set autocommit = false",
    "alter table t add column a text, b number(10, 2)",
    "alter table t cluster by (a)",
    "alter table t set comment = 'text'",
    "comment on table t is 'text'",
    "create database d",
    "create or replace table t (a text(10) comment 'text', b timestamp_ntz, c float, d int) comment = 'text'",
    "create or replace table t clone u",
    "create or replace temporary stage s",
    "create or replace transient table t cluster by (a) as select 1 as a, 'b'::varchar(5) as b",
    "create view v (a comment 'text') copy grants as select value:x::text from t, table(flatten(c))",
    "create table t (a int, b text) as select 1, 'b'",
    "create temporary file format f type = json",
    "delete from t where a in (select b from u)",
    "describe table t",
    "drop schema s",
    "drop table if exists t",
    "insert into t (a, b) select parse_json(column1), to_date(column2) from values ('{}', '2024-01-01')",
    "insert overwrite into t select * from u",
    "list @s",
    "select * from identifier('t')",
    "select * from information_schema.columns where table_name = 'T'",
    "select * from information_schema.databases",
    "select a.b:c[0].d::varchar, upper(a.b:c), (a.b:c) = 'd' from t as a",
    "select array_agg(a) over (partition by b), sum(a), avg(b::varchar), median(c) from t group by all",
    "select c as d, object_construct('a', 1) as o from t join u on d = e where o is not null",
    "select dateadd(day, 1, '2024-01-01'), datediff(hour, '2024-01-01', a), dateadd(day, 1, a::date) from t",
    "select random(), uniform(1, 2, random()), current_version(), seq.nextval from t sample (10 rows)",
    "select sha2('a'), sha2_binary('a'), x'ff', haversine(1, 2, 3, 4), split('a,b', ',')",
    "select to_timestamp(1), to_timestamp_ntz('1', 3), '2024-01-01 00:00:00 +01:00'::timestamp_tz, trim(1)",
    "select regexp_replace(a, 'b'), regexp_substr(a, 'b', 1, 2), to_number('1.5', 10, 2) from t",
    "select try_parse_json(a) from t",
    "show columns in table t",
    "show databases",
    "show primary keys in table t",
    "show stages",
    "show tables in schema s",
    "show terse schemas in database d",
    "truncate table t",
    "update t set a = u.a from u where t.b = u.b",
    "use schema s",
    "use warehouse w",
]


@pytest.mark.parametrize(
    "sql", [*OTHERS, *(f"select {sql}" for each in EXAMPLES.values() for sql, _ in each)]
)
def test_an_indexed_statement_is_transformed_as_a_walked_one(sql: str) -> None:
    both = transformed(sql)
    assert both is None or both[0] == both[1]


def test_most_transforms_are_called_for_some_classes_only() -> None:
    """Otherwise fakesnow asks for classes in another way, and each transform is called for all nodes."""
    names = re.findall(r"transforms\.(\w+)", inspect.getsource(FakeSnowflakeCursor._transform))
    called_for_all = {name for name in names if changed_classes(getattr(transforms, name)) == ALL}
    assert len(set(names)) > 60
    assert called_for_all == {
        "update_variables", "alter_table_strip_cluster_by", "numeric_agg_implicit_cast"
    }  # fmt: skip


def test_a_transform_in_a_lambda_is_known_by_its_name() -> None:
    assert changed_classes(lambda node: transforms.show_schemas(node, "D")) == (exp.Show,)
    assert changed_classes(lambda node: node) == ALL
