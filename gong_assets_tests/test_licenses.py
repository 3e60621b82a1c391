"""The page of licences, and the versions of actions in workflows."""

from __future__ import annotations

import re
from importlib.metadata import distributions
from pathlib import Path

import pytest

from tools.licenses import DOCUMENT, licence, normalized

REPOSITORY = Path(__file__).parents[1]


def documented() -> dict[str, str]:
    """Return the licence of each package on the page."""
    rows = re.findall(r"^\| ([^|]+) \| ([a-z0-9, -]+) \|$", DOCUMENT.read_text("utf-8"), re.MULTILINE)
    return {name: text for text, names in rows for name in names.split(", ")}


def test_the_page_has_each_package_of_the_known_set() -> None:
    lines = (REPOSITORY / "constraints.txt").read_text("utf-8").splitlines()
    pinned = {normalized(re.split(r"[=\[]", line)[0]) for line in lines if line and not line.startswith("#")}
    assert documented().keys() == pinned


def test_installed_packages_declare_what_the_page_says() -> None:
    page = documented()
    found = {normalized(str(each.metadata["Name"])): licence(each) for each in distributions()}
    differing = {
        name: (text, page[name]) for name, text in found.items() if name in page and text != page[name]
    }
    assert len(found.keys() & page.keys()) > 100
    assert not differing
    assert "not declared" not in page.values()


def test_a_copyleft_licence_is_no_surprise() -> None:
    copyleft = {name for name, text in documented().items() if re.search(r"GPL", text)}
    assert copyleft == {"psycopg2-binary", "text-unidecode"}


@pytest.mark.parametrize("file", sorted((REPOSITORY / ".github").rglob("*.yml")), ids=str)
def test_actions_are_pinned_by_commit(file: Path) -> None:
    for action in re.findall(r"uses:\s*(\S+)", file.read_text("utf-8")):
        assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", action), action
