"""The directory of the project: where the home and the `.env` file are."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator
from pathlib import Path

HOME_NAME = ".gong_assets"

# A setting that every Dagster project may have.
_SHARED_VARIABLE = "DAGSTER_HOME"


def project_directory(start: Path, variables: Collection[str]) -> Path:
    """Return the nearest directory from `start` upwards that contains a home; otherwise `start`.

    Without a home, the nearest `.env` file that sets one of the variables counts: the home may be elsewhere,
    or not exist yet. Files of other users do not count, and neither do those at and above the user's home
    directory: a home that was once created there would be used by every directory below it.
    """
    for directory in _candidates(start):
        if _is_own_directory(directory / HOME_NAME):
            return directory
    return next((each for each in _candidates(start) if _sets_any(each / ".env", variables)), start)


def env_files(start: Path, variables: Collection[str]) -> list[Path]:
    """Return the `.env` files that are read, the nearest first: of `start`, and upwards to the project's.

    Between the two, only files that set one of the variables are read.
    """
    project = project_directory(start, variables)
    chain = [start, *start.parents]
    between = chain[1 : chain.index(project)]
    files = [each / ".env" for each in between if _sets_any(each / ".env", variables)]
    return list(dict.fromkeys((start / ".env", *files, project / ".env")))


def _candidates(start: Path) -> Iterator[Path]:
    ceiling = Path(os.path.expanduser("~"))
    yield start
    for directory in start.parents:
        if directory == ceiling or directory in ceiling.parents:
            return
        yield directory


def _sets_any(file: Path, variables: Collection[str]) -> bool:
    if not _is_own(file):
        return False
    try:
        text = file.read_text("utf-8", errors="replace")
    except OSError:
        return False
    names = re.findall(r"^[ \t]*(?:export[ \t]+)?(\w+)[ \t]*=", text, re.MULTILINE)
    own = set(variables) - {_SHARED_VARIABLE}
    return any(name in own or name.startswith("GONG_") for name in names)


def _is_own_directory(path: Path) -> bool:
    return _is_own(path) and path.is_dir()


def _is_own(path: Path) -> bool:
    try:
        return path.stat().st_uid == os.getuid() if hasattr(os, "getuid") else path.exists()
    except OSError:
        return False
