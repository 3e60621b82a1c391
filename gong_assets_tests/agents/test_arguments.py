"""What cannot be asked is refused in one line, before anything is sent anywhere."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest

from gong_assets.agents import (
    InvalidQuestion,
    account_timeline,
    analyze_call,
    coaching_opportunities,
    similar_segments,
)
from gong_assets.warehouse.connection import Warehouse

MEGABYTE = "x" * 2**20

# Argument, value, what the line says.
TEXTS = [
    ("\0", "a NUL character is in it"),
    ("before \0 after", "a NUL character is in it"),
    (MEGABYTE, "should have at most"),
    (b"bytes", "should be a valid string"),
    (7, "should be a valid string"),
    (None, "should be a valid string"),
    (["a", "list"], "should be a valid string"),
    ("half a pair \ud800", "should be a valid string"),
]
NAMES = [*TEXTS, ("", "should have at least 1 character"), (" \n\t ", "it is empty")]
LIMITS = [
    (0, "should be greater than or equal to 1"),
    (-1, "should be greater than or equal to 1"),
    (-(10**30), "should be greater than or equal to 1"),
    (1001, "should be less than or equal to 1000"),
    (10**30, "should be less than or equal to 1000"),
    (1.5, "should be a valid integer"),
    (True, "should be a valid integer"),
    ("5", "should be a valid integer"),
    ("5; DROP TABLE X", "should be a valid integer"),
    (None, "should be a valid integer"),
]
NUMBERS = [(float("nan"), "finite"), (float("inf"), "finite"), ("0", "valid number"), (None, "valid number")]
DATES: list[tuple[Any, str]] = [
    (value, "it is no date (YYYY-MM-DD)")
    for value in (0, "", "yesterday", "2026-13-01", datetime(2026, 1, 1, tzinfo=UTC), "2026-01-01'; --")
]

SEARCH = [
    *(({"text": value}, told) for value, told in TEXTS),
    *(({name: value}, told) for name in ("rep", "deal_id") for value, told in NAMES if value is not None),
    *(({"limit": value}, told) for value, told in LIMITS),
    *(({name: value}, told) for name in ("from_date", "to_date") for value, told in DATES),
    ({"text": " \n"}, "the text to search for is empty"),
    ({"text": "値" * 481}, "text: string should have at most 480 characters if they are not of English"),
    ({"speaker": "Customer"}, "speaker: input should be 'Internal' or 'External'"),
    ({"speaker": ["Internal"]}, "speaker: input should be"),
    ({"min_words": -1}, "min_words: input should be greater than or equal to 0"),
    ({"context": -1}, "context: input should be greater than or equal to 0"),
    ({"context": 21}, "context: input should be less than or equal to 20"),
    ({"min_similarity": 1.01}, "min_similarity: input should be less than or equal to 1"),
    ({"min_similarity": float("nan")}, "min_similarity: input should be a finite number"),
    ({"limit": 334, "context": 1}, "limit 334 with context 1 may be 1,002 turns, and an answer has at most 1,000"),
    (
        {"from_date": date(2026, 2, 1), "to_date": date(2026, 1, 31)},
        "from_date 2026-02-01 is after to_date 2026-01-31",
    ),
    ({"from_date": "2026-02-01", "to_date": "2026-01-31"}, "is after"),
    ({"rep": "\0", "limit": 0}, "limit: input should be greater than or equal to 1; rep: a NUL character is in it"),
]  # fmt: skip
OTHERS: list[tuple[Callable[..., Any], dict[str, Any], str]] = [
    *((analyze_call, {"call_id": value}, told) for value, told in NAMES),
    *((analyze_call, {"call_id": "1", "limit": value}, told) for value, told in LIMITS),
    *((analyze_call, {"call_id": "1", "risk_sentiment": value}, told) for value, told in NUMBERS),
    *((account_timeline, {"company": value}, told) for value, told in NAMES),
    *((account_timeline, {"company": "1", "limit": value}, told) for value, told in LIMITS),
    *((coaching_opportunities, {"limit": value}, told) for value, told in LIMITS),
    *((coaching_opportunities, {name: value}, told) for name in ("low_sentiment", "high_talk_ratio") for value, told in NUMBERS),
    (coaching_opportunities, {"days": 0}, "days: input should be greater than or equal to 1"),
    (coaching_opportunities, {"days": 36_501}, "days: input should be less than or equal to 36500"),
    (coaching_opportunities, {"days": 10**20}, "days: input should be less than or equal to 36500"),
    (coaching_opportunities, {"now": "today"}, "now: input should be"),
]  # fmt: skip


@pytest.fixture
def unreachable() -> Warehouse:
    def never() -> dict[str, Any]:
        raise AssertionError("the warehouse was asked")

    return Warehouse(never)


def refusal(ask: Callable[..., Any], *args: Any, **kwargs: Any) -> str:
    with pytest.raises(InvalidQuestion) as raised:
        ask(*args, **kwargs)
    return str(raised.value)


@pytest.mark.parametrize(("arguments", "told"), SEARCH)
def test_a_search_that_cannot_be_made_is_refused(
    unreachable: Warehouse, arguments: dict[str, Any], told: str
) -> None:
    line = refusal(similar_segments, unreachable, **{"text": "the price", **arguments})
    assert told in line
    assert len(line.splitlines()) == 1
    assert len(line) < 300


@pytest.mark.parametrize(("ask", "arguments", "told"), OTHERS)
def test_other_questions_that_cannot_be_asked_are_refused(
    unreachable: Warehouse, ask: Callable[..., Any], arguments: dict[str, Any], told: str
) -> None:
    line = refusal(ask, unreachable, **arguments)
    assert told in line
    assert len(line.splitlines()) == 1
    assert len(line) < 300


def test_a_warehouse_that_is_none_is_refused() -> None:
    assert "warehouse: input should be an instance of Warehouse" in refusal(
        analyze_call, "not a warehouse", "1"
    )


def test_an_argument_that_does_not_exist_is_a_mistake_of_the_program(unreachable: Warehouse) -> None:
    with pytest.raises(TypeError, match="colour"):
        similar_segments(unreachable, "the price", colour="red")  # type: ignore[call-arg]
