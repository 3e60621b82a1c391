"""Each text of each selected row is sent to Cortex exactly once, whatever the statement."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Query = Callable[..., list[Any]]

CHOSEN = "id in (select id from queue where batch = 3)"
SENT = (
    "select id, snowflake.cortex.sentiment(t) as score, ai_embed('e5-base-v2', t) as vector from texts"
    f" where {CHOSEN}"
)
# "[CLS] text number 3 [SEP]"
TOKENS_OF_A_TEXT = 5
TEXTS_OF_A_BATCH = 10


@pytest.fixture
def texts(query: Query) -> Query:
    query(
        "create or replace table texts as select seq4() as id, 'text number ' || mod(seq4(), 4) as t,"
        " null::float as score,"
        " null::vector(float, 768) as vector from table(generator(rowcount => 40))"
    )
    query("create or replace table queue as select id, mod(id, 4) as batch from texts")
    query("create or replace table answers (id number, score float, vector vector(float, 768))")
    return query


def sent_by(query: Query, statement: str, function: str = "SENTIMENT") -> float:
    """Return how many texts a statement sends to a function."""
    return tokens_of(query, statement, function) / TOKENS_OF_A_TEXT


def tokens_of(query: Query, statement: str, function: str) -> int:
    ((tag,),) = query("select 'tag ' || uuid_string()")
    query(f"alter session set query_tag = '{tag}'")
    query(statement)
    query("alter session unset query_tag")
    ((tokens,),) = query(
        "select coalesce(sum(metrics[0]:value::int), 0)"
        " from snowflake.account_usage.cortex_ai_functions_usage_history"
        f" where query_tag = '{tag}' and function_name = '{function}'"
    )
    return int(tokens)


@pytest.mark.parametrize(
    "statement",
    [
        f"update texts set score = sent.score, vector = sent.vector from ({SENT}) as sent"
        " where texts.id = sent.id",
        f"update texts set score = sent.score, vector = sent.vector from ({SENT}) as sent"
        " where texts.id = sent.id"
        " and sent.score is not null and sent.vector is not null",
        f"insert into answers {SENT}",
        f"insert into answers with sent as ({SENT}) select * from sent where score is not null"
        " and vector is not null",
        f"create or replace table answered as {SENT}",
        f"create or replace table answered as select sent.*, texts.t from texts inner join ({SENT}) as sent"
        " on texts.id = sent.id",
        f"merge into answers using ({SENT}) as sent on answers.id = sent.id"
        " when matched then update set score = sent.score, vector = sent.vector"
        " when not matched then insert (id, score, vector) values (sent.id, sent.score, sent.vector)",
    ],
    ids=[
        "update",
        "update filtered by its result",
        "insert",
        "insert filtered by its result",
        "ctas",
        "ctas joined",
        "merge",
    ],
)
def test_a_statement_sends_the_text_of_each_row_once(texts: Query, statement: str) -> None:
    assert sent_by(texts, statement) == TEXTS_OF_A_BATCH
    assert sent_by(texts, statement, "AI_EMBED") == TEXTS_OF_A_BATCH


def test_equal_texts_of_two_rows_are_two_calls(texts: Query) -> None:
    assert texts("select count(distinct t) from texts") == [(4,)]
    assert (
        sent_by(
            texts, "create or replace table answered as select snowflake.cortex.sentiment(t) as s from texts"
        )
        == 40
    )


def test_error_details_that_are_read_twice_are_computed_once(texts: Query) -> None:
    statement = (
        "create or replace table answered as select answer:value:labels[0]::varchar as label,"
        " answer:error::varchar as error from"
        " (select ai_classify(t, ['a', 'b'], return_error_details => true) as answer from texts"
        f" where {CHOSEN})"
        " where answer:error is null"
    )
    labels = 11  # [CLS] [ " a " , " b " ] [SEP]
    assert tokens_of(texts, statement, "AI_CLASSIFY") == TEXTS_OF_A_BATCH * (TOKENS_OF_A_TEXT + labels)


def test_a_constant_is_embedded_once_for_all_rows(texts: Query) -> None:
    texts("update texts set vector = ai_embed('e5-base-v2', t)")
    compared = (
        "select vector_cosine_similarity(vector, ai_embed('e5-base-v2', 'text number 1')) as s from texts"
    )
    assert sent_by(texts, f"create or replace table found as {compared}", "AI_EMBED") == 1


def test_an_aggregate_reads_each_text_once(texts: Query) -> None:
    statement = (
        f"create or replace table found as select ai_summarize_agg(t) as s from texts where {CHOSEN}"
        " group by mod(id, 2)"
    )
    assert sent_by(texts, statement, "AI_SUMMARIZE_AGG") == TEXTS_OF_A_BATCH


def test_rows_can_be_grouped_by_a_result(texts: Query) -> None:
    rows = texts(
        "select ai_classify(t, ['numbers', 'weather']):labels[0]::varchar as label, count(*) from texts"
        " group by label"
    )
    assert sum(count for _, count in rows) == 40


def test_a_limit_restricts_the_rows_that_are_sent(texts: Query) -> None:
    statement = (
        "create or replace table found as select id, snowflake.cortex.sentiment(t) as s from texts"
        " order by id limit 3"
    )
    assert sent_by(texts, statement) == 3


@pytest.mark.parametrize(
    "rest", ["where s is not null", "order by s", "qualify row_number() over (order by s) > 0"]
)
def test_a_result_can_be_used_by_alias_in_its_select(texts: Query, rest: str) -> None:
    assert len(texts(f"select id, snowflake.cortex.sentiment(t) as s from texts {rest}")) == 40


def test_a_result_can_be_used_by_a_later_column(texts: Query) -> None:
    statement = (
        "create or replace table found as select snowflake.cortex.sentiment(t) as s, s + 1 as more from texts"
    )
    assert sent_by(texts, statement) == 40
