"""The layout of the package: import directions, circles, and the size of its parts.

The directions are the contracts in `[tool.importlinter]` of pyproject.toml.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import grimp
import pytest

import gong_assets

PACKAGE = Path(gong_assets.__file__).parent
REPOSITORY = PACKAGE.parent

MAX_ROOMS = 15
MAX_LEVELS = 6
MAX_FILE_LINES = 350
MAX_FUNCTION_LINES = 40

# Functions that may be longer, with the reason.
LONG_FUNCTIONS: dict[str, str] = {}


@cache
def import_graph() -> dict[str, set[str]]:
    """Return the modules that each module imports, also inside functions and for type checking."""
    graph = grimp.build_graph("gong_assets", cache_dir=None)
    return {module: set(graph.find_modules_directly_imported_by(module)) for module in graph.modules}


def room(module: str) -> str:
    """Return the file or folder at the top of the package with this module; empty for the package itself."""
    return module.partition(".")[2].partition(".")[0]


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def test_imports_follow_the_contracts() -> None:
    result = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache", "--no-logo"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr


def test_no_module_imports_itself_through_others() -> None:
    try:
        TopologicalSorter(import_graph()).prepare()
    except CycleError as error:
        pytest.fail("circular import: " + " <- ".join(error.args[1]))


def test_package_has_few_rooms() -> None:
    rooms = {path.name for path in PACKAGE.iterdir()} - {"__init__.py", "__pycache__", "py.typed"}
    assert len(rooms) <= MAX_ROOMS, sorted(rooms)


def test_rooms_are_on_few_levels() -> None:
    imported: dict[str, set[str]] = {}
    for module, imports in import_graph().items():
        imported.setdefault(room(module), set()).update(room(name) for name in imports)
    below = {name: imports - {name, ""} for name, imports in imported.items() if name}

    @cache
    def level(name: str) -> int:
        return 1 + max((level(other) for other in below[name]), default=0)

    levels = {name: level(name) for name in TopologicalSorter(below).static_order()}
    assert max(levels.values()) <= MAX_LEVELS, levels


def test_files_are_short() -> None:
    lengths = {
        path.relative_to(PACKAGE): len(path.read_text("utf-8").splitlines())
        for path in PACKAGE.rglob("*.py")
        if path.relative_to(PACKAGE).parts[0] != "local"
    }
    long = [f"{path}: {lines} lines" for path, lines in sorted(lengths.items()) if lines > MAX_FILE_LINES]
    assert not long, "\n".join(long)


def test_functions_are_short() -> None:
    lengths = {
        f"{path.relative_to(PACKAGE)}: {function.name}": (function.end_lineno or 0) - function.lineno + 1
        for path in PACKAGE.rglob("*.py")
        for function in functions(path)
    }
    long = {name: lines for name, lines in sorted(lengths.items()) if lines > MAX_FUNCTION_LINES}
    unexpected = [f"{name}: {lines} lines" for name, lines in long.items() if name not in LONG_FUNCTIONS]
    assert not unexpected, "\n".join(unexpected)
    assert LONG_FUNCTIONS.keys() <= long.keys(), "remove the functions that are short from LONG_FUNCTIONS"
