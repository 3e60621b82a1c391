"""Invalid arguments raise a one-line InvalidArgument before the warehouse is contacted."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest

from gong_assets.agents import (
    InvalidArgument,
    account_timeline,
    analyze_call,
    coaching_opportunities,
    similar_segments,
)
from gong_assets.warehouse.connection import Warehouse

MEGABYTE = "x" * 2**20

# Value and expected part of the message.
TEXTS = [
    ("\0", "should not contain a NUL character"),
    ("before \0 after", "should not contain a NUL character"),
    (MEGABYTE, "should have at most"),
    (b"bytes", "should be a valid string"),
    (7.5, "should be a valid string"),
    (True, "should be a valid string"),
    (None, "should be a valid string"),
    (["a", "list"], "should be a valid string"),
    ("half a pair \ud800", "should be a valid string"),
]
NAMES = [*TEXTS, ("", "should not be blank"), (" \n\t ", "should not be blank")]
LIMITS = [
    (0, "should be greater than or equal to 1"),
    (-1, "should be greater than or equal to 1"),
    (-(10**30), "should be greater than or equal to 1"),
    (1001, "should be less than or equal to 1000"),
    (10**30, "should be less than or equal to 1000"),
    (1.5, "should be a valid integer"),
    (True, "should be a number"),
    ("five", "should be a valid integer"),
    ("1.5", "should be a valid integer"),
    ("5; DROP TABLE X", "should be a valid integer"),
    (None, "should be a valid integer"),
]
DATES: list[tuple[Any, str]] = [
    (value, "should be a date (YYYY-MM-DD)")
    for value in (0, "", "yesterday", "2026-13-01", datetime(2026, 1, 1, tzinfo=UTC), "2026-01-01'; --")
]

SEARCH = [
    *(({"text": value}, message) for value, message in TEXTS),
    *(({"rep": value}, message) for value, message in NAMES if value is not None),
    *(({"deal": value}, message) for value, message in NAMES if value is not None),
    *(({"limit": value}, message) for value, message in LIMITS),
    *(({name: value}, message) for name in ("from_date", "to_date") for value, message in DATES),
    ({"text": " \n"}, "text: should not be blank"),
    ({"text": "値" * 481}, "text: string should have at most 480 characters in a non-English script"),
    ({"speaker": "Customer"}, "speaker: input should be 'Internal' or 'External'"),
    ({"speaker": ["Internal"]}, "speaker: input should be"),
    ({"min_words": -1}, "min_words: input should be greater than or equal to 0"),
    ({"context": -1}, "context: input should be greater than or equal to 0"),
    ({"context": 21}, "context: input should be less than or equal to 20"),
    ({"min_similarity": 1.01}, "min_similarity: input should be less than or equal to 1"),
    ({"min_similarity": float("nan")}, "min_similarity: input should be a finite number"),
    ({"limit": 334, "context": 1}, "limit 334 with context 1 could return 1,002 turns; the maximum is 1,000"),
    (
        {"from_date": date(2026, 2, 1), "to_date": date(2026, 1, 31)},
        "from_date 2026-02-01 is after to_date 2026-01-31",
    ),
    ({"from_date": "2026-02-01", "to_date": "2026-01-31"}, "is after"),
    (
        {"rep": "\0", "limit": 0},
        "limit: input should be greater than or equal to 1; rep: should not contain a NUL character",
    ),
]  # fmt: skip
OTHERS: list[tuple[Callable[..., Any], dict[str, Any], str]] = [
    *((analyze_call, {"call_id": value}, message) for value, message in NAMES),
    *((analyze_call, {"call_id": "1", "limit": value}, message) for value, message in LIMITS),
    *((account_timeline, {"company": value}, message) for value, message in NAMES),
    *((account_timeline, {"company": "1", "limit": value}, message) for value, message in LIMITS),
    *((coaching_opportunities, {"limit": value}, message) for value, message in LIMITS),
    (coaching_opportunities, {"days": 0}, "days: input should be greater than or equal to 1"),
    (coaching_opportunities, {"days": 36_501}, "days: input should be less than or equal to 36500"),
    (coaching_opportunities, {"days": 10**20}, "days: input should be less than or equal to 36500"),
    (coaching_opportunities, {"now": "today"}, "now: input should be"),
]  # fmt: skip


@pytest.fixture
def unreachable() -> Warehouse:
    def fail() -> dict[str, Any]:
        raise AssertionError("the warehouse was contacted")

    return Warehouse(fail)


def error_message(function: Callable[..., Any], *args: Any, **kwargs: Any) -> str:
    with pytest.raises(InvalidArgument) as raised:
        function(*args, **kwargs)
    return str(raised.value)


@pytest.mark.parametrize(("arguments", "message"), SEARCH)
def test_invalid_search_arguments_are_rejected(
    unreachable: Warehouse, arguments: dict[str, Any], message: str
) -> None:
    line = error_message(similar_segments, unreachable, **{"text": "the price", **arguments})
    assert message in line
    assert len(line.splitlines()) == 1
    assert len(line) < 300


@pytest.mark.parametrize(("function", "arguments", "message"), OTHERS)
def test_invalid_arguments_of_other_functions_are_rejected(
    unreachable: Warehouse, function: Callable[..., Any], arguments: dict[str, Any], message: str
) -> None:
    line = error_message(function, unreachable, **arguments)
    assert message in line
    assert len(line.splitlines()) == 1
    assert len(line) < 300


def test_a_value_of_another_type_than_warehouse_is_rejected() -> None:
    assert "warehouse: input should be an instance of Warehouse" in error_message(
        analyze_call, "not a warehouse", "1"
    )


def test_an_unknown_argument_is_a_type_error(unreachable: Warehouse) -> None:
    with pytest.raises(TypeError, match="colour"):
        similar_segments(unreachable, "the price", colour="red")  # type: ignore[call-arg]
