"""The open sessions, and the cleanup of sessions whose client disconnected."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor

from gong_assets.local.snowflake.server.session import Login, Session
from gong_assets.local.snowflake.storage.databases import Storage
from gong_assets.local.snowflake.storage.writer_lock import WriterLock

# The connector reconnects at once after it loses a TCP connection. A client that does not is dead.
DISCONNECT_GRACE_SECONDS = 2.0
# Snowflake ends a session after four hours without a statement:
# https://docs.snowflake.com/en/user-guide/session-policies
IDLE_SECONDS = 4 * 3600

ClientAddress = tuple[str, int]


class SessionRegistry:
    """The sessions of a server by token. All methods run on the server's event loop."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._lock = WriterLock()
        self._by_token: dict[str, Session] = {}
        self._addresses: dict[str, set[ClientAddress]] = {}
        self._connected: set[ClientAddress] = set()
        self._unreachable: set[str] = set()
        # Opening a session may create a database, so it must not block the event loop. One thread, so that
        # two logins cannot create the same database at the same time.
        self._login_thread = ThreadPoolExecutor(1, thread_name_prefix="login")

    async def open(self, login: Login) -> Session:
        """Open a session for a client."""
        session = await asyncio.get_running_loop().run_in_executor(
            self._login_thread, Session, self._storage, self._lock, login
        )
        self._by_token[session.token] = session
        self._addresses[session.token] = set()
        return session

    def get(self, token: str, address: ClientAddress | None) -> Session | None:
        """Return the session with ``token`` and record that the client at ``address`` uses it."""
        session = self._by_token.get(token)
        if session is not None and address is not None:
            self._addresses[token].add(address)
        return session

    async def close(self, token: str) -> None:
        """Close a session, which rolls back its open transaction."""
        self._addresses.pop(token, None)
        if session := self._by_token.pop(token, None):
            await asyncio.to_thread(session.close)

    def connection_made(self, address: ClientAddress) -> None:
        """Record that a client opened a TCP connection."""
        self._connected.add(address)

    def connection_lost(self, address: ClientAddress) -> None:
        """Record that a TCP connection ended; a request that arrived over it may still be running."""
        self._connected.discard(address)
        for addresses in self._addresses.values():
            addresses.discard(address)  # The next client with this port is another one.

    async def close_abandoned(self) -> None:
        """Close sessions with an open transaction and no TCP connection at this and the previous check."""
        unreachable = {token for token in self._by_token if self._is_unreachable(token)}
        for token in unreachable & self._unreachable:
            await self.close(token)
        self._unreachable = unreachable

    async def close_idle(self) -> None:
        """Close sessions that have been idle for four hours."""
        now = time.monotonic()
        for token in [t for t, session in self._by_token.items() if now - session.last_used > IDLE_SECONDS]:
            await self.close(token)

    def cancel_all(self) -> None:
        """Interrupt all running statements."""
        for session in self._by_token.values():
            session.cancel()

    async def close_all(self) -> None:
        """Close all sessions."""
        await asyncio.gather(*(self.close(token) for token in list(self._by_token)))

    def _is_unreachable(self, token: str) -> bool:
        session = self._by_token.get(token)
        return (
            session is not None
            and session.connection.transaction.open
            and self._addresses[token].isdisjoint(self._connected)
        )
