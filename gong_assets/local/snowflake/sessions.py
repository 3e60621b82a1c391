"""The open sessions: who they belong to, and what happens to one whose client is gone."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor

from gong_assets.local.snowflake.locks import WriterLock
from gong_assets.local.snowflake.session import Login, Session
from gong_assets.local.snowflake.storage import Storage

# The connector opens a new TCP connection at once when it lost one; a client that does not is dead.
DISCONNECT_GRACE_SECONDS = 2.0
# Snowflake ends a session after four hours without a statement:
# https://docs.snowflake.com/en/user-guide/session-policies
IDLE_SECONDS = 4 * 3600

Peer = tuple[str, int]


class Sessions:
    """The sessions of a server by their tokens. Its methods run on the server's event loop."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._lock = WriterLock()
        self._by_token: dict[str, Session] = {}
        self._peers: dict[str, set[Peer]] = {}
        self._connected: set[Peer] = set()
        self._abandoned: set[str] = set()
        # Logging in may create a database, and ending a session waits for its statement: neither on the loop.
        # One thread, so that two logins do not create the same database at the same time.
        self._openers = ThreadPoolExecutor(1, thread_name_prefix="login")

    async def open(self, login: Login) -> Session:
        """Log a client in."""
        session = await asyncio.get_running_loop().run_in_executor(
            self._openers, Session, self._storage, self._lock, login
        )
        self._by_token[session.token] = session
        self._peers[session.token] = set()
        return session

    def get(self, token: str, peer: Peer | None) -> Session | None:
        """The session with ``token``, noting that it is used over the connection from ``peer``."""
        session = self._by_token.get(token)
        if session is not None and peer is not None:
            self._peers[token].add(peer)
        return session

    async def close(self, token: str) -> None:
        """End a session: its open transaction is rolled back, and what it had is freed."""
        self._peers.pop(token, None)
        if session := self._by_token.pop(token, None):
            await asyncio.to_thread(session.close)

    def connection_made(self, peer: Peer) -> None:
        """A client has opened a TCP connection."""
        self._connected.add(peer)

    def connection_lost(self, peer: Peer) -> None:
        """A TCP connection went away; a request that came over it may still have to be answered."""
        self._connected.discard(peer)

    async def close_abandoned(self) -> None:
        """End the sessions that were left with an open transaction and no connection since the call before."""
        left = {token for token in self._by_token if self._is_abandoned(token)}
        for token in left & self._abandoned:
            await self.close(token)
        self._abandoned = left

    async def close_idle(self) -> None:
        """End the sessions that have run nothing for four hours."""
        now = time.monotonic()
        for token in [t for t, session in self._by_token.items() if now - session.last_used > IDLE_SECONDS]:
            await self.close(token)

    def cancel_all(self) -> None:
        """Stop every running statement."""
        for session in self._by_token.values():
            session.cancel()

    async def close_all(self) -> None:
        """End every session."""
        await asyncio.gather(*(self.close(token) for token in list(self._by_token)))

    def _is_abandoned(self, token: str) -> bool:
        session = self._by_token.get(token)
        return (
            session is not None
            and session.transaction.open
            and self._peers[token].isdisjoint(self._connected)
        )
