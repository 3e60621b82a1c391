"""One walk over the pages of one query, from the first to the one without a cursor.

What a page is, where its cursor goes and when to give a walk up is known here; which walks to make is not.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol

import msgspec

from gong_assets.gong.errors import (
    GongCursorError,
    GongCursorExpiredError,
    GongNotFoundError,
    GongPermissionError,
)
from gong_assets.gong.http.error_mapping import finds_nothing
from gong_assets.gong.http.transport import Query, Transport
from gong_assets.gong.records import (
    Record,
    read_answered_scorecard,
    read_call,
    read_listed_call,
    read_transcript,
    read_user,
    reader,
)

# Gong's page size; there is no parameter for it.
PAGE_SIZE = 100
# A cursor lives for about an hour from the first request of its walk: six hours are enough for any one walk.
MAX_RESTARTS = 5
# A page may come twice while records move under an offset; one that keeps coming, or stays empty, is a loop.
MAX_BARREN_PAGES = 5


@dataclass(frozen=True)
class Page:
    """Records as they came, and what the envelope says about the whole result.

    `total_records` may run ahead of what Gong returns while it still analyses calls: a figure to show, not to
    check against. `number` counts from 0 within one walk.
    """

    records: list[Record]
    total_records: int | None = None
    number: int | None = None
    cursor: str | None = None


class Envelope(Protocol):
    """What is around the records of every list of Gong's; `items` stands under a name of the list's own."""

    records: dict[str, Any] | None
    items: list[msgspec.Raw]


class Endpoint:
    """A list endpoint: where it is, under which key its records are, how one is read, and who may ask."""

    def __init__(
        self, method: str, path: str, list_key: str, read: Callable[[bytes], Record], scope: str
    ) -> None:
        self.method = method
        self.path = path
        self.read = read
        self.scope = scope
        fields: list[tuple[str, Any] | tuple[str, Any, Any]] = [
            ("items", list[msgspec.Raw]),
            ("records", dict[str, Any] | None, None),
        ]
        envelope = msgspec.defstruct("Envelope", fields, rename={"items": list_key})
        self.decoder: msgspec.json.Decoder[Envelope] = msgspec.json.Decoder(envelope)


def list_endpoint(path: str, *, list_key: str, id_key: str, scope: str) -> Endpoint:
    """Return a plain list: GET, records with an id, and nothing else that landing needs."""
    return Endpoint("GET", path, list_key, reader(id_key), scope)


# Scopes as Gong's OpenAPI document names them.
CALLS = Endpoint("POST", "/v2/calls/extensive", "calls", read_call, "api:calls:read:extensive")
LISTED_CALLS = Endpoint("GET", "/v2/calls", "calls", read_listed_call, "api:calls:read:basic")
TRANSCRIPTS = Endpoint(
    "POST", "/v2/calls/transcript", "callTranscripts", read_transcript, "api:calls:read:transcript"
)
USERS = Endpoint("GET", "/v2/users", "users", read_user, "api:users:read")
FOLDERS = Endpoint("GET", "/v2/library/folders", "folders", reader("id"), "api:library:read")
FOLDER_CONTENT = Endpoint("GET", "/v2/library/folder-content", "calls", reader("id"), "api:library:read")
ANSWERED_SCORECARDS = Endpoint(
    "POST",
    "/v2/stats/activity/scorecards",
    "answeredScorecards",
    read_answered_scorecard,
    "api:stats:scorecards",
)
INTERACTION_STATS = Endpoint(
    "POST", "/v2/stats/interaction", "peopleInteractionStats", reader("userId"), "api:stats:interaction"
)
USER_ACTIVITY = Endpoint(
    "POST",
    "/v2/stats/activity/day-by-day",
    "usersDetailedActivities",
    reader("userId"),
    "api:stats:user-actions:detailed",
)


async def walk(
    transport: Transport, endpoint: Endpoint, content: Callable[[], Mapping[str, Any]]
) -> AsyncGenerator[Page, None]:
    """Yield the pages of a query; none at all for a filter that matches nothing.

    `content()` is asked for at the start, and again each time that the cursor has expired and the walk starts
    anew: it may then return a query for what is left. Raises GongCursorError rather than going round in
    circles.
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
        except GongPermissionError as error:
            if error.scope is not None:
                raise
            raise _guessing_the_scope(endpoint, error) from error
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


def _guessing_the_scope(endpoint: Endpoint, error: GongPermissionError) -> GongPermissionError:
    """The refusal with what is probably missing in its message; its `scope` stays Gong's own word."""
    return GongPermissionError(
        f"{error}; the scope {endpoint.scope} is probably missing",
        status=error.status,
        errors=error.errors,
        request_id=error.request_id,
    )


def read_page(endpoint: Endpoint, body: bytes) -> Page:
    """A response's body as a page. Raises ValueError when it is none: cut off, no JSON, without the list."""
    try:
        return _read_page(endpoint, body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _read_page(endpoint, _strict(body))
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _read_page(endpoint: Endpoint, body: bytes) -> Page:
    envelope = endpoint.decoder.decode(body)
    raws = [bytes(raw) for raw in envelope.items]
    for raw in raws:
        raw.decode()  # msgspec does not look into what it does not decode
    counts = envelope.records or {}
    total, number, cursor = (counts.get(key) for key in ("totalRecords", "currentPageNumber", "cursor"))
    return Page(
        records=[endpoint.read(raw) for raw in raws],
        total_records=total if isinstance(total, int) else None,
        number=number if isinstance(number, int) else None,
        cursor=cursor if isinstance(cursor, str) and cursor else None,
    )


# A surrogate escape that is not half of a pair; the first two alternatives skip what must stay as it is.
_LONE_SURROGATE = re.compile(r"(\\\\|\\u[dD][89abAB]..\\u[dD][c-fC-F]..)|\\u[dD][89a-fA-F]..")


def _strict(body: bytes) -> bytes:
    """JSON that any parser accepts, from what is nearly JSON: records keep their values, not their bytes.

    Texts that were cut in the middle of an emoji end in half of one, which is no Unicode and which no
    warehouse takes; it becomes U+FFFD, as do bytes that are no UTF-8. NaN becomes null.
    """
    text = _LONE_SURROGATE.sub(lambda match: match[1] or "\ufffd", body.decode("utf-8-sig", "replace"))
    value = json.loads(text, strict=False, parse_float=Decimal, parse_constant=lambda _: None)
    return msgspec.json.Encoder(decimal_format="number").encode(value)
