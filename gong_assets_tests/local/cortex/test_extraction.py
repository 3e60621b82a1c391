"""Extraction of topics, next steps, risks and answers, and the errors that Cortex documents."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gong_assets.local.cortex.errors import CortexError, TooLongError
from gong_assets.local.cortex.extraction import (
    MAX_ITEMS,
    Field,
    extract,
    extract_answer,
    parse_response_format,
)
from gong_assets.local.cortex.key_phrases import key_phrases, topics
from gong_assets.local.cortex.sentences import dialogue_sentences

PRICING = """Dana Whitfield: Thanks for joining, how was the weekend?
Marco Silva: Quiet, thanks. I wanted to talk about the price before anything else.
Dana Whitfield: Of course. The list price for two hundred seats is forty thousand dollars a year.
Marco Silva: Honestly that is too expensive for us, finance approved thirty thousand and the budget is frozen.
Dana Whitfield: We can look at a discount if you sign for two years.
Marco Silva: We are also talking to another vendor, Routely, and their offer is cheaper.
Dana Whitfield: Understood. Does your security team need single sign-on?
Marco Silva: Yes, single sign-on and audit logs are required, security will not approve it without them.
Dana Whitfield: Both are in the enterprise plan. I'll send you the revised quote by Thursday.
Marco Silva: Good. I will talk to our finance director next week.
Dana Whitfield: Let's schedule a call with your security team on Monday."""

KICKOFF = """Priya Nair: Welcome to the kick-off. The contract is signed, so today is about the rollout.
Tom Becker: Great, everyone here is excited.
Priya Nair: We start the pilot with the Hamburg depot and migrate the other depots in May.
Tom Becker: Our dispatchers need training, some of them have never used a planning tool.
Priya Nair: We run a workshop for key users, and then a webinar for everybody.
Tom Becker: My only concern is the integration with our ERP, the last connector crashed all the time.
Priya Nair: The connector is new. Can you send us the credentials of the test system by Friday?
Tom Becker: Sure, I'll forward them tomorrow.
Priya Nair: Then we will set up the integration next week and test it together."""

SMALL_TALK = """Dana Whitfield: Hi Marco, can you hear me?
Marco Silva: Yes, I can hear you fine. How was the weekend?
Dana Whitfield: It rained all the time, so we stayed at home."""


def listed(text: str, name: str, question: str) -> list[str]:
    """Return the answers to one question of a schema with an array, as the project sends it."""
    schema = {"type": "object", "properties": {name: {"type": "array", "description": question}}}
    answer: list[str] = extract(text, {"schema": schema})["response"][name]
    return answer


def next_steps(text: str) -> list[str]:
    return listed(text, "next_steps", "What are the next steps that the speakers agreed on or promised?")


def risks(text: str) -> list[str]:
    return listed(text, "risks", "What objections, concerns or other risks does the customer mention?")


def key_topics(text: str) -> list[str]:
    return listed(text, "key_topics", "What are the main topics of this sales call, in a few words each?")


def test_next_steps_are_commitments_in_the_order_of_the_call() -> None:
    assert next_steps(PRICING) == [
        "I'll send you the revised quote by Thursday.",
        "I will talk to our finance director next week.",
        "Let's schedule a call with your security team on Monday.",
    ]
    assert next_steps(KICKOFF) == [
        "Can you send us the credentials of the test system by Friday?",
        "Sure, I'll forward them tomorrow.",
        "Then we will set up the integration next week and test it together.",
    ]


@pytest.mark.parametrize(
    "sentence",
    [
        "We talked about the contract last week.",
        "I will be honest with you.",
        "Security will not approve it without audit logs.",
        "The webinar is for everybody.",
    ],
)
def test_sentences_without_a_commitment_are_no_next_steps(sentence: str) -> None:
    assert next_steps(f"Ana: {sentence}") == []


def test_risks_are_objections_and_not_praise() -> None:
    assert risks(PRICING) == [
        "Honestly that is too expensive for us, finance approved thirty thousand and the budget is frozen.",
        "We are also talking to another vendor, Routely, and their offer is cheaper.",
    ]
    assert risks(KICKOFF) == [
        "My only concern is the integration with our ERP, the last connector crashed all the time."
    ]


def test_a_missing_budget_is_a_risk_and_a_question_about_the_budget_is_not() -> None:
    assert risks("Ana: Is there a budget for it?") == []
    assert risks("Bob: There is no budget for it this year.") == ["There is no budget for it this year."]


def test_a_long_list_is_limited_to_the_highest_weights_in_order() -> None:
    mild = [f"Bob: Item {n} is a risk." for n in range(MAX_ITEMS)]
    grave = "Bob: It is too expensive, we will cancel and switch to a competitor."
    found = risks("\n".join([*mild, grave]))
    assert len(found) == MAX_ITEMS
    assert found[-1] == grave.removeprefix("Bob: ")
    assert found[0] == "Item 0 is a risk."


def test_topics_use_the_same_names_in_every_call() -> None:
    assert key_topics(PRICING)[:2] == ["Pricing", "Security"]
    assert {"Integration", "Implementation", "Training"} <= set(key_topics(KICKOFF))
    assert "Pricing" not in key_topics(KICKOFF)
    assert len(key_topics(PRICING)) <= MAX_ITEMS


def test_small_talk_has_no_topics_next_steps_or_risks() -> None:
    assert key_topics(SMALL_TALK) == next_steps(SMALL_TALK) == risks(SMALL_TALK) == []


def test_a_topic_without_a_common_name_is_named_by_a_key_phrase() -> None:
    sentences = [
        "The cold chain has to be monitored.",
        "Without cold chain data the auditors complain.",
        "So the cold chain comes first.",
    ]
    assert topics(sentences, 3)[0].startswith("cold chain")


def test_a_key_phrase_does_not_repeat_a_named_topic() -> None:
    sentences = ["The list price is high.", "The list price has to go down.", "The price list is old."]
    assert topics(sentences, 5) == ["Pricing"]


def test_a_single_mention_in_a_long_call_is_no_topic() -> None:
    sentences = [f"Sentence number {n} is about the cold chain." for n in range(40)]
    assert "Training" not in topics([*sentences, "Training is on Monday."], 5)
    assert "Training" in topics([*sentences, "Training is on Monday.", "The training takes a day."], 5)


def test_key_phrases_end_at_punctuation_and_stop_words() -> None:
    phrases = key_phrases(["Audit logs, data retention and the enterprise plan are required."])
    assert set(phrases) == {"audit logs", "data retention", "enterprise plan"}
    assert key_phrases(["Yes.", "I know, thank you.", ""]) == []


@pytest.mark.parametrize(
    ("text", "question", "answer"),
    [
        (PRICING, "How many seats does the customer want?", "two hundred seats"),
        (PRICING, "Which other vendor is considered?", "Routely"),
        (KICKOFF, "Where does the pilot start?", "Hamburg"),
        (KICKOFF, "Who needs training?", "dispatchers"),
    ],
)
def test_other_questions_are_answered_with_the_most_similar_sentence(
    text: str, question: str, answer: str
) -> None:
    assert answer in extract(text, {"asked": question})["response"]["asked"]
    (found,) = extract_answer(text, question)
    assert answer in found["answer"]
    assert 0 < found["score"] <= 1


def test_in_a_long_text_sentences_with_words_of_the_question_are_found() -> None:
    sentences = [f"Ana: We looked at screen {n} and went on." for n in range(1000)]
    sentences.insert(700, "Bob: The notice period of the contract is ninety days.")
    answer = extract("\n".join(sentences), {"asked": "How long is the notice period?"})["response"]["asked"]
    assert answer == "The notice period of the contract is ninety days."


def test_an_empty_text_has_no_answer() -> None:
    assert extract("", {"asked": "Who?", "next_steps": "Next steps?"}) == {
        "response": {"asked": None, "next_steps": None},
        "error": None,
    }
    for text in ("", " \n\n"):
        assert key_topics(text) == next_steps(text) == risks(text) == []
        assert listed(text, "asked", "Who is the buyer?") == []
        assert extract_answer(text, "Who?") == []


QUESTION = "What are the next steps?"


@pytest.mark.parametrize(
    ("response_format", "fields"),
    [
        ({"steps": QUESTION}, [Field("steps", QUESTION, False)]),
        (
            [["steps", QUESTION], ["who", "Who?"]],
            [Field("steps", QUESTION, False), Field("who", "Who?", False)],
        ),
        ([QUESTION], [Field(QUESTION, QUESTION, False)]),
        (
            {"schema": {"properties": {"steps": {"type": "string", "description": QUESTION}}}},
            [Field("steps", QUESTION, False)],
        ),
        (
            {
                "schema": {
                    "type": "object",
                    "properties": {"steps": {"type": "array", "description": QUESTION}},
                }
            },
            [Field("steps", QUESTION, True)],
        ),
        ({"schema": {"properties": {"steps": {"type": "string"}}}}, [Field("steps", "steps", False)]),
    ],
    ids=["object", "pairs", "questions", "schema", "list", "without description"],
)  # fmt: skip
def test_all_documented_response_formats_are_supported(response_format: Any, fields: list[Field]) -> None:
    assert parse_response_format(response_format) == fields
    assert extract(PRICING, response_format)["response"].keys() == {field.name for field in fields}


@pytest.mark.parametrize(
    "form",
    [
        {"steps": QUESTION},
        [["steps", QUESTION]],
        {"schema": {"properties": {"steps": {"type": "string", "description": QUESTION}}}},
    ],
    ids=["object", "pairs", "schema"],
)
def test_only_arrays_of_a_schema_give_lists(form: Any) -> None:
    answer = extract(PRICING, form)["response"]["steps"]
    assert answer == " ".join(next_steps(PRICING))


@pytest.mark.parametrize(
    ("response_format", "words"),
    [
        (None, "has none of the documented forms"),
        ("What?", "has none of the documented forms"),
        (7, "has none of the documented forms"),
        ({"schema": {}}, "has none of the documented forms"),
        ({"schema": {"properties": ["a"]}}, "has none of the documented forms"),
        ({"schema": "What schema?"}, "has none of the documented forms"),
        ({}, "1 to 100 questions, not 0"),
        ([], "1 to 100 questions, not 0"),
        ({"schema": {"properties": {}}}, "1 to 100 questions, not 0"),
        (["Who?"] * 101, "1 to 100 questions, not 101"),
        ({"schema": {"properties": {"rows": {"type": "object"}}}}, "'rows' is a table"),
        (
            {"schema": {"properties": {"n": {"type": "number"}}}},
            "'n' must be of type string, array or object",
        ),
        ({"schema": {"properties": {"n": "Who?"}}}, "'n' must be of type string, array or object"),
        (
            {"schema": {"properties": {"n": {"type": "string", "description": 1}}}},
            "type int instead of a string",
        ),
        ({"n": 1}, "type int instead of a string"),
        ([None], "type NoneType instead of a string"),
        ([["n", None]], "type NoneType instead of a string"),
        ([["n"]], "type list instead of a string"),
        ([["n", "Who?", "What?"]], "type list instead of a string"),
    ],
)
def test_undocumented_response_formats_are_rejected(response_format: Any, words: str) -> None:
    with pytest.raises(CortexError, match=words):
        parse_response_format(response_format)
    with pytest.raises(CortexError, match=words):
        extract(PRICING, response_format)


def test_a_hundred_questions_are_accepted() -> None:
    assert len(parse_response_format([f"Question {n}?" for n in range(100)])) == 100


# A text of n words has n + 2 tokens: the start and the end count too.
def words(tokens: int) -> str:
    return "word " * (tokens - 2)


def test_ai_extract_accepts_at_most_128000_tokens() -> None:
    assert extract(words(128_000), {"next_steps": QUESTION})["error"] is None
    with pytest.raises(TooLongError, match="AI_EXTRACT accepts at most 128000 tokens; the text has 128001"):
        extract(words(128_001), {"next_steps": QUESTION})


def test_extract_answer_accepts_at_most_2048_tokens_of_text() -> None:
    assert len(extract_answer(words(2048), "Who?")) == 1
    with pytest.raises(TooLongError, match="EXTRACT_ANSWER accepts at most 2048 tokens; the text has 2049"):
        extract_answer(words(2049), "Who?")


def test_extract_answer_accepts_at_most_64_tokens_of_question() -> None:
    assert len(extract_answer("It is word.", words(64))) == 1
    with pytest.raises(TooLongError, match=r"\(question\) accepts at most 64 tokens; the text has 65"):
        extract_answer("It is word.", words(65))


def test_another_process_extracts_the_same_answers() -> None:
    # String hashes differ between processes, so an order that depends on a set would differ too.
    program = (
        "from gong_assets.local.cortex.extraction import *;"
        " from gong_assets_tests.local.cortex.test_extraction import *;"
        "print([key_topics(t) + risks(t) + next_steps(t) + key_phrases(dialogue_sentences(t)) for t in"
        " (PRICING, KICKOFF)])"
    )
    here = [
        key_topics(t) + risks(t) + next_steps(t) + key_phrases(dialogue_sentences(t))
        for t in (PRICING, KICKOFF)
    ]
    for seed in ("1", "2"):
        there = subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            cwd=Path(__file__).parents[3],
            capture_output=True,
            text=True,
            check=True,
        )
        assert there.stdout.strip() == str(here)
