"""Results of `dbt parse` that the tests of a session share: each takes ten seconds of a core.

The directory of a result is named after all that it depends on (see `prepared_project`), so a result of one
home is that of another home too. The target in its name changes nothing but the connection.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

from pydantic import ValidationError

from gong_assets.defs.dbt import project
from gong_assets.settings import Settings

FILES = ("manifest.json", "partial_parse.msgpack")


class ParsedProjects:
    """The results so far, in a directory that the workers of a session share."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        directory.mkdir(exist_ok=True)

    @contextmanager
    def parsing(self) -> Iterator[None]:
        """Take results from here instead of parsing in this process, within the block."""
        parse: Callable[[Path, Settings], None] = project._parse

        def parse_once(target_path: Path, settings: Settings) -> None:
            if not _copy(self._shared(target_path), target_path):
                parse(target_path, settings)
                _copy(target_path, self._shared(target_path))

        with mock.patch.object(project, "_parse", parse_once):
            yield

    @contextmanager
    def of_command(self, environment: Mapping[str, str]) -> Iterator[None]:
        """Share results with a command of this environment, which runs within the block.

        A home that does not exist yet is left to the command.
        """
        target_path = _target_path(environment)
        if target_path is None:
            yield
            return
        shared = self._shared(target_path)
        if target_path.parents[1].is_dir():
            _copy(shared, target_path)
        yield
        _copy(target_path, shared)

    def of_variables(self, environment: Mapping[str, str], dbt_vars: str, parse: Callable[[], Path]) -> Path:
        """Return the result for variables of the environment and vars of dbt.

        Args:
            dbt_vars: the value of the option --vars.
            parse: runs the command, and returns its target directory.
        """
        target_path = _target_path({**environment, "GONG_ASSETS_HOME": str(self._directory)})
        assert target_path is not None
        shared = self._shared(target_path)
        if dbt_vars:
            shared = shared.with_name(f"{shared.name}-{hashlib.sha256(dbt_vars.encode()).hexdigest()[:12]}")
        if not (shared / FILES[0]).exists():
            _copy(parse(), shared)
        return shared

    def _shared(self, target_path: Path) -> Path:
        return self._directory / target_path.name.rpartition("-")[2]


def _target_path(environment: Mapping[str, str]) -> Path | None:
    """Return the directory of the result that a command needs, or None if its settings have no valid home."""
    if "GONG_ASSETS_HOME" not in environment:
        return None
    with mock.patch.dict(os.environ, environment, clear=True):
        try:
            return project.parsed_directory(Settings())
        except ValidationError:
            return None


def _copy(result: Path, target: Path) -> bool:
    """Copy a result if it is complete and not there, and return whether it is there."""
    if (target / FILES[0]).exists():
        return True
    if not all((result / name).exists() for name in FILES):
        return False
    target.mkdir(parents=True, exist_ok=True)
    for name in reversed(FILES):  # The manifest is last: it tells that the result is complete.
        copied = target / f"{name}.{os.getpid()}"
        shutil.copyfile(result / name, copied)
        copied.replace(target / name)
    return True
