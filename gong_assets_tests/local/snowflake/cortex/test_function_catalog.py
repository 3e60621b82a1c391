"""Cortex functions, called in Snowflake SQL."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from snowflake.connector.errors import ProgrammingError

Query = Callable[..., list[Any]]


@pytest.mark.parametrize(
    ("call", "dimension"),
    [
        ("ai_embed('e5-base-v2', 'hello')", 768),
        ("AI_EMBED(model => 'snowflake-arctic-embed-l-v2.0', input => 'hello')", 1024),
        ("SNOWFLAKE.CORTEX.EMBED_TEXT_768('snowflake-arctic-embed-m-v1.5', 'hello')", 768),
        ("snowflake.cortex.embed_text_1024('multilingual-e5-large', 'hello')", 1024),
    ],
)
def test_the_model_determines_the_dimension(query: Query, call: str, dimension: int) -> None:
    ((vector,),) = query(f"select {call}")

    assert len(vector) == dimension
    assert sum(x * x for x in vector) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize(
    "call",
    [
        "ai_embed('no-such-model', 'x')",
        "snowflake.cortex.embed_text_768('no-such-model', 'x')",
        "snowflake.cortex.embed_text_768('multilingual-e5-large', 'x')",
        "snowflake.cortex.complete('no-such-model', 'x')",
    ],
)
def test_an_unknown_model_is_an_error_that_names_it(query: Query, call: str) -> None:
    with pytest.raises(ProgrammingError, match=r"100351.*(no-such-model|multilingual-e5-large)"):
        query(f"select {call}")


def test_the_prefix_of_an_e5_model_does_not_change_the_vector(query: Query) -> None:
    assert query(
        "select ai_embed('e5-base-v2', 'query: price') = ai_embed('e5-base-v2', 'passage: price')"
    ) == [(True,)]


def test_sentiment_has_the_sign_of_the_text(query: Query) -> None:
    ((happy, unhappy, neutral),) = query(
        "select snowflake.cortex.sentiment('We love it, it saves us hours every week.'),"
        " snowflake.cortex.sentiment('I am really frustrated, this is a deal breaker.'),"
        " snowflake.cortex.sentiment('The call is on Tuesday.')"
    )

    assert -1 <= unhappy < -0.3 < neutral < 0.3 < happy <= 1


def test_sentiment_of_more_than_512_tokens_fails_the_statement(query: Query) -> None:
    with pytest.raises(ProgrammingError, match="SENTIMENT accepts at most 512 tokens; the text has 602"):
        query("select snowflake.cortex.sentiment(repeat('word ', 600))")


def test_ai_sentiment_returns_labels_or_null_on_failure(query: Query) -> None:
    ((labels, failed),) = query(
        "select ai_sentiment('The price is terrible.', ['price', 'support']), ai_sentiment(repeat('word ',"
        " 3000))"
    )

    assert json.loads(labels) == {
        "categories": [
            {"name": "overall", "sentiment": "negative"},
            {"name": "price", "sentiment": "negative"},
            {"name": "support", "sentiment": "unknown"},
        ]
    }
    assert failed is None


def test_a_wrong_number_of_arguments_is_an_error(query: Query) -> None:
    with pytest.raises(
        ProgrammingError, match=r"000939.*too many arguments for function \[SUMMARIZE\] expected 1, got 2"
    ):
        query("select snowflake.cortex.summarize('some text', 500)")
    with pytest.raises(ProgrammingError, match=r"000938.*not enough arguments"):
        query("select ai_embed('e5-base-v2')")


def test_a_short_text_is_its_own_summary(query: Query) -> None:
    assert query("select ai_summarize('Sounds good.'), snowflake.cortex.summarize('Sounds good.')") == [
        ("Sounds good.", "Sounds good.")
    ]


def test_groups_are_summarized(query: Query) -> None:
    query(
        "create table turns as select column1 as call, column2 as said from values"
        " (1, 'The buyer asked for a discount of ten percent on the annual plan.'), (1, null),"
        " (2, 'The security team wants single sign-on and audit logs before the rollout.')"
    )

    rows = query(
        "select call, ai_summarize_agg(said), ai_agg(said, 'What does the customer want?') from turns"
        " group by call"
        " order by call"
    )

    assert [("discount" in summary, "sign-on" in answer) for _, summary, answer in rows] == [
        (True, False),
        (False, True),
    ]


def test_null_input_returns_null(query: Query) -> None:
    (row,) = query(
        "select ai_embed('e5-base-v2', null), snowflake.cortex.sentiment(null), ai_sentiment(null),"
        " ai_summarize(null),"
        " snowflake.cortex.summarize(null), ai_classify(null, ['a', 'b']), ai_similarity('a', null),"
        " ai_redact(null)"
    )

    assert row == (None,) * 8


def test_strings_in_a_variant_are_read_without_quotes(query: Query) -> None:
    query("""create table v as select parse_json('{"text": "We love it"}') as doc""")

    assert query(
        "select snowflake.cortex.count_tokens('e5-base-v2', doc:text), ai_count_tokens('ai_embed',"
        " 'e5-base-v2', doc:text)"
        " from v"
    ) == [(5, 5)]


def test_other_functions_return_their_documented_formats(query: Query) -> None:
    (row,) = query(
        "select ai_classify('The invoice is wrong', ['billing', 'weather']):labels[0]::varchar,"
        " ai_similarity('a dog', 'a puppy') > ai_similarity('a dog', 'an invoice'),"
        " ai_count_tokens('ai_sentiment', 'two words'),"
        " ai_redact('Mail me at jane@example.com'),"
        " ai_complete('llama3.1-8b', 'Summarize: the buyer asked for a discount of ten percent.') like"
        " '%stand-in%',"
        " array_size(snowflake.cortex.split_text_recursive_character('one two three four', 'none', 9))"
    )

    assert row == ("billing", True, 124, "Mail me at [EMAIL]", True, 3)


def test_an_unknown_function_is_an_error(query: Query) -> None:
    with pytest.raises(ProgrammingError, match=r"002140.*Unknown function SNOWFLAKE.CORTEX.EMBED_TEXT\b"):
        query("select snowflake.cortex.embed_text('e5-base-v2', 'x')")


def test_calls_can_be_nested(query: Query) -> None:
    assert query(
        "select ai_embed('e5-base-v2', ai_summarize('hello')) = ai_embed('e5-base-v2', 'hello')"
    ) == [(True,)]


def test_a_view_evaluates_cortex_functions_for_the_reading_session(query: Query) -> None:
    query("create table t as select 'I love it' as said")
    query("create view scored as select snowflake.cortex.sentiment(said) as score from t")

    assert query("select score > 0.3 from scored where score is not null") == [(True,)]


def test_extraction_supports_all_documented_response_formats(query: Query) -> None:
    text = "'Ana: I will send the contract on Friday.\\nBob: It is too expensive for us.'"
    (row,) = query(
        f"select ai_extract({text}, object_construct('next_steps',"
        " 'What are the next steps?')):response:next_steps::varchar,"
        f" ai_extract(text => {text}, responseFormat => object_construct('schema', object_construct('type',"
        " 'object',"
        " 'properties', object_construct('risks', object_construct('description', 'Risks?', 'type',"
        " 'array')))))"
        ":response:risks[0]::varchar,"
        f" ai_extract({text}, array_construct(array_construct('risk',"
        " 'Which risks?'))):response:risk::varchar,"
        f" snowflake.cortex.extract_answer({text}, 'What is too expensive?')[0]:answer::varchar"
    )
    assert row == (
        "I will send the contract on Friday.",
        "It is too expensive for us.",
        "It is too expensive for us.",
        "It is too expensive for us.",
    )


def test_extraction_returns_its_error_in_the_result(query: Query) -> None:
    (row,) = query(
        "select answer:error::varchar, answer:response::varchar from"
        " (select ai_extract(repeat('word ', 130000), object_construct('a', 'What?')) as answer)"
    )
    assert "AI_EXTRACT accepts at most 128000 tokens" in row[0]
    assert row[1] is None


def test_error_details_are_passed_by_name_or_by_position(query: Query) -> None:
    too_long = "repeat('word ', 2100)"
    rows = query(
        f"select ai_sentiment({too_long}), ai_sentiment({too_long},"
        " return_error_details => true):error::varchar,"
        f" ai_sentiment({too_long}, null, true):error::varchar,"
        " ai_sentiment('This is great.',"
        " return_error_details => true):value:categories[0]:sentiment::varchar,"
        " ai_redact('Mail me at jane@example.com', return_error_details => true):value::varchar"
    )
    ((nothing, by_name, by_position, value, redacted),) = rows
    assert nothing is None
    assert by_name == by_position
    assert "AI_SENTIMENT accepts at most 2048 tokens" in by_name
    assert (value, redacted) == ("positive", "Mail me at [EMAIL]")


def test_redaction_fails_for_too_much_output(query: Query) -> None:
    assert query("select length(ai_redact(repeat('word ', 1020)))") == [(5100,)]
    with pytest.raises(ProgrammingError, match="AI_REDACT accepts at most 1024 tokens"):
        query("select ai_redact(repeat('word ', 1030))")


def test_only_the_selected_rows_are_sent(query: Query) -> None:
    query("create or replace table texts (id number, t varchar, s float, batch number)")
    query(
        "insert into texts select seq4(), 'This is fine, number ' || seq4(), null, mod(seq4(), 4)"
        " from table(generator(rowcount => 40))"
    )
    chosen = "id in (select id from texts where batch = 3)"

    def calls_of(statement: str) -> int:
        before = _sentiment_tokens(query)
        query(statement)
        return _sentiment_tokens(query) - before

    each = calls_of(
        "create or replace table answers as select snowflake.cortex.sentiment(t) as s from texts"
        f" where {chosen}"
    )
    assert each == calls_of(
        "update texts set s = sent.s from (select id, snowflake.cortex.sentiment(t) as s from texts where "
        f"{chosen}) as sent where texts.id = sent.id"
    )
    assert each == calls_of(
        f"insert into answers select snowflake.cortex.sentiment(t) from texts where {chosen}"
    )
    assert query("select count(s) from texts") == [(10,)]
    assert each == 10 * 8  # [CLS] this is fine , number 3 [SEP]


def _sentiment_tokens(query: Query) -> int:
    ((tokens,),) = query(
        "select coalesce(sum(metrics[0]:value::int), 0)"
        " from snowflake.account_usage.cortex_ai_functions_usage_history"
        " where function_name = 'SENTIMENT'"
    )
    return int(tokens)
