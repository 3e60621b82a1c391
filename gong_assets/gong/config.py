"""What a client is told: where Gong is, who asks, and how hard it may ask. No environment is read here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from gong_assets.gong.auth import BasicAuth, BearerAuth, RefreshingAuth


@dataclass(frozen=True, kw_only=True)
class GongConfig:
    """The settings of a `GongClient`.

    Raises ValueError for a base URL that is no http(s) origin, and for numbers that make no sense.
    """

    auth: BasicAuth | BearerAuth | RefreshingAuth
    base_url: str = "https://api.gong.io"
    """A company's own regional host (`https://us-12345.api.gong.io`) is shown on its API page in Gong."""

    max_requests_per_second: float = 3
    """Gong's default limit for a company, over all of its integrations. 0: no limit."""

    max_requests_per_day: int = 10_000
    """The same, for a day. 0: no limit."""

    connect_timeout_seconds: float = 10
    read_timeout_seconds: float = 60
    """The longest silence within a response. A page with every field takes Gong seconds, not tens of them."""

    request_timeout_seconds: float = 300
    """The longest whole request: a response that trickles in ends too; 50 MB arrive in it at 200 kB/s."""

    max_retry_wait_seconds: float = 300
    """A Retry-After beyond this is a spent quota, not a burst: `GongQuotaExhausted` instead of a sleep."""

    state_directory: Path | None = None
    """Where processes of this machine share the count of requests; None: only within this process."""

    def __post_init__(self) -> None:
        url = urlsplit(self.base_url)
        if url.scheme not in ("http", "https") or not url.hostname or url.query or url.fragment:
            raise ValueError("base_url must be like https://api.gong.io")
        if url.username is not None:
            raise ValueError("base_url must hold no credentials: they belong in auth")
        object.__setattr__(self, "base_url", self.base_url.rstrip("/"))
        for limit in ("max_requests_per_second", "max_requests_per_day", "max_retry_wait_seconds"):
            if getattr(self, limit) < 0:
                raise ValueError(f"{limit} must not be negative")
        for timeout in ("connect_timeout_seconds", "read_timeout_seconds", "request_timeout_seconds"):
            if getattr(self, timeout) <= 0:
                raise ValueError(f"{timeout} must be positive")

    @property
    def host(self) -> str:
        """Host, and port if given: how messages name the server."""
        return urlsplit(self.base_url).netloc
