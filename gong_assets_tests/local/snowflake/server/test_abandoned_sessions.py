"""A client that died: its session ends, whatever the client was doing."""

from __future__ import annotations

import asyncio
from pathlib import Path

from gong_assets.local.snowflake.server.session import Login
from gong_assets.local.snowflake.server.session_registry import SessionRegistry
from gong_assets.local.snowflake.storage.databases import Storage

PEER = ("127.0.0.1", 50_000)


def ends(tmp_path: Path, *, dies_before_its_request_is_answered: bool) -> bool:
    """Whether a session in a transaction, whose client's only connection is lost, is ended by the second check."""
    storage = Storage(tmp_path)

    async def run() -> bool:
        sessions = SessionRegistry(storage)
        session = await sessions.open(Login(user="TESTER"))
        sessions.connection_made(PEER)
        if dies_before_its_request_is_answered:
            # The request had arrived when the connection went away: it is worked on all the same.
            sessions.connection_lost(PEER)
        assert sessions.get(session.token, PEER) is session
        session.connection.transaction.begin()
        sessions.connection_lost(PEER)
        await sessions.close_abandoned()
        assert sessions.get(session.token, None) is session, "it may come back over another connection"
        await sessions.close_abandoned()
        ended = sessions.get(session.token, None) is None
        await sessions.close_all()
        return ended

    try:
        return asyncio.run(run())
    finally:
        storage.close()


def test_a_session_whose_client_died_in_a_transaction_ends(tmp_path: Path) -> None:
    assert ends(tmp_path, dies_before_its_request_is_answered=False)


def test_a_session_whose_client_died_while_its_request_waited_ends_too(tmp_path: Path) -> None:
    assert ends(tmp_path, dies_before_its_request_is_answered=True)
