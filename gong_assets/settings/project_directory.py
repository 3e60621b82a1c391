"""The directory of the project: where the home and the `.env` file are."""

from __future__ import annotations

import os
from pathlib import Path

HOME_NAME = ".gong_assets"


def project_directory(start: Path) -> Path:
    """Return the nearest directory from `start` upwards that contains a home; otherwise `start`.

    Homes of other users do not count, and neither do those at and above the user's home directory: a home
    that was once created there would be used by every directory below it.
    """
    ceiling = Path(os.path.expanduser("~"))
    for directory in (start, *start.parents):
        if directory != start and (directory == ceiling or directory in ceiling.parents):
            break
        if _is_own_directory(directory / HOME_NAME):
            return directory
    return start


def _is_own_directory(path: Path) -> bool:
    try:
        return path.is_dir() and (not hasattr(os, "getuid") or path.stat().st_uid == os.getuid())
    except OSError:
        return False
