"""Removal of record values and secrets from the texts of errors."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import duckdb
import pydantic
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gong_assets.security.redaction import redact

# No template contains the letters "qz", and each word of a record does.
WORDS = ("qzAcme", "lostqz", "qz", "it'sqz", "b", "5")
MARKS = (
    " ",
    " ",
    " ",
    "' ",
    " '",
    "'",
    "' '",
    '" ',
    ' "',
    "\n",
    ", ",
    ": ",
    "’ ",
    " ‘",
    "“",
    "” ",
    "$$",
    "{",
    "}",
    "\\",
)

TEMPLATES = (
    "Numeric value '{}' is not recognized",
    "String '{}' is too long and would be truncated",
    "Object 'SOPHIA_AI.GONG_DATA.X' has the value '{}' for 'GONG_CALLS_RAW'",
    "Timestamp '{}' is not recognized\n  File 'a/b.json', line 3\n  Row 1, column \"T\"[\"X\":2]",
    'Error parsing JSON: unterminated string, pos 12 near "{}"',
    'Duplicate key "SENTENCE: {}" violates primary key constraint.',
    "Could not convert string ‘{}’ to INT",
    "Could not convert string “{}” to INT",
    "Invalid value $${}$$ for column TEXT",
    "Malformed JSON at byte 5 of input: unexpected character.  Input: {}",
    "Duplicate row detected during DML action\nRow Values: [4711, {}]",
    "Gong's answer is b'{}', which isn't JSON",
)


def _python_errors(text: str) -> list[str]:
    return [
        f"KeyError: {text!r}",
        f"ValueError: invalid literal for int() with base 10: {text!r}",
        f"ValueError: time data {text!r} does not match format '%Y'",
        f"TypeError: {text.encode()!r} is no text",
        f"unexpected: {[text, text]!r}; {dict.fromkeys([text], text)!r}",
        f"Failed to cast variant value {json.dumps([text, {text: 1}])} to FIXED",
    ]


class _Segment(pydantic.BaseModel):
    text: int
    speaker: list[int]


def _message(function: Callable[..., Any], *arguments: Any) -> str:
    try:
        function(*arguments)
    except (duckdb.Error, pydantic.ValidationError) as error:
        return str(error)
    except UnicodeDecodeError as error:  # DuckDB cuts an input within a character.
        return error.object.decode(errors="replace")
    return ""


def _pydantic_errors(text: str) -> list[str]:
    values = (text, [1, 2, 3, 4, 5, 6, 7, 8, 9, text], {"n": text}, _Segment.model_construct(text=text))
    return [_message(_Segment.model_validate, {"text": value, "speaker": value}) for value in values]


def _duckdb_errors(text: str) -> list[str]:
    types = ("int", "date", "decimal(4, 2)", "int[]", "json", "enum('a')")
    literal = text.replace("'", "''")
    statements = [f"SELECT CAST($1 AS {each})" for each in types] + ["SELECT strptime($1, '%Y')"]
    with duckdb.connect() as connection:
        errors = [_message(connection.execute, each, [text]) for each in statements]
        return [
            *errors,
            *(_message(connection.execute, f"{word} '{literal}'") for word in ("SELEC", "SELECT 1 + ")),
        ]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(WORDS), st.sampled_from(MARKS)), min_size=1, max_size=8))
@example([("the", " "), ("qzcustomers", "' "), ("contracts", " "), ("qzAcme", "")])
@example([("qzcustomers", "' '"), ("qz", '"'), ("qz", "\n")])
def test_no_word_of_a_record_is_left_in_an_error_that_quotes_it(parts: list[tuple[str, str]]) -> None:
    text = "".join(word + mark for word, mark in parts)
    errors = [template.replace("{}", text) for template in TEMPLATES]
    for error in (*errors, *_python_errors(text), *_pydantic_errors(text), *_duckdb_errors(text)):
        assert "qz" not in redact(error, names={"GONG_CALLS_RAW"}).lower(), error


@pytest.mark.parametrize(
    "text",
    [
        "Object 'SOPHIA_AI.GONG_DATA.X' or \"GONG_DATA\" does not exist or isn't visible",
        "The asset 'gong_calls_raw' of Gong's calls and the customers' companies can't be read",
        "GET https://api.gong.io/v2/calls: 403 The key lacks api:calls:read (request id 4711)",
        "dbt: Failure in test not_null_id (models/staging.yml): Got 3 results, configured to fail if != 0",
    ],
)
def test_an_error_without_values_stays_as_it_is(text: str) -> None:
    assert redact(text, names={"gong_calls_raw"}) == text
