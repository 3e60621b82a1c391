"""Files that are replaced as a whole."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gong_assets.security.private_files import create_private_directory, replace_private_file


def test_the_file_is_readable_for_its_owner_only(tmp_path: Path) -> None:
    file = tmp_path / "tokens.json"
    replace_private_file(file, "é")
    assert (file.read_text("utf-8"), file.stat().st_mode & 0o777) == ("é", 0o600)


def test_a_full_disk_leaves_the_previous_file_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise OSError("No space left on device")

    file = tmp_path / "tokens.json"
    replace_private_file(file, "before")
    monkeypatch.setattr(os, "replace", fails)
    with pytest.raises(OSError, match="No space left"):
        replace_private_file(file, "after")
    assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == [("tokens.json", "before")]


def test_a_private_directory_and_its_missing_parents_are_readable_for_their_owner_only(
    tmp_path: Path,
) -> None:
    before = tmp_path / "existing"
    before.mkdir(mode=0o755)
    create_private_directory(before / "home" / "dagster")
    create_private_directory(before / "home" / "dagster")
    modes = [path.stat().st_mode & 0o777 for path in (before, before / "home", before / "home" / "dagster")]
    assert modes == [0o755, 0o700, 0o700]


def test_a_private_directory_in_the_place_of_a_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("")
    with pytest.raises(OSError, match="home"):
        create_private_directory(tmp_path / "home" / "dagster")


def test_a_private_directory_in_a_file_system_that_takes_none_is_an_error_of_permission() -> None:
    with pytest.raises(PermissionError, match="/proc/home"):
        create_private_directory(Path("/proc/home"))
