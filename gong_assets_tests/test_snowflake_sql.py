"""Each rule of `snowflake_sql` finds its mistakes and accepts valid SQL."""

from __future__ import annotations

import pytest

from gong_assets_tests import snowflake_sql
from gong_assets_tests.snowflake_sql import TEXT_RULES, TREE_RULES, functions, violations

# By rule, statements that fail on Snowflake or behave differently than on the local server.
INVALID = {
    "foreign_function": [
        "select string_agg(name, ', ') from t",
        "select STRING_AGG (name, ', ') within group (order by name) from t",
        "select snowflake.cortex.embed_text('e5-base-v2', said) from t",
        "update t set at = now() where id in (select unnest(ids) from u)",
        "get nonsense string_agg(x) ???",
    ],
    "index": [
        "create index i on t (a)",
        "CREATE UNIQUE INDEX i ON t (a)",
        "create table t (a int, index i (a))",
    ],
    "get_diagnostics": ["get diagnostics n = row_count", "begin n := 1; GET DIAGNOSTICS n = ROW_COUNT; end"],
    "computed_values": [
        "insert into t (doc) values (parse_json('1'))",
        "insert into t (doc) values (1, 'a'), (2, object_construct('a', 1))",
        "select * from values (array_construct(1)) as v (a)",
        "insert into t values ([1, 2])",
        "insert into t values ({'a': 1})",
        "insert into t values ('x'::variant)",
        "insert into t values (1, (select max(a) from t))",
        "insert into t values (%s, ai_embed('e5-base-v2', %s))",
    ],
    "summary_with_several_arguments": [
        "select snowflake.cortex.summarize(said, 500) from t",
        "select summarize(said, 200) from t",
    ],
    "text_too_long": [
        "select 'four'::varchar(3)",
        "select cast('four' as string(3))",
        "create table t (a varchar(3) default 'four')",
    ],
    "unordered_list": [
        "select listagg(name, ', ') from t",
        "select array_agg(distinct name) from t",
        "select listagg(name, ', ') over (partition by id) from t",
    ],
    "computed_separator": ["select listagg(name, separator) within group (order by name) from t"],
    "merge_of_repeated_keys": [
        "merge into t using s on t.id = s.id when matched then update set a = s.a",
        "merge into t using (select * from s) s on t.id = s.id when matched then delete",
    ],
    "vector_of_a_text": [
        "select %s::vector(float, 3)",
        "select vector_cosine_similarity(v, cast(%s as vector(float, 3))) from t",
        "update t set v = '[1, 2, 3]'::vector(float, 3)",
    ],
    "json_as_text": [
        "insert into t (doc) select '{\"a\": 1}' union all select '[]'",
        "insert into t (doc) values ('[1, 2]')",
        "select '{\"a\": 1}'::variant:a",
        "select '[1]'::array",
    ],
}  # fmt: skip

VALID = [
    "select listagg(distinct name, ', ') within group (order by name) from t",
    "select array_agg(name) within group (order by name) from t",
    "select 'string_agg(x) and create index' -- get diagnostics",
    "select col:index, index from lateral flatten(input => doc) -- index (a)",
    "create hybrid table t (a int primary key, index i (a))",
    "create table t (position int, index_of varchar(3) default 'one')",
    "insert into t (a, b, at) values (1, 'x'::varchar(10), current_timestamp()), (%s, -1.5 + 2, null)",
    "insert into t (doc) select parse_json('{\"a\": 1}')",
    "insert into t (doc) select parse_json(column1) from values ('{\"a\": 1}')",
    "select object_construct('a', 1), {'a': 1}, [1, 2]",
    "select snowflake.cortex.summarize(said), ai_embed('e5-base-v2', said) from t",
    "select snowflake.cortex.embed_text_768('m', said) from t",
    "select 'three'::varchar(5), said::varchar(3), 'long as it is'::varchar from t",
    "select parse_json(%s)::array::vector(float, 3), [1, 2, 3]::vector(float, 3), null::vector(float, 3)",
    "merge into t using (select id, max(a) as a from s group by id) s on t.id = s.id "
    "when matched then update set a = s.a",
    "merge into t using (select * from s qualify row_number() over (partition by id order by a) = 1) s "
    "on t.id = s.id when matched then delete",
    "update t set a = s.a from (select id, a from s) s where t.id = s.id",
    "begin",
    "put 'file:///tmp/*.parquet' @stage auto_compress = false",
    'alter session set query_tag = \'{"app": "x"}\'',
    "show terse schemas in database d",
]


@pytest.mark.parametrize(
    ("rule", "sql"), [(rule, sql) for rule, statements in INVALID.items() for sql in statements]
)
def test_each_rule_finds_its_mistakes(rule: str, sql: str) -> None:
    found = violations(sql)
    assert found
    found_by_rule = [
        line
        for each in (*TEXT_RULES, *TREE_RULES)
        if each.__name__ == rule
        for line in (each(sql) if each in TEXT_RULES else each(snowflake_sql.parsed(sql)))  # type: ignore[arg-type]
    ]
    assert found_by_rule, f"found by other rules than {rule}: {found}"


def test_every_rule_has_examples() -> None:
    assert {rule.__name__ for rule in (*TEXT_RULES, *TREE_RULES)} == INVALID.keys()


@pytest.mark.parametrize("sql", VALID)
def test_valid_statements_are_accepted(sql: str) -> None:
    assert violations(sql) == []


def test_functions_are_distinguished_from_other_words_before_a_parenthesis() -> None:
    sql = """
        with first (a, b) as (select 1, max (a) from t where a in (1, 2) and (b or not (c)))
        select sha2(a), a::number(38, 0), snowflake.cortex.sentiment(b)
        from first join (select 1 as z) using (z)
        union all (select count(*), cast(null as vector(float, 3)), 'min(x)' from first) -- sum(x)
    """
    assert functions(sql) == {"MAX", "SHA2", "SENTIMENT", "COUNT", "CAST"}
    assert functions("insert into t (a, b) select coalesce(%s, b) from u") == {"COALESCE"}
