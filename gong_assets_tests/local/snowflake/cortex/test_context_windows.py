"""Context windows of Cortex functions, and their errors for longer texts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from snowflake.connector.errors import ProgrammingError

Query = Callable[..., list[Any]]

FIELDS = "object_construct('what', 'What is said?')"


def words(tokens: int) -> str:
    """Return SQL for a text of this many tokens: words, the start and the end."""
    return f"repeat('word ', {tokens - 2})"


@pytest.mark.parametrize(
    ("call", "window"),
    [
        ("snowflake.cortex.sentiment({})", 512),
        ("snowflake.cortex.summarize({})", 32_000),
        ("snowflake.cortex.extract_answer({}, 'What is said?')", 2048),
        ("snowflake.cortex.extract_answer('Words.', {})", 64),
        ("ai_embed('e5-base-v2', {})", 512),
        ("ai_embed('snowflake-arctic-embed-l-v2.0-8k', {})", 8192),
        ("ai_embed('voyage-multilingual-2', {})", 32_000),
        ("snowflake.cortex.embed_text_768('snowflake-arctic-embed-m-v1.5', {})", 512),
        ("ai_summarize_agg({})", 128_000),
        ("ai_agg({}, 'What is said?')", 128_000),
        ("snowflake.cortex.complete('mistral-7b', {})", 32_000),
        ("ai_redact({})", 1024),
    ],
)
def test_a_text_beyond_the_window_fails_the_statement(query: Query, call: str, window: int) -> None:
    ((answer,),) = query(f"select {call.format(words(window))}")
    assert answer is not None
    with pytest.raises(
        ProgrammingError, match=rf"100351.*at most {window} tokens; the text has {window + 1}"
    ):
        query(f"select {call.format(words(window + 1))}")


@pytest.mark.parametrize(
    ("function", "before", "after", "window"),
    [
        ("ai_sentiment", "", "", 2048),
        ("ai_summarize", "", "", 128_000),
        ("ai_complete", "'mistral-7b', ", "", 32_000),
        ("ai_classify", "", ", ['one', 'two']", 128_000),
    ],
)
def test_a_text_beyond_the_window_returns_null_with_error_details(
    query: Query, function: str, before: str, after: str, window: int
) -> None:
    fits, too_long = (f"{before}{words(tokens)}{after}" for tokens in (window, window + 1))
    (row,) = query(
        f"select {function}({fits}) is not null, {function}({too_long}) is null, too_long:value::varchar,"
        " too_long:error::varchar,"
        f" fits:error::varchar from (select {function}({fits}, return_error_details => true) as fits,"
        f" {function}({too_long}, return_error_details => true) as too_long)"
    )
    assert row[:3] == (True, True, None)
    assert f"at most {window} tokens; the text has {window + 1}" in row[3]
    assert row[4] is None


def test_extraction_returns_its_error_in_the_result(query: Query) -> None:
    (row,) = query(
        "select fits:response:what is not null, fits:error::varchar, too_long:response::varchar,"
        " too_long:error::varchar from"
        f" (select ai_extract({words(128_000)}, {FIELDS}) as fits,"
        f" ai_extract({words(128_001)}, {FIELDS}) as too_long)"
    )
    assert row[:3] == (True, None, None)
    assert "at most 128000 tokens; the text has 128001" in row[3]


def test_try_complete_returns_null_instead_of_failing(query: Query) -> None:
    assert query(
        f"select snowflake.cortex.try_complete('mistral-7b', {words(32_001)}),"
        " snowflake.cortex.try_complete('none', 'x'),"
        " snowflake.cortex.try_complete('mistral-7b', 'Hello there.') is not null"
    ) == [(None, None, True)]


def test_error_details_can_be_the_last_positional_argument(query: Query) -> None:
    too_long = words(2049)
    ((sentiment, with_categories, redacted, count, no_count),) = query(
        f"select ai_sentiment({too_long}, true):error::varchar, ai_sentiment({too_long}, ['price'],"
        " true):error::varchar,"
        " ai_redact('Mail to a@b.com', true):value::varchar,"
        " ai_count_tokens('ai_embed', 'e5-base-v2', 'two words', true):value::int,"
        " ai_count_tokens('AI_EMBED', 'e5-base-v2', 'two words', true):error::varchar"
    )
    assert "at most 2048 tokens" in sentiment
    assert sentiment == with_categories
    assert (redacted, count) == ("Mail to [EMAIL]", 4)
    assert "in lower case" in no_count


def test_error_details_by_name_can_follow_the_categories(query: Query) -> None:
    assert query(
        "select ai_classify('The invoice is wrong', ['billing', 'weather'],"
        " return_error_details => true):value:labels[0]::varchar"
    ) == [("billing",)]


def test_functions_without_error_details_reject_the_argument(query: Query) -> None:
    with pytest.raises(ProgrammingError, match="AI_EXTRACT has no argument 'return_error_details'"):
        query(f"select ai_extract('x', {FIELDS}, return_error_details => true)")


def test_keys_of_object_constants_keep_their_case(query: Query) -> None:
    ((answer, label),) = query(
        "select ai_extract(text => 'Ana: We pay in euros.', responseFormat => {'schema': {'type': 'object',"
        " 'properties':"
        " {'Currency': {'type': 'string', 'description': 'How is it paid?'}}}}):response:Currency::varchar,"
        " ai_classify('The invoice is wrong', [{'label': 'billing'},"
        " {'label': 'weather'}]):labels[0]::varchar"
    )
    assert (answer, label) == ("We pay in euros.", "billing")


def test_counting_tokens_is_not_billed_and_includes_the_hidden_prompt(query: Query) -> None:
    query(
        "create or replace table counted as select column1 as t from values ('two words'),"
        " ('three more words'), (null)"
    )
    query("alter session set query_tag = 'counts'")
    rows = query(
        "select ai_count_tokens('ai_embed', 'e5-base-v2', t), ai_count_tokens('ai_summarize_agg', t),"
        " snowflake.cortex.count_tokens('sentiment', t), ai_count_tokens('ai_sentiment', t),"
        " ai_count_tokens('ai_redact', t)"
        " from counted order by 1"
    )
    assert rows == [(4, 4, 4, 124, 429), (5, 5, 5, 125, 430), (None,) * 5]
    assert query(
        "select count(*) from snowflake.account_usage.cortex_ai_functions_usage_history"
        " where query_tag = 'counts'"
    ) == [(0,)]
