"""Pages of an answer: a limit of rows and of characters, and the token of the next page.

A token contains the position of the last row in the order of the answer, not a number of rows. So no row is
repeated or skipped if calls are added or removed between two pages.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any, TypeVar

from pydantic import BaseModel

from gong_assets.agents.errors import InvalidArgument
from gong_assets.security.texts import visible_json

Item = TypeVar("Item", bound=BaseModel)
N = TypeVar("N", int, float)
Position = tuple[Any, ...]

# The condition of a first page, and the values bound to it.
NO_CONDITION: tuple[str, Position] = ("TRUE", ())

_PARSERS: dict[type, Callable[[Any], Any]] = {
    date: date.fromisoformat,
    datetime: datetime.fromisoformat,
    float: lambda text: _bounded(float(text)),
    int: lambda text: _bounded(int(text)),
    str: str,
}


def _bounded(number: N) -> N:
    if not -1e15 < number < 1e15:
        raise ValueError(number)
    return number


def encoded(kind: str, position: Position) -> str:
    """Return the token of a position in the answers of the function `kind`."""
    texts = [value.isoformat() if isinstance(value, date) else str(value) for value in position]
    return base64.urlsafe_b64encode(json.dumps([kind, *texts]).encode()).decode().rstrip("=")


def decoded(kind: str, token: str, types: Sequence[type]) -> Position:
    """Return the position of a token.

    Raises:
        InvalidArgument: it is not a token of this function.
    """
    try:
        found_kind, *texts = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        if found_kind != kind or any("\0" in text for text in texts):
            raise ValueError(found_kind)
        return tuple(_PARSERS[each](text) for each, text in zip(types, texts, strict=True))
    except (binascii.Error, ValueError, TypeError, OverflowError):
        raise InvalidArgument(
            "page: should be the next_page of an earlier answer to the same question, unchanged"
        ) from None


def fitting(items: Sequence[Item], max_characters: int) -> list[Item]:
    """Return as many items as fit in the size of an answer, and at least one."""
    size = 0
    for index, item in enumerate(items):
        size += len(compact_json(item))
        if size > max_characters and index:
            return list(items[:index])
    return list(items)


def first_page(
    kind: str,
    rows: Sequence[dict[str, Any]],
    items: Sequence[Item],
    columns: Sequence[str],
    limit: int,
    max_characters: int,
) -> tuple[list[Item], str | None]:
    """Return the items of the page, and the token of the next one.

    `rows`, from which `items` were built, are one more than `limit` if there are more. `columns` are those
    that order them.
    """
    kept = fitting(items[:limit], max_characters)
    if len(kept) == len(rows):
        return kept, None
    last = rows[len(kept) - 1]
    return kept, encoded(kind, tuple(last[column] for column in columns))


def compact_json(model: BaseModel, *, indent: int | None = None) -> str:
    """Return the model as JSON without the fields that are unknown.

    A character that cannot be seen is written as its escape: models read letters that people do not see.
    """
    return visible_json(model.model_dump_json(exclude_none=True, indent=indent))
