"""Imports of the local stack: independent of the rest of the product, and without circles."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import gong_assets.local

ROOT = Path(gong_assets.local.__file__).parent
PACKAGE_ROOT = ROOT.parents[1]

# The layers of the emulator; each may import those after it.
LAYERS = ("server", "storage", "cortex", "sql")


def module_name(file: Path) -> str:
    parts = file.relative_to(PACKAGE_ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(file): file for file in ROOT.rglob("*.py")}


def imports(module: str) -> Iterator[str]:
    """Yield the modules of the product that a module imports, also for type checking or inside functions."""
    for node in ast.walk(ast.parse(MODULES[module].read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.startswith("gong_assets"))
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("gong_assets"):
            for alias in node.names:
                submodule = f"{node.module}.{alias.name}"
                yield submodule if submodule in MODULES else str(node.module)


def test_the_local_stack_imports_nothing_of_the_rest_of_the_product() -> None:
    assert {name for module in MODULES for name in imports(module)} <= MODULES.keys()


def test_no_import_is_circular() -> None:
    list(TopologicalSorter({module: list(imports(module)) for module in MODULES}).static_order())


def test_layers_of_the_emulator_import_only_lower_layers() -> None:
    prefix = "gong_assets.local.snowflake."

    def layer(module: str) -> str:
        return module.removeprefix(prefix).split(".")[0]

    for module in MODULES:
        if module.startswith(prefix) and layer(module) in LAYERS:
            lower = LAYERS[LAYERS.index(layer(module)) :]
            for name in imports(module):
                if name.startswith(prefix) and layer(name) in LAYERS:
                    assert layer(name) in lower, f"{module} imports {name}"


def test_the_door_needs_no_library_of_the_extra() -> None:
    program = (
        "import sys; import gong_assets.local\n"
        "print([name for name in ('psutil', 'filelock', 'duckdb', 'numpy') if name in sys.modules])"
    )
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "[]"
