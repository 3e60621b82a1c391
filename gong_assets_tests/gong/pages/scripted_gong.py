"""A Gong with scripted responses, and helpers for tests of its lists."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

from gong_assets.gong import (
    GongClient,
    Page,
)
from gong_assets_tests.gong.fake_gong import FakeGong, GongRequest, Response, json_response
from gong_assets_tests.gong.helpers import ReadResult, local_config, read
from gong_assets_tests.gong.http_server import serving

ReadList = Callable[[GongClient], AsyncIterator[Page]]

# Unusual formatting, since records must keep these bytes, and not only the values.
UNUSUAL = '"n": 1.50,  "text": "caf\\u00e9 \U0001f642", "big": 99999999999999999999'


class ScriptedGong(FakeGong):
    """Responds with `script(request)`."""

    def __init__(self, script: Callable[[GongRequest], Response]) -> None:
        super().__init__()
        self.script = script

    def respond(self, request: GongRequest) -> Response:
        self.log.append(request)
        return self.script(request)


def listing(key: str, *elements: str) -> Response:
    """Return a list without pages as Gong sends it: without `records`."""
    return Response(200, f'{{"requestId": "x", "{key}": [{", ".join(elements)}]}}'.encode())


def read_from(gong: FakeGong, read_list: ReadList) -> ReadResult:
    async def work() -> ReadResult:
        async with serving(gong) as server:
            return await read(local_config(server.base_url), read_list)

    return asyncio.run(work())


def pages_of(key: str, documents: Sequence[Any], size: int = 100) -> Callable[[GongRequest], Response]:
    def script(request: GongRequest) -> Response:
        first = int(request.cursor or 0)
        cursor = {"cursor": str(first + size)} if first + size < len(documents) else {}
        return json_response(
            200,
            {"records": {"totalRecords": len(documents), **cursor}, key: documents[first : first + size]},
        )

    return script
