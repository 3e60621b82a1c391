"""The state of the account, which the sessions of all threads read while others change it."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gong_assets.local.snowflake.governance.state import Governance, Grant

ROLES = {"ANALYST"}
READS: dict[str, Callable[[Governance], object]] = {
    "policies": lambda governance: governance.has_policies,
    "uses of policies": lambda governance: list(governance.policy_uses()),
    "privileges": lambda governance: governance.privileges_on(ROLES, "TABLE", "A.B.T1"),
    "inherited roles": lambda governance: governance.with_inherited(ROLES),
}


@pytest.fixture
def impatient_threads() -> Iterator[None]:
    """Switch between threads as often as possible."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


@pytest.mark.usefixtures("impatient_threads")
@pytest.mark.parametrize("read", READS.values(), ids=READS)
def test_objects_are_replaced_while_others_read(tmp_path: Path, read: Callable[[Governance], object]) -> None:
    governance = Governance(tmp_path / "governance.json")
    governance.grants |= {Grant("SELECT", "TABLES", "A.B", "ANALYST")}
    names = [f"A.B.T{number}" for number in range(300)]
    for name in names:
        governance.attached(name)
        governance.add_object("TABLE", name, "SYSADMIN")
    ended = threading.Event()

    def replace_all() -> None:
        for name in names:
            with governance.lock:
                governance.remove_object("TABLE", name)
                governance.add_object("TABLE", name, "SYSADMIN")
                governance.attached(name)
        ended.set()

    thread = threading.Thread(target=replace_all)
    thread.start()
    try:
        while not ended.is_set():
            read(governance)
    finally:
        thread.join()


def test_only_changes_are_written(tmp_path: Path) -> None:
    """A file that is written durably takes longer than most statements."""
    file = tmp_path / "governance.json"
    governance = Governance(file)
    governance.save()
    written = file.stat()
    governance.save()
    Governance(file).save()
    assert file.stat().st_ino == written.st_ino
    governance.set_owner("TABLE", "A.B.C", "ANALYST")
    governance.save()
    assert file.stat().st_ino != written.st_ino
    assert Governance(file).owner("TABLE", "A.B.C") == "ANALYST"
