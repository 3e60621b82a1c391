"""How a request proves who sends it: with a key, with a token, or with a token that renews itself.

All are `httpx.Auth`. Only that, and which host an OAuth token is good for: what is asked and how often is not
known here. Equal credentials are the same customer of Gong, and share a pacer. No repr shows a secret.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import logging
import os
import tempfile
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import filelock
import httpx
import msgspec

from gong_assets.gong.clock import SYSTEM_CLOCK, Clock
from gong_assets.gong.errors import GongAuthenticationError, GongError
from gong_assets.gong.http.error_mapping import connection_error, malformed, response_error

logger = logging.getLogger(__name__)

# Where every company's OAuth apps get their tokens, and the host that stands for all companies' own ones.
AUTHORIZATION_SERVER = "https://app.gong.io/oauth2/generate-customer-token"
ANY_CUSTOMER = httpx.URL("https://api.gong.io")
# A token is not used in its last minute: it must outlive the way of a request to Gong.
MARGIN = 60.0
# Between two looks at a lock. Whoever holds it waits for one answer of Gong's.
POLL_INTERVAL = 0.05
TOKEN_TIMEOUT = 60.0


@dataclass(frozen=True)
class BasicAuth(httpx.Auth):
    """An access key and its secret, as a Gong technical administrator creates them."""

    access_key: str = field(repr=False)
    access_key_secret: str = field(repr=False)

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        pair = f"{self.access_key}:{self.access_key_secret}".encode()
        request.headers["Authorization"] = "Basic " + base64.b64encode(pair).decode("ascii")
        yield request


@dataclass(frozen=True)
class BearerAuth(httpx.Auth):
    """An OAuth access token."""

    access_token: str = field(repr=False)

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["Authorization"] = f"Bearer {self.access_token}"
        yield request


@dataclass(frozen=True)
class RefreshingAuth(httpx.Auth):
    """An OAuth app's access to one company: access tokens that live for a day, each got with a refresh token.

    Gong takes a refresh token once, and sends the next one with each access token. So `refresh_token` is only
    where it begins: what came after it is kept in `token_file`, which processes on this machine may share.
    Without a file the next one lives in this process only, and once it has ended the app must be authorized
    again. The file belongs to one `refresh_token`: with another one configured it starts anew.

    With `use_customer_host`, requests to https://api.gong.io go to the company's own host, which Gong names
    with each token. Other base URLs stay as they are.
    """

    client_id: str
    client_secret: str = field(repr=False)
    refresh_token: str = field(repr=False)
    token_url: str = AUTHORIZATION_SERVER
    token_file: Path | None = None
    use_customer_host: bool = True
    clock: Clock = field(default=SYSTEM_CLOCK, repr=False, compare=False)

    @property
    def identity(self) -> str:
        """Whose limit the requests count against."""
        return self.client_id

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        raise RuntimeError("RefreshingAuth needs an httpx.AsyncClient")

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        url = request.url
        tokens = await self._tokens()
        response = yield self._signed(request, url, tokens)
        if response.status_code == httpx.codes.UNAUTHORIZED:
            await response.aread()
            # A missing scope is 401 as well, and is missing from a new token too.
            if isinstance(response_error(response, self.clock.now()), GongAuthenticationError):
                yield self._signed(request, url, await self._tokens(refused=tokens))

    def _signed(self, request: httpx.Request, url: httpx.URL, tokens: _Tokens) -> httpx.Request:
        if self.use_customer_host and tokens.api_base_url and _origin(url) == _origin(ANY_CUSTOMER):
            own = httpx.URL(tokens.api_base_url)
            request.url = url.copy_with(scheme=own.scheme, host=own.host, port=own.port)
            request.headers["Host"] = request.url.netloc.decode("ascii")
        request.headers["Authorization"] = f"Bearer {tokens.access_token}"
        return request

    async def _tokens(self, refused: _Tokens | None = None) -> _Tokens:
        """Tokens that are good for now, renewed if need be; not those that Gong has `refused`."""
        memory = _memories.setdefault(self, _Memory())
        if good := self._good(memory.tokens, refused):
            return good
        async with _alone(memory.lock, self.token_file):
            # Somebody else may have renewed them in the meantime.
            memory.tokens = _later(memory.tokens, _load(self.token_file, self._fingerprint))
            if good := self._good(memory.tokens, refused):
                return good
            memory.tokens = await self._renewed(memory.tokens)
            _save(self.token_file, memory.tokens)
            return memory.tokens

    def _good(self, tokens: _Tokens | None, refused: _Tokens | None) -> _Tokens | None:
        if tokens is None or (refused and tokens.access_token == refused.access_token):
            return None
        if tokens.expires_at is not None and tokens.expires_at - MARGIN <= self.clock.now().timestamp():
            return None
        return tokens

    async def _renewed(self, tokens: _Tokens | None) -> _Tokens:
        from gong_assets.gong.http.transport import DIRECT  # which imports this module

        now = self.clock.now()
        async with httpx.AsyncClient(timeout=TOKEN_TIMEOUT, mounts=dict.fromkeys(DIRECT)) as http:
            request = http.build_request(
                "POST",
                self.token_url,
                params={
                    "grant_type": "refresh_token",
                    "refresh_token": tokens.refresh_token if tokens else self.refresh_token,
                },
            )
            request.url = _UnshownUrl(request.url)
            try:
                response = await http.send(request, auth=httpx.BasicAuth(self.client_id, self.client_secret))
            except (httpx.TransportError, httpx.DecodingError) as fault:
                raise connection_error(request, fault) from fault
        if response.status_code in (httpx.codes.BAD_REQUEST, httpx.codes.UNAUTHORIZED):
            raise self._refusal(response)
        if response.status_code != httpx.codes.OK:
            raise response_error(response, now)
        renewed = _read(response.content, tokens or self, self._fingerprint, now)
        if renewed is None:
            raise malformed(response, "no access token")
        logger.info("%s: a new access token", _UnshownUrl(self.token_url))
        return renewed

    def _refusal(self, response: httpx.Response) -> GongAuthenticationError:
        kept = "" if self.token_file else "; without a token file a refresh token serves one process only"
        return GongAuthenticationError(
            f"POST {response.request.url}: {response.status_code} {_oauth_error(response.content)}; Gong takes "
            "a refresh token once, and only from its own client id and secret: authorize the app again, and "
            f"set GONG_REFRESH_TOKEN to the one that this gives{kept}",
            status=response.status_code,
            request_id=response.headers.get("X-TraceId"),
        )

    @property
    def _fingerprint(self) -> str:
        return hashlib.sha256(self.refresh_token.encode()).hexdigest()


class _Tokens(msgspec.Struct, frozen=True):
    """What Gong sent last, and the fingerprint of the configured refresh token that all began with."""

    access_token: str
    refresh_token: str
    began_with: str
    expires_at: float | None = None
    """In seconds since 1970; None where Gong does not say, and a token is good until it is refused."""
    api_base_url: str | None = None

    def __repr__(self) -> str:
        return f"_Tokens(expires_at={self.expires_at}, api_base_url={self.api_base_url!r})"


class _Memory:
    """The tokens of this process, for all clients with equal credentials."""

    def __init__(self) -> None:
        self.tokens: _Tokens | None = None
        self.lock = threading.Lock()


_memories: dict[RefreshingAuth, _Memory] = {}


class _UnshownUrl(httpx.URL):
    """A URL whose query is sent but not shown: httpx logs the URL of each request, and has it in its reprs."""

    def __str__(self) -> str:
        return str(self.copy_with(query=None))

    def __repr__(self) -> str:
        return repr(self.copy_with(query=None))


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def _later(one: _Tokens | None, other: _Tokens | None) -> _Tokens | None:
    """The one renewed last: a file that could not be written holds a refresh token that is used up."""
    if one is None or other is None:
        return one or other
    return max(other, one, key=lambda tokens: tokens.expires_at or 0.0)


def _read(body: bytes, before: _Tokens | RefreshingAuth, fingerprint: str, now: datetime) -> _Tokens | None:
    """The token server's answer; None if it holds no token."""
    try:
        answer = msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    access_token = answer.get("access_token")
    if not isinstance(access_token, str) or not access_token:
        return None
    refresh_token, lifetime = answer.get("refresh_token"), answer.get("expires_in")
    return _Tokens(
        access_token=access_token,
        refresh_token=refresh_token if isinstance(refresh_token, str) else before.refresh_token,
        began_with=fingerprint,
        expires_at=now.timestamp() + lifetime if isinstance(lifetime, int | float) else None,
        api_base_url=_base_url(answer.get("api_base_url_for_customer")),
    )


def _oauth_error(body: bytes) -> str:
    """The error code of RFC 6749, section 5.2; no other text, which could repeat what was sent."""
    with suppress(msgspec.DecodeError, UnicodeDecodeError):
        code = msgspec.json.decode(body, type=dict[str, Any]).get("error")
        if code in ("invalid_request", "invalid_client", "invalid_grant", "unauthorized_client"):
            return str(code)
    return "refused"


def _base_url(value: object) -> str | None:
    try:
        url = httpx.URL(value) if isinstance(value, str) else httpx.URL()
    except httpx.InvalidURL:
        return None
    return str(url) if url.scheme in ("http", "https") and url.host else None


@asynccontextmanager
async def _alone(lock: threading.Lock, token_file: Path | None) -> AsyncIterator[None]:
    """Within the block nobody else renews these tokens: no other thread, and no other process with the file."""
    await _until(lambda: lock.acquire(blocking=False))
    try:
        if token_file is None:
            yield
            return
        file_lock = filelock.FileLock(f"{token_file}.lock", mode=0o600, thread_local=False)
        await _until(lambda: _is_taken(file_lock))
        try:
            yield
        finally:
            file_lock.release()
    finally:
        lock.release()


async def _until(succeeds: Callable[[], bool]) -> None:
    """Looks again and again: to wait in the lock itself would hold up the event loop."""
    while not succeeds():  # noqa: ASYNC110 - there is no event for what another process does
        await asyncio.sleep(POLL_INTERVAL)


def _is_taken(lock: filelock.BaseFileLock) -> bool:
    try:
        lock.acquire(blocking=False)
    except filelock.Timeout:
        return False
    except OSError as error:
        raise GongError(f"the token file cannot be kept: {error}") from error
    return True


def _load(path: Path | None, fingerprint: str) -> _Tokens | None:
    """The tokens in the file, unless they are of another authorization than the configured one."""
    if path is None:
        return None
    try:
        tokens = msgspec.json.decode(path.read_bytes(), type=_Tokens)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise GongError(f"the token file cannot be read: {error}") from error
    except (msgspec.DecodeError, UnicodeDecodeError):
        logger.warning("%s holds no tokens, and is written anew", path)
        return None
    return tokens if tokens.began_with == fingerprint else None


def _save(path: Path | None, tokens: _Tokens) -> None:
    """Replace the file in one step, readable for its owner only."""
    if path is None:
        return
    try:
        descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=f"{path.name}.")
        try:
            with open(descriptor, "wb") as file:
                file.write(msgspec.json.encode(tokens))
                file.flush()
                os.fsync(descriptor)
            os.replace(draft, path)
        except BaseException:
            with suppress(OSError):
                os.unlink(draft)
            raise
    except OSError as error:
        # This process can go on: it has the tokens. The next one cannot.
        logger.error("the next start needs a new authorization: %s cannot be written (%s)", path, error)
