"""Request counts that the processes of a machine share in a file."""

from __future__ import annotations

import asyncio
import json
import logging
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from filelock import FileLock

from gong_assets.gong import BasicAuth, BearerAuth, GongClient, GongConfig
from gong_assets.gong.http import request_budget as budget_module
from gong_assets.gong.http.request_budget import FileBudget, budget_file_name, key_identity
from gong_assets_tests.gong.fake_gong import FakeGong, GongRequest, Response
from gong_assets_tests.gong.helpers import KEY
from gong_assets_tests.gong.http_server import serving

URL = "https://api.gong.io"
REQUESTS = 30
PER_SECOND = 20


def sent(budget: FileBudget) -> int:
    with budget.locked() as state:
        return state.sent_today


def send_one(budget: FileBudget) -> None:
    with budget.locked() as state:
        state.sent_today += 1


def test_budgets_of_one_file_share_their_counts(tmp_path: Path) -> None:
    one, other = FileBudget(tmp_path / "new" / "state.json"), FileBudget(tmp_path / "new" / "state.json")
    send_one(one)
    send_one(other)
    assert sent(one) == sent(other) == 2


def test_threads_count_every_request(tmp_path: Path) -> None:
    budgets = [FileBudget(tmp_path / "state.json") for _ in range(2)]

    def work(budget: FileBudget) -> None:
        for _ in range(25):
            send_one(budget)

    threads = [threading.Thread(target=work, args=(budget,)) for budget in budgets * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sent(budgets[0]) == 100


def test_a_change_before_an_error_is_kept(tmp_path: Path) -> None:
    budget = FileBudget(tmp_path / "state.json")

    def work() -> None:
        with budget.locked() as state:
            state.sent_today = 5
            raise KeyError

    with pytest.raises(KeyError):
        work()
    assert sent(budget) == 5


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"null",
        b"[1]",
        b"\xff\xfe",
        b'{"sent_today": "many"}',
        b'{"free_at": 1e999}',
        b'{"free_at": NaN}',
        b"[" * 100_000,
    ],
    ids=lambda content: repr(content[:30]),
)
def test_an_unreadable_file_is_replaced(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    file.write_bytes(content)
    send_one(FileBudget(file))
    assert sent(FileBudget(file)) == 1


def test_the_lock_file_of_a_killed_process_does_not_block(tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    send_one(FileBudget(file))
    (tmp_path / "state.json.lock").touch()
    send_one(FileBudget(file))
    assert sent(FileBudget(file)) == 2


def test_a_file_from_a_later_version_keeps_its_count(tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    file.write_text(json.dumps({"sent_today": 7, "day": "2026-06-01", "later": ["field"] * 100}))
    send_one(FileBudget(file))
    assert sent(FileBudget(file)) == 8


def test_without_a_writable_file_the_process_counts_alone_and_warns_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "occupied").touch()
    budget = FileBudget(tmp_path / "occupied" / "state.json")
    for _ in range(3):
        send_one(budget)
    assert sent(budget) == 3
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "counted in this process only" in caplog.text


def test_a_file_that_becomes_unwritable_loses_no_count(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    budget = FileBudget(tmp_path / "state.json")
    send_one(budget)
    (tmp_path / "state.json").unlink()
    (tmp_path / "state.json" / "a directory now").mkdir(parents=True)
    for _ in range(2):
        send_one(budget)
    assert sent(budget) == 2
    assert len(caplog.records) == 1


def test_a_stopped_process_with_the_lock_does_not_block_others_for_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(budget_module, "LOCK_SECONDS", 0.05)
    budget = FileBudget(tmp_path / "state.json")
    waits: list[float] = []

    def record(lock: FileLock, **options: Any) -> Any:
        waits.append(lock.timeout)
        return acquire(lock, **options)

    with FileLock(tmp_path / "state.json.lock"):
        acquire = FileLock.acquire
        monkeypatch.setattr(FileLock, "acquire", record)
        for _ in range(3):
            send_one(budget)
        assert sent(budget) == 3
    assert waits == [0.05]


def test_a_change_of_the_working_directory_does_not_change_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    budget = FileBudget(Path("state.json"))
    monkeypatch.chdir("/")
    send_one(budget)
    assert sent(FileBudget(tmp_path / "state.json")) == 1


class OtherAuth(httpx.Auth):
    identity = "client-81"

    def __init__(self, token: str) -> None:
        self.token = token


def test_credentials_that_gong_counts_together_have_the_same_key_identity() -> None:
    assert key_identity(BasicAuth("key", "secret")) == key_identity(BasicAuth("key", "its next secret"))
    assert key_identity(OtherAuth("one")) == key_identity(OtherAuth("other"))
    different = [
        BasicAuth("key", "s"),
        BasicAuth("other", "s"),
        BearerAuth("key"),
        BearerAuth("other"),
        OtherAuth(""),
    ]
    assert len({key_identity(auth) for auth in different}) == len(different)


def test_file_names_differ_by_host_and_key_and_reveal_neither(tmp_path: Path) -> None:
    token = BearerAuth("bearer-token-9913")
    names = [
        budget_file_name(url, auth) for url in (URL, "https://us-1.api.gong.io") for auth in (KEY, token)
    ]
    assert len(set(names)) == 4
    for word in ("api", "7391", "5527", "9913"):
        assert word not in "".join(names).replace("gong-requests-", "")


class TimedGong(FakeGong):
    """Records when each request arrives, and from which process."""

    def __init__(self) -> None:
        super().__init__()
        self.arrivals: list[tuple[float, str]] = []

    def respond(self, request: GongRequest) -> Response:
        process = request.body["filter"]["callIds"][0].split("-")[0]
        self.arrivals.append((time.monotonic(), process))
        return super().respond(request)


async def read_transcripts(base_url: str, directory: Path, name: str) -> None:
    """Read transcripts in a process of its own, once the test sends a line."""
    settings = GongConfig(
        base_url=base_url, auth=KEY, max_requests_per_second=PER_SECOND, state_directory=directory
    )
    async with GongClient(settings) as client:
        print("ready", flush=True)
        sys.stdin.readline()
        async for _ in client.transcripts([f"{name}-{number}" for number in range(REQUESTS * 100)]):
            pass


@pytest.mark.slow
def test_two_processes_keep_the_limit_together_and_count_every_request(tmp_path: Path) -> None:
    gong = TimedGong()

    async def start(base_url: str, name: str) -> asyncio.subprocess.Process:
        code = (
            "import asyncio, pathlib, sys;"
            "from gong_assets_tests.gong.http.test_request_budget import read_transcripts;"
            "asyncio.run(read_transcripts(sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3]))"
        )
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", code, base_url, str(tmp_path), name),
            cwd=Path(__file__).parents[3],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    async def work() -> None:
        async with serving(gong) as server:
            processes = [await start(server.base_url, name) for name in ("one", "other")]
            for process in processes:
                assert process.stdout is not None
                assert await process.stdout.readline() == b"ready\n"
            await asyncio.gather(*(process.communicate(b"go\n") for process in processes))
            assert [process.returncode for process in processes] == [0, 0]

    asyncio.run(work())
    moments = [moment for moment, _ in gong.arrivals]
    assert len(moments) == 2 * REQUESTS
    assert moments[-1] - moments[0] > (2 * REQUESTS - 1) / PER_SECOND - 0.1
    # Two more than the limit, since a busy machine may notice a request late. Without sharing it would be 40.
    most = PER_SECOND + 2
    assert all(late - early > 1 for early, late in zip(moments, moments[most:], strict=False))
    # Both processes sent requests at the same time.
    assert len({process for _, process in gong.arrivals[:REQUESTS]}) == 2
    [file] = tmp_path.glob("*.json")
    assert sent(FileBudget(file)) == 2 * REQUESTS
