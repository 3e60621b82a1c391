"""VECTOR columns and functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from snowflake.connector.errors import ProgrammingError

Query = Callable[..., list[Any]]

# Ten segments on different subjects, from complaints about the price to unrelated small talk.
SEGMENTS = [
    "Honestly, the price is higher than what we budgeted for this year.",
    "Your quote is too expensive compared with the other vendor.",
    "We need single sign-on before our security team signs off.",
    "Can the data stay in a European region?",
    "Our engineers finished the integration in two days.",
    "The onboarding sessions were really helpful for the new hires.",
    "Let us meet again next Tuesday at ten.",
    "The dashboard takes forever to load in the morning.",
    "My daughter started playing the violin last week.",
    "It has been raining since we got back from the lake.",
]


def test_the_most_similar_segment_ranks_first_and_the_least_similar_last(query: Query) -> None:
    rows = ", ".join(f"({position}, $${text}$$)" for position, text in enumerate(SEGMENTS))
    query("create table segments (id int, embedding vector(float, 768))")
    query(f"insert into segments select column1, ai_embed('e5-base-v2', column2) from values {rows}")

    found = query(
        "select id, vector_cosine_similarity(embedding, ai_embed('e5-base-v2', %s)) as similarity"
        " from segments order by similarity desc",
        ["query: the customer thinks it costs too much"],
    )

    assert {found[0][0], found[1][0]} == {0, 1}
    # The segment about the integration is the least similar to a complaint about cost.
    assert found[-1][0] == 4
    assert all(-1 <= similarity <= 1.0001 for _, similarity in found)


def test_vector_functions_have_snowflakes_meaning(query: Query) -> None:
    query("create table v as select [1, 2, 2]::vector(float, 3) as a, [-1, -2, -2]::vector(float, 3) as b")

    (row,) = query(
        "select vector_cosine_similarity(a, a), vector_cosine_similarity(a, b), vector_inner_product(a, b),"
        " vector_l2_distance(a, b), vector_l1_distance(a, b) from v"
    )

    assert row == pytest.approx((1, -1, -9, 6, 10))


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        ("vector_cosine_similarity", 1.0),
        ("vector_inner_product", 25.0),
        ("vector_l2_distance", 0.0),
        ("vector_l1_distance", 0.0),
    ],
)
def test_vector_functions_return_null_for_null_input(query: Query, function: str, expected: float) -> None:
    query(
        "create table v as select 1 as id, [3, 4]::vector(float, 2) as a"
        " union all select 2, null::vector(float, 2)"
    )

    compared = query(f"select id, {function}(a, [3, 4]::vector(float, 2)) from v order by id")

    assert compared == [(1, expected), (2, None)]


def test_vectors_of_integers(query: Query) -> None:
    query("create table v (a vector(int, 2))")
    query("insert into v select [3, 4]::vector(int, 2)")

    assert query("select a from v") == [([3, 4],)]
    assert query(
        "select vector_l2_distance(a, [0, 0]::vector(int, 2)), vector_inner_product(a, a) from v"
    ) == [(5.0, 25.0)]
    assert query("describe table v")[0][1] == "VECTOR(INT, 2)"


def test_a_vector_is_fetched_as_a_list_of_floats(query: Query) -> None:
    assert query("select [0.5, 1, -2]::vector(float, 3), null::vector(float, 3)") == [
        ([0.5, 1.0, -2.0], None)
    ]


def test_a_bound_json_array_can_be_cast_to_a_vector(query: Query) -> None:
    assert query("select parse_json(%s)::vector(float, 3)", ["[1, 2.5, 3]"]) == [([1.0, 2.5, 3.0],)]


@pytest.mark.parametrize(
    "sql",
    [
        "select [1, 2]::vector(float, 3)",
        "select parse_json('[1, 2]')::vector(float, 3)",
        "select vector_cosine_similarity([1, 2]::vector(float, 2), [1, 2, 3]::vector(float, 3))",
        "select vector_l1_distance([1, 2]::vector(float, 2), [1, 2, 3]::vector(float, 3))",
        "insert into v select [1, 2]::vector(float, 2)",
        "select [1, 2]::vector(float, 5000)",
    ],
)
def test_a_wrong_dimension_is_an_error(query: Query, sql: str) -> None:
    query("create table v (a vector(float, 3))")

    with pytest.raises(ProgrammingError, match=r"dimension|vector"):
        query(sql)


def test_the_type_is_described_in_snowflakes_notation(query: Query, schema: str) -> None:
    query("create table v (id int, embedding vector(float, 768))")

    assert query("describe table v")[1][:2] == ("EMBEDDING", "VECTOR(FLOAT, 768)")
    assert "VECTOR(FLOAT, 768)" in query("show columns in table v")[1][3]
    assert query(
        "select data_type from information_schema.columns"
        f" where table_schema = '{schema}' and column_name = 'EMBEDDING'"
    ) == [("VECTOR(FLOAT, 768)",)]


def test_the_type_is_kept_by_create_table_as_insert_and_views(query: Query) -> None:
    query("create transient table first as (select 1 as id, ai_embed('e5-base-v2', 'a') as e)")
    query("create or replace transient table second as (select * from first)")
    query("create view seen as select e from second")
    query("insert into second select 2, e from seen")
    query("alter table second add column short vector(float, 2)")

    assert [row[1] for row in query("describe table second")] == [
        "NUMBER(38,0)",
        "VECTOR(FLOAT, 768)",
        "VECTOR(FLOAT, 2)",
    ]
    assert query("describe view seen")[0][1] == "VECTOR(FLOAT, 768)"
    assert query("select count(distinct e::array::varchar) from second") == [(1,)]
