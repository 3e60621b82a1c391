"""Pages of a hundred and the cursor from one to the next.

Gong's cursor is a signed JSON Web Token (HS256) that holds the number of the next page and when it expires: an hour
after the first page, not after the latest. Paging is by offset, so a record that appears or vanishes in the meantime
shifts the pages after it. That a cursor is refused beside a changed filter is an assumption.
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
    """Cuts pages out of lists and signs the cursors between them."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()

    def page(
        self, items: Sequence[Item], cursor: str | None, *, question: str, now: datetime, expected: int = 0
    ) -> tuple[Sequence[Item], dict[str, Any]]:
        """The page that `cursor` names, the first without one, and the `records` block that describes it.

        `question` identifies the endpoint and the filter. `expected` is `totalRecords` where that runs ahead of `items`.
        Raises ApiError for a cursor that has expired, was tampered with, or belongs to another question.
        """
        number, expires = 0, now.timestamp() + CURSOR_SECONDS
        if cursor is not None:
            claims = self._read(cursor)
            if claims.get("question") != _fingerprint(question):
                raise error_responses.bad_cursor()
            number, expires = claims["pageNumber"], claims["exp"]
            if now.timestamp() >= expires:
                raise error_responses.expired_cursor()
        start = number * PAGE_SIZE
        part = items[start : start + PAGE_SIZE]
        total = max(len(items), expected)
        records: dict[str, Any] = {
            "totalRecords": total,
            "currentPageSize": len(part),
            "currentPageNumber": number,
        }
        if start + PAGE_SIZE < len(items):
            records["cursor"] = self._sign(
                {
                    "pageSize": PAGE_SIZE,
                    "total": total,
                    "pageNumber": number + 1,
                    "exp": int(expires),
                    "question": _fingerprint(question),
                }
            )
        return part, records

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


def _fingerprint(question: str) -> str:
    return hashlib.sha256(question.encode()).hexdigest()[:16]
