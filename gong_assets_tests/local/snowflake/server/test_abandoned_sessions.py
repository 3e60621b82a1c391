"""Cleanup of sessions whose client died."""

from __future__ import annotations

import asyncio
from pathlib import Path

from gong_assets.local.snowflake.server.session import Login
from gong_assets.local.snowflake.server.session_registry import SessionRegistry
from gong_assets.local.snowflake.storage.databases import Storage

PEER = ("127.0.0.1", 50_000)


def is_closed(
    tmp_path: Path, *, dies_before_its_request_is_answered: bool, port_is_used_again: bool = False
) -> bool:
    """Return whether the second check closes a session that lost its only connection in a transaction."""
    storage = Storage(tmp_path)

    async def run() -> bool:
        sessions = SessionRegistry(storage)
        session = await sessions.open(Login(user="TESTER"))
        sessions.connection_made(PEER)
        if dies_before_its_request_is_answered:
            # The request arrived before the connection was lost, so it is still processed.
            sessions.connection_lost(PEER)
        assert sessions.get(session.token, PEER) is session
        session.connection.transaction.begin()
        sessions.connection_lost(PEER)
        if port_is_used_again:
            sessions.connection_made(PEER)
        await sessions.close_abandoned()
        assert sessions.get(session.token, None) is session, "the client may reconnect"
        await sessions.close_abandoned()
        ended = sessions.get(session.token, None) is None
        await sessions.close_all()
        return ended

    try:
        return asyncio.run(run())
    finally:
        storage.close()


def test_a_session_whose_client_died_in_a_transaction_is_closed(tmp_path: Path) -> None:
    assert is_closed(tmp_path, dies_before_its_request_is_answered=False)


def test_a_session_whose_client_died_during_a_request_is_closed(tmp_path: Path) -> None:
    assert is_closed(tmp_path, dies_before_its_request_is_answered=True)


def test_a_client_that_gets_the_port_of_a_dead_one_does_not_keep_its_session(tmp_path: Path) -> None:
    assert is_closed(tmp_path, dies_before_its_request_is_answered=False, port_is_used_again=True)
