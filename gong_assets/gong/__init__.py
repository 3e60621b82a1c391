"""Client for reading Gong's public API.

It reads complete lists of calls, transcripts, users, settings, the library, reviews and statistics, as fast
as Gong's rate limit allows. It needs no Dagster, no warehouse and no environment variables. At a prompt
(`python -m asyncio`):

    >>> from datetime import UTC, datetime
    >>> from gong_assets.gong import BasicAuth, Call, GongClient, GongConfig, Window
    >>> config = GongConfig(base_url="https://us-12345.api.gong.io", auth=BasicAuth("key", "secret"))
    >>> march = Window(datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC))
    >>> async with GongClient(config) as gong:
    ...     async for page in gong.calls(march):
    ...         for record in page.records:
    ...             print(record.started, record.id, Call.model_validate_json(record.raw).meta_data.title)

or without asyncio:

    >>> from gong_assets.gong import iterate
    >>> for page in iterate(config, lambda gong: gong.calls(march)):
    ...     print(len(page.records), "of", page.total_records)

Each record keeps its JSON byte for byte in `raw`; `Call`, `Transcript` and `User` parse it. `errors.py` lists
the errors. `http/` sends one request; `pages/` reads lists of many pages.
"""

from gong_assets.gong.auth import BasicAuth, BearerAuth
from gong_assets.gong.blocking import iterate
from gong_assets.gong.client import GongClient, Progress, first_call_date
from gong_assets.gong.clock import Clock
from gong_assets.gong.config import GongConfig
from gong_assets.gong.endpoints import Endpoint, list_endpoint
from gong_assets.gong.errors import (
    GongAuthenticationError,
    GongBadRequestError,
    GongConnectionError,
    GongCursorError,
    GongCursorExpiredError,
    GongError,
    GongMalformedResponseError,
    GongNotFoundError,
    GongPermissionError,
    GongQuotaExhausted,
    GongRateLimitedError,
    GongResponseError,
    GongServerError,
)
from gong_assets.gong.http.transport import RequestStats
from gong_assets.gong.models import Call, Transcript, User
from gong_assets.gong.oauth import RefreshingAuth
from gong_assets.gong.pages.call_reader import CallReader, TranscriptPage
from gong_assets.gong.pages.pagination import Page
from gong_assets.gong.records import Record, content_hash, validation_error
from gong_assets.gong.window import Window

__all__ = [
    "BasicAuth",
    "BearerAuth",
    "Call",
    "CallReader",
    "Clock",
    "Endpoint",
    "GongAuthenticationError",
    "GongBadRequestError",
    "GongClient",
    "GongConfig",
    "GongConnectionError",
    "GongCursorError",
    "GongCursorExpiredError",
    "GongError",
    "GongMalformedResponseError",
    "GongNotFoundError",
    "GongPermissionError",
    "GongQuotaExhausted",
    "GongRateLimitedError",
    "GongResponseError",
    "GongServerError",
    "Page",
    "Progress",
    "Record",
    "RefreshingAuth",
    "RequestStats",
    "Transcript",
    "TranscriptPage",
    "User",
    "Window",
    "content_hash",
    "first_call_date",
    "iterate",
    "list_endpoint",
    "validation_error",
]
