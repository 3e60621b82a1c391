"""Settings of a client: host, credentials, limits. No environment variable is read here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx


@dataclass(frozen=True, kw_only=True)
class GongConfig:
    """Settings of a `GongClient`.

    Raises ValueError for a base URL that is not an http(s) origin, and for numbers out of range.
    """

    auth: httpx.Auth
    """`BasicAuth`, `BearerAuth` or `RefreshingAuth`."""

    base_url: str = "https://api.gong.io"
    """A company's own regional host (`https://us-12345.api.gong.io`) is shown on its API page in Gong."""

    max_requests_per_second: float = 3
    """Gong's default limit for all integrations of a company together. 0 means no limit."""

    max_requests_per_day: int = 10_000
    """Gong's default limit for a day, counted in UTC. 0 means no limit."""

    connect_timeout_seconds: float = 10
    read_timeout_seconds: float = 60
    """The longest silence within a response. Gong takes a few seconds for a page with all fields."""

    request_timeout_seconds: float = 300
    """The longest whole request, in which 50 MB arrive at 200 kB/s. It ends a response that trickles in."""

    max_retry_wait_seconds: float = 300
    """A longer Retry-After raises `GongQuotaExhausted` instead of a wait: it means an exhausted quota."""

    state_directory: Path | None = None
    """Directory in which the processes of this machine share the request count. None: this process only."""

    def __post_init__(self) -> None:
        url = urlsplit(self.base_url)
        if url.scheme not in ("http", "https") or not url.hostname or url.query or url.fragment:
            raise ValueError("base_url must be like https://api.gong.io")
        if url.username is not None:
            raise ValueError("base_url must not contain credentials: they belong in auth")
        object.__setattr__(self, "base_url", self.base_url.rstrip("/"))
        for limit in ("max_requests_per_second", "max_requests_per_day", "max_retry_wait_seconds"):
            if getattr(self, limit) < 0:
                raise ValueError(f"{limit} must not be negative")
        for timeout in ("connect_timeout_seconds", "read_timeout_seconds", "request_timeout_seconds"):
            if getattr(self, timeout) <= 0:
                raise ValueError(f"{timeout} must be positive")

    @property
    def host(self) -> str:
        """Host, and port if given, as messages name the server."""
        return urlsplit(self.base_url).netloc
