"""The webhook of the tenant's automation rule: a signed request for each call whose processing has ended.

The request is Gong's: the header and claims of the JWT, and the payload with the call as the API shows it.
A request that fails is not repeated, since Gong documents no retries.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from base64 import b64encode
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import jwt
import orjson
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gong_assets.local.gong_tenant import call_documents
from gong_assets.local.gong_tenant.call_store import CallStore
from gong_assets.local.gong_tenant.calls import Call
from gong_assets.local.gong_tenant.request_bodies import CallsFilter, ContentSelector

POLL_SECONDS = 2
REQUEST_SECONDS = 10
TOKEN_LIFETIME = timedelta(minutes=5)
# The longest that the processing of a call takes (`calls.py`).
LONGEST_PROCESSING = timedelta(days=2)

_log = logging.getLogger(__name__)


class Webhook:
    """The rule: a URL, and the key that signs its requests."""

    def __init__(self, store: CallStore) -> None:
        self._store = store
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self._url: str | None = None
        self._polling: asyncio.Task[None] | None = None

    @property
    def public_key(self) -> str:
        """Base64 of the key in DER, as Gong's rule editor shows it."""
        der = self._key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return b64encode(der).decode()

    def register(self, url: str) -> None:
        """Announce the calls whose processing ends from now on at this URL, instead of an earlier one."""
        self._url = url
        if self._polling is None:
            self._polling = asyncio.get_running_loop().create_task(self._announce_processed())

    async def announce(self, calls: Iterable[Call]) -> None:
        """Send a request for each call, if a URL is registered."""
        if self._url is None:
            return
        async with httpx.AsyncClient(trust_env=False, timeout=REQUEST_SECONDS) as client:
            for call in calls:
                body = self._payload(call)
                try:
                    response = await client.post(self._url, content=body, headers=self._headers(body))
                    response.raise_for_status()
                except httpx.HTTPError as error:
                    _log.warning("The webhook for call %s failed: %s", call.id, error)

    def _payload(self, call: Call) -> bytes:
        company, now = self._store.company, self._store.clock.now()
        conversation = self._store.generator.conversation(call)
        selector = ContentSelector(context="Extended")
        document = call_documents.extensive(company, call, conversation, selector, now)
        return orjson.dumps({"callData": document, "isTest": False})

    def _headers(self, body: bytes) -> dict[str, str]:
        issued = datetime.now(UTC)  # The receiver checks it against its own clock.
        claims: dict[str, Any] = {
            "webhook_url": self._url,
            "body_sha256": hashlib.sha256(body).hexdigest(),
            "iat": issued,
            "exp": issued + TOKEN_LIFETIME,
        }
        token = jwt.encode(claims, self._key, algorithm="RS256")
        return {"authorization": token, "content-type": "application/json"}

    async def _announce_processed(self) -> None:
        last = self._store.clock.now()
        while True:
            await asyncio.sleep(POLL_SECONDS)
            now = self._store.clock.now()
            await self.announce(self._processed(last, now))
            last = now

    def _processed(self, after: datetime, until: datetime) -> list[Call]:
        filters = CallsFilter(from_date_time=after - LONGEST_PROCESSING, to_date_time=until)
        listed, _ = self._store.list_calls(filters)
        return [call for call in listed if after < call.lifecycle.visible_at <= until]
