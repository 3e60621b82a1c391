"""One walk over the pages of one query, from the first to the one without a cursor.

What a page is, where its cursor goes and when a walk must be given up is known here; which walks to make is not.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import msgspec

from gong_assets.gong.errors import GongCursorError, GongCursorExpiredError, GongNotFoundError
from gong_assets.gong.faults import finds_nothing
from gong_assets.gong.records import Record, read_call, read_transcript, read_user
from gong_assets.gong.transport import Query, Transport

# Gong's page size; there is no parameter for it.
PAGE_SIZE = 100
# A cursor lives for about an hour from the first request of its walk: six hours are enough for any one walk.
MAX_RESTARTS = 5
# A page may come twice while records move under an offset; one that keeps coming, or stays empty, is a loop.
MAX_BARREN_PAGES = 5


@dataclass(frozen=True)
class Page:
    """Records as they came, and what the envelope says about the whole result.

    `total_records` may run ahead of what Gong returns while it still analyses calls: a figure to show, not to check against.
    `number` counts from 0 within one walk.
    """

    records: list[Record]
    total_records: int | None = None
    number: int | None = None
    cursor: str | None = None


@dataclass(frozen=True)
class Endpoint:
    """A list endpoint: where it is, under which key its records are, and how one is read."""

    method: str
    path: str
    list_key: str
    read: Callable[[bytes], Record]


CALLS = Endpoint("POST", "/v2/calls/extensive", "calls", read_call)
TRANSCRIPTS = Endpoint("POST", "/v2/calls/transcript", "callTranscripts", read_transcript)
USERS = Endpoint("GET", "/v2/users", "users", read_user)


async def walk(
    transport: Transport, endpoint: Endpoint, content: Callable[[], Mapping[str, Any]]
) -> AsyncGenerator[Page, None]:
    """Yield the pages of a query; none at all for a filter that matches nothing.

    `content()` is asked for at the start, and again each time that the cursor has expired and the walk starts anew: it may
    then return a query for what is left. Raises GongCursorError rather than going round in circles.
    """
    for _ in range(1 + MAX_RESTARTS):
        try:
            async with aclosing(_walk_once(transport, endpoint, content())) as pages:
                async for page in pages:
                    yield page
            return
        except GongCursorExpiredError as error:
            expired = error
    raise GongCursorError(f"{expired}; started again {MAX_RESTARTS} times") from expired


async def _walk_once(
    transport: Transport, endpoint: Endpoint, content: Mapping[str, Any]
) -> AsyncGenerator[Page, None]:
    query = Query(endpoint.method, endpoint.path, content)
    cursor: str | None = None
    cursors: set[str] = set()
    contents: set[int] = set()
    barren = 0
    while True:
        try:
            page = await transport.send(query.at(cursor), lambda body: read_page(endpoint, body))
        except GongNotFoundError as error:
            if cursor is None and finds_nothing(error):
                return
            raise
        digest = hash(tuple(record.key for record in page.records))
        barren = barren + 1 if not page.records or digest in contents else 0
        contents.add(digest)
        yield page
        cursor = page.cursor
        if cursor is None:
            return
        if cursor in cursors or barren > MAX_BARREN_PAGES:
            raise GongCursorError(
                f"{endpoint.method} {endpoint.path}: the pages repeat themselves without end"
            )
        cursors.add(cursor)


def read_page(endpoint: Endpoint, body: bytes) -> Page:
    """A response's body as a page. Raises ValueError when it is not one: cut off, no JSON, or without the list."""
    try:
        records, raws = _split(endpoint.list_key, body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        records, raws = _split(endpoint.list_key, _strict(body))
    except RecursionError:
        raise ValueError("nested too deeply") from None
    total, number, cursor = (records.get(key) for key in ("totalRecords", "currentPageNumber", "cursor"))
    return Page(
        records=[endpoint.read(raw) for raw in raws],
        total_records=total if isinstance(total, int) else None,
        number=number if isinstance(number, int) else None,
        cursor=cursor if isinstance(cursor, str) and cursor else None,
    )


def _split(list_key: str, body: bytes) -> tuple[dict[str, Any], list[bytes]]:
    """The envelope's `records` object, and the bytes of each record."""
    envelope = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    if list_key not in envelope:
        raise ValueError(f"no {list_key} in it")
    raws = [bytes(raw) for raw in msgspec.json.decode(envelope[list_key], type=list[msgspec.Raw])]
    for raw in raws:
        raw.decode()
    records = msgspec.json.decode(envelope.get("records", b"{}"), type=dict[str, Any] | None)
    return records or {}, raws


# A surrogate escape that is not half of a pair; the first two alternatives skip what must stay as it is.
_LONE_SURROGATE = re.compile(r"(\\\\|\\u[dD][89abAB]..\\u[dD][c-fC-F]..)|\\u[dD][89a-fA-F]..")


def _strict(body: bytes) -> bytes:
    """JSON that any parser accepts, from a body that is nearly JSON: the records keep their values but not their bytes.

    Texts that were cut in the middle of an emoji end in half of one, which is no Unicode and which no warehouse takes; it
    becomes U+FFFD, as do bytes that are no UTF-8. NaN becomes null.
    """
    text = _LONE_SURROGATE.sub(lambda match: match[1] or "\ufffd", body.decode("utf-8-sig", "replace"))
    value = json.loads(text, strict=False, parse_float=Decimal, parse_constant=lambda _: None)
    return msgspec.json.Encoder(decimal_format="number").encode(value)
