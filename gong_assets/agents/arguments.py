"""What may be asked: the types of all arguments, with their limits and with the words that tell an agent what they mean.

The functions check against them, and the MCP server shows them as its tools' schemas. What a limit protects is the
warehouse and the reader: no question returns more than `MAX_ROWS` rows, or sends more than one short text to Cortex.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import wraps
from typing import Annotated, Any, Literal, ParamSpec, TypeVar

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    validate_call,
)

from gong_assets.agents.results import InvalidQuestion

P = ParamSpec("P")
R = TypeVar("R")

MAX_ROWS = 1000
MAX_CONTEXT = 20
MAX_DAYS = 36_500
# Longer than any id of Gong or HubSpot, and than the names that HubSpot takes.
MAX_NAME = 500
# The embedding models read 512 tokens and refuse more: the segments were cut to as many characters (see the variables
# `cortex_cut` in macros/cortex_sending.sql), which a search must not do silently with a question.
MAX_QUESTION = 1500
MAX_QUESTION_OF_OTHER_SCRIPTS = 480


def _without_nul(text: str) -> str:
    # No text of Snowflake's holds one, and what is sent to it should not either.
    if "\0" in text:
        raise ValueError("a NUL character is in it")
    return text


def _not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("it is empty")
    return text.strip()


def _of_a_length_that_is_read(text: str) -> str:
    of_other_scripts = sum(not " " <= character <= "~" for character in text) > len(text) / 10
    if of_other_scripts and len(text) > MAX_QUESTION_OF_OTHER_SCRIPTS:
        raise ValueError(
            f"string should have at most {MAX_QUESTION_OF_OTHER_SCRIPTS} characters if they are not of English"
        )
    return text


def _date_only(value: Any) -> Any:
    """A date, or its text as JSON has it; a moment or a number of seconds is none."""
    if isinstance(value, str):
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise ValueError("it is no date (YYYY-MM-DD)") from None
    if isinstance(value, datetime) or not isinstance(value, date | None):
        raise ValueError("it is no date (YYYY-MM-DD)")
    return value


_Date = Annotated[date, BeforeValidator(_date_only)]
_Name = Annotated[
    str,
    Field(strict=True, min_length=1, max_length=MAX_NAME),
    AfterValidator(_without_nul),
    AfterValidator(_not_blank),
]

Limit = Annotated[int, Field(strict=True, ge=1, le=MAX_ROWS)]
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]

Days = Annotated[
    int, Field(strict=True, ge=1, le=MAX_DAYS, description="How many days back from now to look.")
]
CallId = Annotated[_Name, Field(description="Gong's call id, as every other answer names it.")]
Company = Annotated[
    _Name, Field(description="The company's id in the CRM, or its whole name (case does not matter).")
]
Question = Annotated[
    str,
    Field(
        strict=True,
        max_length=MAX_QUESTION,
        description="What to look for, in a sentence as it could be said on a call, rather than in keywords.",
    ),
    AfterValidator(_without_nul),
    AfterValidator(_of_a_length_that_is_read),
]

# The filters of a search, each of which may be left out.
FromDate = Annotated[_Date | None, Field(description="First call date (UTC), YYYY-MM-DD.")]
ToDate = Annotated[_Date | None, Field(description="Last call date (UTC), inclusive, YYYY-MM-DD.")]
Rep = Annotated[
    _Name | None,
    Field(
        description="The host of the call: Gong's user id, whole name or e-mail address (case does not matter)."
    ),
]
DealId = Annotated[_Name | None, Field(description="HubSpot's id of a deal that the call is about.")]
Speaker = Annotated[
    Literal["Internal", "External"] | None,
    Field(description="External: what customers said. Internal: what our own people said."),
]
MinWords = Annotated[
    int,
    Field(
        strict=True,
        ge=0,
        le=10_000,
        description="Leave out segments of fewer words; 8 leaves out most small talk.",
    ),
]
MinSimilarity = Annotated[
    Annotated[float, Field(strict=True, ge=-1, le=1, allow_inf_nan=False)] | None,
    Field(
        description="Leave out hits below this cosine similarity. The scale depends on the embedding model: look at the "
        "similarities of a first answer before setting it."
    ),
]
Context = Annotated[
    int,
    Field(
        strict=True,
        ge=0,
        le=MAX_CONTEXT,
        description="How many turns before and after each hit to return with it, from the same call.",
    ),
]


def checked(function: Callable[P, R]) -> Callable[P, R]:
    """The function, which raises InvalidQuestion for arguments that are not as their types say."""
    signature = inspect.signature(function)
    validated = validate_call(config=ConfigDict(arbitrary_types_allowed=True))(function)

    @wraps(function)
    def ask(*args: P.args, **kwargs: P.kwargs) -> R:
        # By name, since an error has to name the argument.
        named: Mapping[str, Any] = signature.bind(*args, **kwargs).arguments
        try:
            return validated(**named)  # type: ignore[call-arg]
        except ValidationError as error:
            if error.title != function.__name__:
                raise  # Of an answer, and not of the question.
            raise InvalidQuestion(one_line(error)) from None

    return ask


def one_line(error: ValidationError) -> str:
    """What is wrong with which argument. What was given is not repeated: it may be very long."""
    told = []
    for each in error.errors(include_url=False, include_context=False, include_input=False):
        what = each["msg"].removeprefix("Value error, ")
        told.append(f"{'.'.join(map(str, each['loc'][:1]))}: {what[:1].lower()}{what[1:]}")
    return "; ".join(dict.fromkeys(told))


def shown(text: str) -> str:
    """A text of the caller's as it can stand in an error: in one line, and not too long."""
    plain = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return plain if len(plain) <= 80 else f"{plain[:79]}…"
