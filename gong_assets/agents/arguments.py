"""Argument types of the agent functions, with their limits and descriptions.

`validated` functions enforce them, and the MCP server publishes them as its tools' schemas. The limits
protect the warehouse and the reader: no result exceeds `MAX_ROWS` rows, and no request sends more than one
short text to Cortex. Values are as lenient as those of a command line, because models write them: numbers can
be text, ids can be numbers, and neither case nor surrounding blanks matter.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import wraps
from typing import Annotated, Any, Literal, ParamSpec, TypeVar

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, ValidationError, validate_call

from gong_assets.agents.errors import InvalidArgument
from gong_assets.security.texts import one_line

P = ParamSpec("P")
R = TypeVar("R")

MAX_ROWS = 1000
MAX_CONTEXT_TURNS = 20
# About 10,000 tokens: small enough for the context of an agent that asks several questions.
MAX_ANSWER_CHARACTERS = 40_000
UNLIMITED_CHARACTERS = 10**9
MAX_LOOKBACK_DAYS = 36_500
# Longer than any id of Gong or HubSpot, and than the names that HubSpot accepts.
MAX_NAME_LENGTH = 500
# Base64 of JSON, in which a character of a name can take twelve.
MAX_PAGE_TOKEN_LENGTH = 4000
# The smallest window of the embedding models is 512 tokens, and they reject longer texts. Segments are
# truncated to as many characters (`gong_assets/cortex/texts.py`); a search text is rejected instead, because
# truncation would change its meaning silently.
MAX_SEARCH_TEXT_LENGTH = 1500
MAX_NON_ENGLISH_SEARCH_TEXT_LENGTH = 480
# A text with a larger fraction of other characters than printable ASCII is not in an English script.
MAX_NON_ENGLISH_FRACTION = 0.1
MAX_DISPLAYED_LENGTH = 80
_WHOLE_NAME = "whole name (accents, case, blanks and punctuation do not matter)"


def _reject_nul(text: str) -> str:
    # Snowflake stores no NUL character, so no stored text can match.
    if "\0" in text:
        raise ValueError("should not contain a NUL character")
    return text


def _reject_blank(text: str) -> str:
    if not text:
        raise ValueError("should not be blank")
    return text


def _parse_text(value: Any) -> Any:
    """Accept a whole number in place of an id. A float has lost digits of a long id."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value.strip() if isinstance(value, str) else value


def _parse_number(value: Any) -> Any:
    """Accept the text of a number. Pydantic alone would also accept a boolean."""
    if isinstance(value, bool):
        raise ValueError("should be a number")
    return value.strip() if isinstance(value, str) else value


def _capitalize(value: Any) -> Any:
    return value.strip().capitalize() if isinstance(value, str) else value


def _reject_long_non_english(text: str) -> str:
    non_english = sum(not " " <= character <= "~" for character in text)
    if non_english > MAX_NON_ENGLISH_FRACTION * len(text) and len(text) > MAX_NON_ENGLISH_SEARCH_TEXT_LENGTH:
        raise ValueError(
            f"string should have at most {MAX_NON_ENGLISH_SEARCH_TEXT_LENGTH} characters "
            "in a non-English script"
        )
    return text


def _parse_date(value: Any) -> Any:
    """Accept a date or its ISO text. Pydantic alone would also accept a datetime or a number of seconds."""
    if isinstance(value, str):
        try:
            return date.fromisoformat(value.strip())
        except ValueError:
            raise ValueError("should be a date (YYYY-MM-DD)") from None
    if isinstance(value, datetime) or not isinstance(value, date | None):
        raise ValueError("should be a date (YYYY-MM-DD)")
    return value


_Date = Annotated[date, BeforeValidator(_parse_date)]
_IdOrName = Annotated[
    str,
    Field(strict=True, max_length=MAX_NAME_LENGTH),
    BeforeValidator(_parse_text),
    AfterValidator(_reject_nul),
    AfterValidator(_reject_blank),
]
# After the limits of a number, which the schema would otherwise lack.
_LENIENT = BeforeValidator(_parse_number)

Limit = Annotated[int, Field(ge=1, le=MAX_ROWS, description="Maximum number of results."), _LENIENT]
LookbackDays = Annotated[
    int, Field(ge=1, le=MAX_LOOKBACK_DAYS, description="Number of days to look back from now."), _LENIENT
]
PageToken = Annotated[
    Annotated[str, Field(strict=True, max_length=MAX_PAGE_TOKEN_LENGTH), BeforeValidator(_parse_text)] | None,
    Field(
        description="To get the rest of an answer: its `next_page`, unchanged and with the same arguments."
    ),
]
CallId = Annotated[_IdOrName, Field(description="Gong's call id, as returned by the other tools.")]
Company = Annotated[_IdOrName, Field(description=f"The company's id in the CRM, or its {_WHOLE_NAME}.")]
MaxCharacters = Annotated[
    int,
    Field(
        ge=1000,
        le=UNLIMITED_CHARACTERS,
        description=f"Approximate maximum size of the answer, which never exceeds {MAX_ANSWER_CHARACTERS}.",
    ),
    _LENIENT,
]
RecordType = Annotated[
    Literal["Rep", "Company", "Deal"],
    BeforeValidator(_capitalize),
    Field(description="What to look for: Rep, Company or Deal."),
]
RecordName = Annotated[
    _IdOrName | None,
    Field(description="Part of the name, e-mail address or domain, or an id. Without it, all are listed."),
]
RiskLevel = Annotated[
    Literal["Low", "Medium", "High"],
    BeforeValidator(_capitalize),
    Field(description="Lowest risk level to return: Low, Medium or High."),
]
DealOwner = Annotated[
    _IdOrName | None, Field(description="Only deals of this owner: whole name or e-mail address in HubSpot.")
]
SearchText = Annotated[
    str,
    Field(
        strict=True,
        max_length=MAX_SEARCH_TEXT_LENGTH,
        description="What to look for, as a sentence that somebody could say on a call. Sentences work "
        "better than keywords.",
    ),
    BeforeValidator(_parse_text),
    AfterValidator(_reject_nul),
    AfterValidator(_reject_blank),
    AfterValidator(_reject_long_non_english),
]

# The optional filters of calls and segments.
FromDate = Annotated[_Date | None, Field(description="First call date (UTC), YYYY-MM-DD.")]
ToDate = Annotated[_Date | None, Field(description="Last call date (UTC), inclusive, YYYY-MM-DD.")]
Rep = Annotated[
    _IdOrName | None,
    Field(description=f"The host of the call: Gong user id, e-mail address or {_WHOLE_NAME}."),
]
Deal = Annotated[_IdOrName | None, Field(description=f"A deal of the call: HubSpot id or {_WHOLE_NAME}.")]
CompanyFilter = Annotated[
    _IdOrName | None, Field(description=f"A company of the call: id in the CRM or {_WHOLE_NAME}.")
]
Speaker = Annotated[
    Literal["Internal", "External"] | None,
    BeforeValidator(_capitalize),
    Field(description="External: what customers said. Internal: what the company's own people said."),
]
MinWords = Annotated[
    int,
    Field(
        ge=0,
        le=10_000,
        description="Exclude segments with fewer words; 8 excludes most small talk.",
    ),
    _LENIENT,
]
MinSimilarity = Annotated[
    Annotated[float, Field(ge=-1, le=1, allow_inf_nan=False), _LENIENT] | None,
    Field(
        description="Exclude hits below this cosine similarity. The scale depends on the embedding model: "
        "look at the similarities of a first result before setting it."
    ),
]
ContextTurns = Annotated[
    int,
    Field(
        ge=0,
        le=MAX_CONTEXT_TURNS,
        description="Number of turns of the same call to return before and after each hit.",
    ),
    _LENIENT,
]


def validated(function: Callable[P, R]) -> Callable[P, R]:
    """Wrap `function` so that arguments that do not match their types raise InvalidArgument."""
    signature = inspect.signature(function)
    validating = validate_call(config=ConfigDict(arbitrary_types_allowed=True))(function)

    @wraps(function)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        # Pass every argument by name: pydantic reports a positional one by its index.
        named: Mapping[str, Any] = signature.bind(*args, **kwargs).arguments
        try:
            return validating(**named)  # type: ignore[call-arg]
        except ValidationError as error:
            if error.title != function.__name__:
                raise  # A result failed to validate, not an argument.
            raise InvalidArgument(validation_message(error)) from None

    return wrapper


def validation_message(error: ValidationError) -> str:
    """Return one line that names each invalid argument and the reason. Values may be long and are omitted."""
    problems = []
    for detail in error.errors(include_url=False, include_context=False, include_input=False):
        reason = detail["msg"].removeprefix("Value error, ")
        problems.append(f"{'.'.join(map(str, detail['loc'][:1]))}: {reason[:1].lower()}{reason[1:]}")
    return "; ".join(dict.fromkeys(problems))


def for_display(text: str) -> str:
    """Return a caller's text as one short line of printable characters, for use in an error message."""
    line = one_line(text)
    return line if len(line) <= MAX_DISPLAYED_LENGTH else f"{line[: MAX_DISPLAYED_LENGTH - 1]}…"
