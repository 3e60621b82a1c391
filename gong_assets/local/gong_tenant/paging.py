"""Pages of 100 items and the cursors between them.

Gong's cursor is a signed JSON Web Token (HS256) with the number of the next page and its expiry, one hour
after the first page. Paging is by offset, so a record that is added or removed in the meantime shifts the
following pages. It is an assumption that a cursor is invalid for another filter.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypeVar

from gong_assets.local.gong_tenant import error_responses

PAGE_SIZE = 100
CURSOR_SECONDS = 3600
HEADER = b'{"alg":"HS256"}'

Item = TypeVar("Item")


class Pager:
    """Splits lists into pages and signs the cursors."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()

    def page(
        self, items: Sequence[Item], cursor: str | None, *, query: str, now: datetime, expected_total: int = 0
    ) -> tuple[Sequence[Item], dict[str, Any]]:
        """Return the page of ``cursor`` (the first page if None) and the ``records`` block that describes it.

        ``query`` identifies the endpoint and the filter. ``expected_total`` is ``totalRecords`` if it exceeds
        the number of items. Raises ApiError for a cursor that is expired, forged, or of another query.
        """
        number, expires = 0, now.timestamp() + CURSOR_SECONDS
        if cursor is not None:
            claims = self._read(cursor)
            if claims.get("query") != _fingerprint(query):
                raise error_responses.bad_cursor()
            number, expires = claims["pageNumber"], claims["exp"]
            if now.timestamp() >= expires:
                raise error_responses.expired_cursor()
        start = number * PAGE_SIZE
        page = items[start : start + PAGE_SIZE]
        total = max(len(items), expected_total)
        records: dict[str, Any] = {
            "totalRecords": total,
            "currentPageSize": len(page),
            "currentPageNumber": number,
        }
        if start + PAGE_SIZE < len(items):
            records["cursor"] = self._sign(
                {
                    "pageSize": PAGE_SIZE,
                    "total": total,
                    "pageNumber": number + 1,
                    "exp": int(expires),
                    "query": _fingerprint(query),
                }
            )
        return page, records

    def _sign(self, claims: dict[str, Any]) -> str:
        content = f"{_encode(HEADER)}.{_encode(json.dumps(claims).encode())}"
        return f"{content}.{self._signature(content)}"

    def _read(self, cursor: str) -> dict[str, Any]:
        content, _, signature = cursor.rpartition(".")
        if not hmac.compare_digest(signature.encode(), self._signature(content).encode()):
            raise error_responses.bad_cursor()
        payload = content.partition(".")[2]
        claims: dict[str, Any] = json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return claims

    def _signature(self, content: str) -> str:
        return _encode(hmac.digest(self._secret, content.encode(), "sha256"))


def _encode(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")


def _fingerprint(query: str) -> str:
    return hashlib.sha256(query.encode()).hexdigest()[:16]
