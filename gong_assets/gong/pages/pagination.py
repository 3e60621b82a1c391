"""Pagination of one query, from the first page to the one without a cursor, and parsing of a page."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from gong_assets.gong.errors import (
    GongCursorError,
    GongCursorExpiredError,
    GongNotFoundError,
    GongPermissionError,
)
from gong_assets.gong.http.error_mapping import is_empty_result, with_likely_scope

if TYPE_CHECKING:
    from gong_assets.gong.endpoints import Endpoint
    from gong_assets.gong.http.transport import Transport
    from gong_assets.gong.records import Record

# A cursor lives for about an hour from the first request of its query, and no query here takes that long.
MAX_RESTARTS = 5
# A page may come twice while records move under an offset. One that keeps coming, or stays empty, is a loop.
MAX_STALLED_PAGES = 5


@dataclass(frozen=True)
class Page:
    """Records as they came, and what the response says about the whole list.

    `total_records` may run ahead of what Gong returns while it still analyses calls: it is for progress and
    planning only. `number` counts from 0 within one query.
    """

    records: list[Record]
    total_records: int | None = None
    number: int | None = None
    cursor: str | None = None


Pages = AsyncGenerator[Page, None]


async def read_pages(transport: Transport, endpoint: Endpoint, content: Mapping[str, Any]) -> Pages:
    """Yield the pages of a query; none at all for a filter that matches nothing.

    When the cursor expires, the query starts again from its first page. Raises GongCursorError instead of
    going round in circles.
    """
    for _ in range(1 + MAX_RESTARTS):
        try:
            async with aclosing(_read_pages_once(transport, endpoint, content)) as pages:
                async for page in pages:
                    yield page
            return
        except GongCursorExpiredError as error:
            expired = error
    raise GongCursorError(f"{expired}; restarted {MAX_RESTARTS} times") from expired


async def _read_pages_once(transport: Transport, endpoint: Endpoint, content: Mapping[str, Any]) -> Pages:
    query = endpoint.query(content)
    cursor: str | None = None
    cursors: set[str] = set()
    digests: set[int] = set()
    stalled_pages = 0
    while True:
        try:
            page = await transport.send(query.at(cursor), lambda body: parse_page(endpoint, body))
        except GongNotFoundError as error:
            if cursor is None and is_empty_result(error):
                return
            raise
        except GongPermissionError as error:
            if error.scope is not None:
                raise
            raise with_likely_scope(error, endpoint.scope) from error
        digest = hash(tuple(record.key for record in page.records))
        stalled_pages = stalled_pages + 1 if not page.records or digest in digests else 0
        digests.add(digest)
        yield page
        cursor = page.cursor
        if cursor is None:
            return
        if cursor in cursors or stalled_pages > MAX_STALLED_PAGES:
            raise GongCursorError(f"{endpoint}: the pages repeat themselves without end")
        cursors.add(cursor)


class Deduplicator:
    """The keys of all records so far."""

    def __init__(self) -> None:
        self._keys: set[str] = set()

    def new_records(self, page: Page) -> Page:
        """Return the page without the records that were on an earlier one."""
        records = []
        for record in page.records:
            if record.key not in self._keys:
                self._keys.add(record.key)
                records.append(record)
        return replace(page, records=records)


async def deduplicated(pages: Pages) -> Pages:
    """Yield the pages without records that were on an earlier one, and without pages that are then empty."""
    seen = Deduplicator()
    async with aclosing(pages):
        async for page in pages:
            if (unique := seen.new_records(page)).records:
                yield unique


def parse_page(endpoint: Endpoint, body: bytes) -> Page:
    """Return a response's body as a page.

    Raises ValueError for a body that is not one: truncated, not JSON, or without the list.
    """
    try:
        return _parse_page(endpoint, body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _parse_page(endpoint, _strict_json(body))
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _parse_page(endpoint: Endpoint, body: bytes) -> Page:
    envelope = endpoint.decoder.decode(body)
    items = [bytes(item) for item in envelope.items]
    for item in items:
        item.decode()  # msgspec does not check the encoding of what it does not decode
    counts = envelope.records or {}
    total, number, cursor = (counts.get(key) for key in ("totalRecords", "currentPageNumber", "cursor"))
    return Page(
        records=[endpoint.parse(item) for item in items],
        total_records=total if isinstance(total, int) else None,
        number=number if isinstance(number, int) else None,
        cursor=cursor if isinstance(cursor, str) and cursor else None,
    )


# A surrogate escape that is not half of a pair; the first two alternatives match what must stay as it is.
_LONE_SURROGATE = re.compile(r"(\\\\|\\u[dD][89abAB]..\\u[dD][c-fC-F]..)|\\u[dD][89a-fA-F]..")


def _strict_json(body: bytes) -> bytes:
    """Return JSON that any parser accepts, from nearly valid JSON.

    Records keep their values, not their bytes. Texts that were cut in the middle of an emoji end in half of
    one, which is not Unicode and which no warehouse accepts; it becomes U+FFFD, and so do bytes that are not
    UTF-8. NaN becomes null.
    """
    text = _LONE_SURROGATE.sub(lambda match: match[1] or "\ufffd", body.decode("utf-8-sig", "replace"))
    value = json.loads(text, strict=False, parse_float=Decimal, parse_constant=lambda _: None)
    return msgspec.json.Encoder(decimal_format="number").encode(value)
