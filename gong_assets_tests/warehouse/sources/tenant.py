"""The records of the simulated Gong tenant, as Gong's API returns them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gong_assets.dates import DateRange
from gong_assets.defs.resources import GongResource
from gong_assets.gong import GongClient, Page, Window, endpoints
from gong_assets.ingestion.streams import RAW_STREAMS

Json = dict[str, Any]


@dataclass
class Tenant:
    """Records of some days, by list."""

    calls: list[Json]
    transcripts: list[Json]
    users: list[Json]
    workspaces: list[Json]
    scorecards: list[Json]
    answered: list[Json]


def read_tenant(home: Path, days: DateRange) -> Tenant:
    """Read the simulated tenant of the local stack in this home."""
    gong = GongResource(simulated=True, home=str(home), max_requests_per_second=0)
    streams = {stream.table.name: stream for stream in RAW_STREAMS}

    async def read() -> Tenant:
        async with gong.client() as client:
            calls = await _records(client.calls(Window(*days.utc_bounds())))
            ids = [call["metaData"]["id"] for call in calls]
            return Tenant(
                calls,
                await _records(client.transcripts(ids)),
                await _records(client.users()),
                await _listed(client, streams["GONG_WORKSPACES_RAW"].endpoint),
                await _listed(client, streams["GONG_SCORECARDS_RAW"].endpoint),
                await _records(client.answered_scorecards(days.start, days.end)),
            )

    return asyncio.run(read())


async def _listed(client: GongClient, endpoint: endpoints.Endpoint) -> list[Json]:
    return await _records(client.list_records(endpoint, {}))


async def _records(pages: AsyncGenerator[Page, None]) -> list[Json]:
    return [json.loads(record.raw) async for page in pages for record in page.records]
