"""Spools of killed processes are removed; those of living ones are kept."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from gong_assets.ingestion.spool import UNLOCKED_SECONDS, Spool

_PROGRAM = """
import sys
from gong_assets.ingestion.spool import Row, Spool
spool = Spool()
spool.append(Row("1", b'{"text": "a transcript"}', None, "hash", None))
spool.close()
print(spool.directory, flush=True)
sys.stdin.read()
"""


def test_the_spool_of_a_killed_process_is_removed_by_the_next_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", _PROGRAM], env=environment, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )
        for _ in range(2)
    ]  # fmt: skip
    try:
        killed, living = (Path(p.stdout.readline().strip()) for p in processes if p.stdout)
        processes[0].kill()
        processes[0].wait()
        assert list(killed.glob("*.parquet"))
        old, new = tmp_path / "gong_assets-old", tmp_path / "gong_assets-new"  # without a lock
        for directory in (old, new):
            directory.mkdir()
        os.utime(old, (0, old.stat().st_mtime - UNLOCKED_SECONDS - 1))

        spools = [Spool(), Spool()]

        expected = {living, new, *(spool.directory for spool in spools)}
        assert set(tmp_path.glob("gong_assets-*")) == expected
        assert list(living.glob("*.parquet"))
        for spool in spools:
            spool.discard()
        assert set(tmp_path.glob("gong_assets-*")) == {living, new}
    finally:
        for process in processes:
            process.kill()
            process.communicate()
