"""OAuth tokens are stored in a file, and renewed once for all clients and processes."""

from __future__ import annotations

import asyncio
import os
import stat
import sys
from dataclasses import replace
from pathlib import Path

import filelock
import msgspec
import pytest

from gong_assets.gong import (
    GongAuthenticationError,
    GongError,
    RefreshingAuth,
)
from gong_assets.gong import oauth as oauth_module
from gong_assets_tests.gong.fake_gong import Response, json_response
from gong_assets_tests.gong.http_server import HttpServer, send, serving
from gong_assets_tests.gong.oauth_server import (
    DAY,
    AuthorizingGong,
    MovedClock,
    app,
    authorizing,
    new_process,
    read_users,
    restart,
    run,
)

__all__ = ["new_process"]  # the fixture is used by every test


def test_the_next_process_continues_with_the_stored_tokens(tmp_path: Path) -> None:
    gong = AuthorizingGong()

    async def work() -> None:
        async with authorizing(gong, tmp_path / "token.json") as (server, auth):
            await read_users(auth, server.base_url)
            restart()
            await read_users(auth, server.base_url)
            assert len(gong.renewals) == 1
            restart()
            await read_users(replace(auth, clock=MovedClock(DAY)), server.base_url)
            assert len(gong.renewals) == 2

    run(work())


def test_only_the_owner_can_read_the_token_file_and_no_draft_is_left(tmp_path: Path) -> None:
    path = tmp_path / "state" / "token.json"
    gong = AuthorizingGong()

    async def work() -> None:
        async with authorizing(gong, path, clock=MovedClock(DAY)) as (server, auth):
            await read_users(auth, server.base_url)
            path.chmod(0o644)
            gong.accepts_tokens = False
            with pytest.raises(GongAuthenticationError):
                await read_users(auth, server.base_url)

    run(work())
    assert len(gong.renewals) == 2
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert sorted(each.name for each in path.parent.iterdir()) == ["token.json", "token.json.lock"]
    stored = msgspec.json.decode(path.read_bytes())
    assert stored["refresh_token"] == "refresh-6182-2"
    assert "refresh-6182-0" not in path.read_text()


def test_a_token_file_of_another_authorization_is_ignored(tmp_path: Path) -> None:
    path = tmp_path / "token.json"
    used, new = AuthorizingGong(), AuthorizingGong()

    async def work() -> None:
        async with authorizing(used, path) as (server, auth):
            await read_users(auth, server.base_url)
        new.renewals = [*used.renewals] * 5  # the app was authorized again, with refresh-6182-5
        async with authorizing(new, path, refresh_token="refresh-6182-5") as (server, auth):
            await read_users(auth, server.base_url)

    run(work())
    assert len(new.renewals) == 6


def test_the_token_file_of_an_earlier_version_is_renamed_for_its_own_refresh_token(tmp_path: Path) -> None:
    gong = AuthorizingGong()

    async def work() -> None:
        async with authorizing(gong, tmp_path / "oauth_token.json") as (server, auth):
            await read_users(auth, server.base_url)
            restart()
            assert not oauth_module.token_file(tmp_path, "another").exists()
            renamed = oauth_module.token_file(tmp_path, auth.refresh_token)
            await read_users(replace(auth, token_file=renamed), server.base_url)

    run(work())
    assert len(gong.renewals) == 1
    assert not (tmp_path / "oauth_token.json").exists()


def test_a_token_file_without_tokens_is_replaced(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "token.json"
    path.write_text('{"access_token": ')
    gong = AuthorizingGong()

    async def work() -> None:
        async with authorizing(gong, path) as (server, auth):
            await read_users(auth, server.base_url)

    run(work())
    assert msgspec.json.decode(path.read_bytes())["access_token"] == "access-9037-1"
    assert "will be replaced" in caplog.text


def test_an_impossible_token_file_is_an_error_before_a_refresh_token_is_used(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    gong = AuthorizingGong()

    async def work() -> None:
        async with authorizing(gong, tmp_path / "file" / "token.json") as (server, auth):
            with pytest.raises(GongError, match="token file"):
                await read_users(auth, server.base_url)

    run(work())
    assert gong.renewals == []


def test_on_a_full_disk_this_process_continues_and_warns_about_the_next_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    gong = AuthorizingGong()
    path = tmp_path / "token.json"

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    async def work() -> None:
        async with authorizing(gong, path) as (server, auth):
            await read_users(auth, server.base_url)
            monkeypatch.setattr(os, "replace", full)
            for _ in range(2):
                gong.revoke()
                await read_users(auth, server.base_url)

    run(work())
    assert len(gong.renewals) == 3
    assert "No space left" in caplog.text
    assert sorted(each.name for each in tmp_path.iterdir()) == ["token.json", "token.json.lock"]


def test_concurrent_requests_renew_the_token_once(tmp_path: Path) -> None:
    gong = AuthorizingGong()

    async def work() -> None:
        async with authorizing(gong, tmp_path / "token.json") as (server, auth):
            await asyncio.gather(
                *(read_users(app(server, auth.token_file), server.base_url, 5) for _ in "ab")
            )
            assert len(gong.renewals) == 1
            gong.revoke()
            await read_users(auth, server.base_url, times=8)

    run(work())
    assert len(gong.renewals) == 2


def test_after_a_401_the_token_that_another_process_stored_is_used(tmp_path: Path) -> None:
    gong = AuthorizingGong()

    async def work() -> None:
        async with authorizing(gong, tmp_path / "token.json") as (server, auth):
            await read_users(auth, server.base_url)
            mine = oauth_module._token_cache.pop(auth)
            await read_users(replace(auth, clock=MovedClock(DAY)), server.base_url)
            oauth_module._token_cache[auth] = mine
            await read_users(auth, server.base_url)

    run(work())
    assert len(gong.renewals) == 2
    assert [request.headers["authorization"][-1] for request in gong.log] == ["1", "2", "1", "2"]


READ_USERS = """
import asyncio, sys
from pathlib import Path
from gong_assets.gong import GongClient, GongConfig, RefreshingAuth

async def work(base_url, token_file):
    auth = RefreshingAuth("client-7", "client-secret-4410", "refresh-6182-0",
                          token_url=base_url + "/oauth2/generate-customer-token", token_file=Path(token_file))
    async with GongClient(GongConfig(base_url=base_url, auth=auth)) as client:
        print("ready", flush=True)
        print(sum([len(page.records) async for page in client.users()]))

asyncio.run(work(*sys.argv[1:]))
"""


@pytest.mark.slow
def test_two_processes_renew_the_token_once(tmp_path: Path) -> None:
    gong = AuthorizingGong()
    path = tmp_path / "token.json"

    async def work() -> None:
        async with serving(gong) as server:
            command = [sys.executable, "-c", READ_USERS, server.base_url, str(path)]
            with filelock.FileLock(f"{path}.lock"):  # so that both wait for the same moment
                starting = (
                    asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE) for _ in "ab"
                )
                processes = await asyncio.gather(*starting)
                for process in processes:
                    assert process.stdout is not None
                    assert await process.stdout.readline() == b"ready\n"
                await asyncio.sleep(0.1)
                assert gong.renewals == []
            outputs = await asyncio.gather(*(process.communicate() for process in processes))
            assert [output for output, _ in outputs] == [b"1\n"] * 2

    run(work())
    assert len(gong.renewals) == 1


def test_waiting_for_another_process_does_not_block_the_event_loop_and_can_be_cancelled(
    tmp_path: Path,
) -> None:
    gong = AuthorizingGong()

    async def work() -> None:
        path = tmp_path / "token.json"
        async with authorizing(gong, path) as (server, auth):
            with filelock.FileLock(f"{path}.lock"):
                waiting = asyncio.create_task(read_users(auth, server.base_url))
                # If the wait blocked the event loop, it would never end: this thread has the lock.
                await asyncio.sleep(0.2)
                assert not waiting.done()
                waiting.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await waiting
            await read_users(auth, server.base_url)

    run(work())
    assert len(gong.renewals) == 1


async def cancel_during_renewal(auth: RefreshingAuth, server: HttpServer) -> None:
    """Cancel a request after Gong has consumed the refresh token, and before its response arrives."""

    async def cancel(writer: asyncio.StreamWriter, response: Response) -> None:
        reading.cancel()
        await asyncio.sleep(0.05)
        await send(writer, response)

    server.faults.append(cancel)
    reading = asyncio.create_task(read_users(auth, server.base_url))
    with pytest.raises(asyncio.CancelledError):
        await reading


@pytest.mark.parametrize("kept", [True, False])
def test_a_request_that_is_cancelled_during_a_renewal_stores_the_new_tokens(
    tmp_path: Path, kept: bool
) -> None:
    gong = AuthorizingGong()

    async def work() -> None:
        async with authorizing(gong, tmp_path / "token.json" if kept else None) as (server, auth):
            await cancel_during_renewal(auth, server)
            if kept:
                restart()
            await read_users(auth, server.base_url)

    run(work())
    assert len(gong.renewals) == 1


def test_a_request_that_is_cancelled_during_a_failing_renewal_ends(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    gong = AuthorizingGong()

    async def work() -> None:
        async with authorizing(gong, tmp_path / "token.json") as (server, auth):
            gong.outages = [json_response(400, {"error": "invalid_grant"})]
            await cancel_during_renewal(auth, server)
            await read_users(auth, server.base_url)

    run(work())
    assert len(gong.renewals) == 1
    assert "never retrieved" not in caplog.text
