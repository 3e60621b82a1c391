"""OAuth access to one company: access tokens that live for a day, each obtained with a refresh token."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
import threading
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any

import filelock
import httpx
import msgspec

from gong_assets.gong.clock import SYSTEM_CLOCK, Clock
from gong_assets.gong.errors import GongAuthenticationError, GongError
from gong_assets.gong.http import DIRECT_HOSTS
from gong_assets.gong.http.error_mapping import connection_error, malformed_error, response_error
from gong_assets.security.private_files import replace_private_file

logger = logging.getLogger(__name__)

# Where OAuth apps get the tokens of all companies, and the API's host if a company's own one is not known.
AUTHORIZATION_SERVER = "https://app.gong.io/oauth2/generate-customer-token"
DEFAULT_API_ORIGIN = httpx.URL("https://api.gong.io")
# Refresh a minute before expiry so that a token cannot expire in flight.
EXPIRY_MARGIN = 60.0
# Between two attempts to lock. The lock is held while Gong answers one request.
POLL_INTERVAL = 0.05
TOKEN_TIMEOUT = 60.0


@dataclass(frozen=True)
class RefreshingAuth(httpx.Auth):
    """An OAuth app's access to one company.

    Gong accepts a refresh token once, and returns the next one with each access token. `refresh_token` is the
    initial one; later ones are stored in `token_file`, which processes on this machine may share. Without a
    file they are lost when the process ends, and the app must be authorized again. The file belongs to one
    initial token: with another one configured, it is replaced.

    With `use_customer_host`, requests to https://api.gong.io go to the company's own host, which Gong returns
    with each token. Other base URLs are not changed.
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
        """The client id: requests count against it."""
        return self.client_id

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        raise RuntimeError("RefreshingAuth needs an httpx.AsyncClient")

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        url = request.url
        tokens = await self._tokens()
        response = yield self._signed(request, url, tokens)
        if response.status_code == httpx.codes.UNAUTHORIZED:
            await response.aread()
            # A missing scope is 401 as well, and a new token would not have it either.
            if isinstance(response_error(response, self.clock.now()), GongAuthenticationError):
                yield self._signed(request, url, await self._tokens(refused=tokens))

    def _signed(self, request: httpx.Request, url: httpx.URL, tokens: _Tokens) -> httpx.Request:
        if self.use_customer_host and tokens.api_base_url and _origin(url) == _origin(DEFAULT_API_ORIGIN):
            own = httpx.URL(tokens.api_base_url)
            request.url = url.copy_with(scheme=own.scheme, host=own.host, port=own.port)
            request.headers["Host"] = request.url.netloc.decode("ascii")
        request.headers["Authorization"] = f"Bearer {tokens.access_token}"
        return request

    async def _tokens(self, refused: _Tokens | None = None) -> _Tokens:
        """Return tokens that are valid now, renewed if necessary; not those that Gong has `refused`."""
        cached = _token_cache.setdefault(self, _CachedTokens())
        if usable := self._usable(cached.tokens, refused):
            return usable
        async with AsyncFileLock(cached.lock, self.token_file):
            # Another thread or process may have renewed them in the meantime.
            cached.tokens = _newest(cached.tokens, _load(self.token_file, self._fingerprint))
            if usable := self._usable(cached.tokens, refused):
                return usable
            renewal = asyncio.create_task(self._renew(cached))
            try:
                return await asyncio.shield(renewal)
            except asyncio.CancelledError:
                # Gong accepts the refresh token once, so the next one must be stored before this task ends.
                with suppress(Exception):
                    await renewal
                raise

    def _usable(self, tokens: _Tokens | None, refused: _Tokens | None) -> _Tokens | None:
        """Return the tokens if they have neither been refused nor expire soon."""
        if tokens is None or (refused and tokens.access_token == refused.access_token):
            return None
        if (
            tokens.expires_at is not None
            and tokens.expires_at - EXPIRY_MARGIN <= self.clock.now().timestamp()
        ):
            return None
        return tokens

    async def _renew(self, cached: _CachedTokens) -> _Tokens:
        """Request new tokens, and store them in the cache and the token file."""
        now, tokens = self.clock.now(), cached.tokens
        response = await self._request_tokens(tokens.refresh_token if tokens else self.refresh_token)
        if response.status_code in (httpx.codes.BAD_REQUEST, httpx.codes.UNAUTHORIZED):
            raise self._rejection(response)
        if response.status_code != httpx.codes.OK:
            raise response_error(response, now)
        renewed = _parse(response.content, tokens or self, self._fingerprint, now)
        if renewed is None:
            raise malformed_error(response, "no access token")
        logger.info("%s: received a new access token", _RedactedUrl(self.token_url))
        cached.tokens = renewed
        _save(self.token_file, renewed)
        return renewed

    async def _request_tokens(self, refresh_token: str) -> httpx.Response:
        async with httpx.AsyncClient(timeout=TOKEN_TIMEOUT, mounts=dict.fromkeys(DIRECT_HOSTS)) as http:
            params = {"grant_type": "refresh_token", "refresh_token": refresh_token}
            request = http.build_request("POST", self.token_url, params=params)
            request.url = _RedactedUrl(request.url)
            try:
                return await http.send(request, auth=httpx.BasicAuth(self.client_id, self.client_secret))
            except (httpx.TransportError, httpx.DecodingError) as fault:
                raise connection_error(request, fault) from fault

    def _rejection(self, response: httpx.Response) -> GongAuthenticationError:
        hint = "" if self.token_file else "; without a token file a refresh token serves one process only"
        return GongAuthenticationError(
            f"POST {response.request.url}: {response.status_code} {_oauth_error(response.content)}; Gong "
            "accepts a refresh token once, and only with its own client id and secret: authorize the app "
            f"again, and set GONG_REFRESH_TOKEN to the new token{hint}",
            status=response.status_code,
            request_id=response.headers.get("X-TraceId"),
        )

    @property
    def _fingerprint(self) -> str:
        return _fingerprint(self.refresh_token)


def token_file(directory: Path, refresh_token: str) -> Path:
    """Return the file for the tokens that descend from this refresh token. Companies can share the directory.

    Version 0.1 had one file, which is renamed if its tokens descend from this one.
    """
    fingerprint = _fingerprint(refresh_token)
    file, previous = directory / f"oauth_token_{fingerprint[:16]}.json", directory / "oauth_token.json"
    if not file.exists() and _load(previous, fingerprint):
        with suppress(FileNotFoundError):  # Another process has renamed it.
            os.replace(previous, file)
    return file


def _fingerprint(refresh_token: str) -> str:
    return hashlib.sha256(refresh_token.encode()).hexdigest()


class _Tokens(msgspec.Struct, frozen=True):
    """The tokens that Gong returned last."""

    access_token: str
    refresh_token: str
    # The name in existing token files.
    root_fingerprint: str = msgspec.field(name="began_with")
    """Identifies the configured refresh token that these tokens descend from."""
    expires_at: float | None = None
    """Seconds since 1970. None if Gong does not say: then the token is valid until it is refused."""
    api_base_url: str | None = None

    def __repr__(self) -> str:
        return f"_Tokens(expires_at={self.expires_at}, api_base_url={self.api_base_url!r})"


class _CachedTokens:
    """The tokens that all clients of this process with equal credentials share."""

    def __init__(self) -> None:
        self.tokens: _Tokens | None = None
        self.lock = threading.Lock()


_token_cache: dict[RefreshingAuth, _CachedTokens] = {}


class _RedactedUrl(httpx.URL):
    """A URL that hides its query: httpx logs the URL of each request and shows it in reprs."""

    def __str__(self) -> str:
        return str(self.copy_with(query=None))

    def __repr__(self) -> str:
        return repr(self.copy_with(query=None))


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def _newest(one: _Tokens | None, other: _Tokens | None) -> _Tokens | None:
    """Return the tokens renewed last: a file that could not be written holds a used refresh token."""
    if one is None or other is None:
        return one or other
    return max(other, one, key=lambda tokens: tokens.expires_at or 0.0)


def _parse(body: bytes, before: _Tokens | RefreshingAuth, fingerprint: str, now: datetime) -> _Tokens | None:
    """Return the tokens in the server's response; None if it has none."""
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
        root_fingerprint=fingerprint,
        expires_at=now.timestamp() + lifetime if isinstance(lifetime, int | float) else None,
        api_base_url=_base_url(answer.get("api_base_url_for_customer")),
    )


def _oauth_error(body: bytes) -> str:
    """Return the error code of RFC 6749, section 5.2, and no other text: it could repeat a secret."""
    with suppress(msgspec.DecodeError, UnicodeDecodeError):
        code = msgspec.json.decode(body, type=dict[str, Any]).get("error")
        if code in ("invalid_request", "invalid_client", "invalid_grant", "unauthorized_client"):
            return str(code)
    return "rejected"


def _base_url(value: object) -> str | None:
    try:
        url = httpx.URL(value) if isinstance(value, str) else httpx.URL()
    except httpx.InvalidURL:
        return None
    return str(url) if url.scheme in ("http", "https") and url.host else None


class AsyncFileLock:
    """Mutual exclusion of threads by a lock and, if there is a token file, of processes by a lock file.

    It polls both locks, since waiting in one would block the event loop.
    """

    def __init__(self, thread_lock: threading.Lock, token_file: Path | None) -> None:
        self._thread_lock = thread_lock
        self._file_lock = (
            filelock.FileLock(f"{token_file}.lock", mode=0o600, thread_local=False) if token_file else None
        )

    async def __aenter__(self) -> None:
        await _poll(lambda: self._thread_lock.acquire(blocking=False))
        try:
            await _poll(self._try_file_lock)
        except BaseException:
            self._thread_lock.release()
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            if self._file_lock is not None:
                self._file_lock.release()
        finally:
            self._thread_lock.release()

    def _try_file_lock(self) -> bool:
        if self._file_lock is None:
            return True
        try:
            self._file_lock.acquire(blocking=False)
        except filelock.Timeout:
            return False
        except OSError as error:
            raise GongError(f"cannot lock the token file: {error}") from error
        return True


async def _poll(succeeds: Callable[[], bool]) -> None:
    while not succeeds():  # noqa: ASYNC110 - no event reports what another process does
        await asyncio.sleep(POLL_INTERVAL)


def _load(path: Path | None, fingerprint: str) -> _Tokens | None:
    """Return the tokens in the file, unless they descend from another refresh token."""
    if path is None:
        return None
    try:
        tokens = msgspec.json.decode(path.read_bytes(), type=_Tokens)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise GongError(f"cannot read the token file: {error}") from error
    except (msgspec.DecodeError, UnicodeDecodeError):
        logger.warning("%s has no tokens and will be replaced", path)
        return None
    return tokens if tokens.root_fingerprint == fingerprint else None


def _save(path: Path | None, tokens: _Tokens) -> None:
    """Replace the file atomically, readable for its owner only."""
    if path is None:
        return
    try:
        replace_private_file(path, msgspec.json.encode(tokens).decode())
    except OSError as error:
        # This process has the tokens and can continue. The next one cannot.
        logger.error("cannot write %s (%s): the next process needs a new authorization", path, error)
