"""Generate the files that repeat a declaration in Python: `make generate`.

A test holds each committed file equal to its generated text.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]
from pydantic.fields import FieldInfo

from gong_assets.ingestion.streams import RAW_TABLES
from gong_assets.settings import Settings
from gong_assets.warehouse.tables import Column, RawTable

ROOT = Path(__file__).parents[1]


def gong_sources() -> str:
    """Return the dbt sources of the raw tables."""
    source = {
        "name": "gong",
        "description": "Records from Gong's API, one JSON record per row.",
        "database": "{{ target.database }}",
        "schema": "{{ target.schema }}",
        "tables": [_table(table) for table in RAW_TABLES],
    }
    header = "# Generated from gong_assets/ingestion/streams.py by `make generate`. Do not edit.\n"
    body: str = yaml.safe_dump(
        {"version": 2, "sources": [source]}, sort_keys=False, allow_unicode=True, width=100
    )
    return header + body


def _table(table: RawTable) -> dict[str, Any]:
    name = table.name.lower()
    tests = {table.key: ["unique", "not_null"], table.partition: ["not_null"]}
    return {
        "name": name,
        "description": table.description,
        "config": {"meta": {"dagster": {"asset_key": [name]}}},
        "columns": [_column(column, tests.get(column, [])) for column in table.columns],
    }


def _column(column: Column, tests: list[str]) -> dict[str, Any]:
    described = {
        "name": column.name.lower(),
        "data_type": column.type.partition("(")[0].lower(),
        "description": column.description,
    }
    return {**described, "data_tests": tests} if tests else described


# The sections of docs/settings.md, by their first setting.
_SETTINGS_SECTIONS = {
    "gong_assets_target": "Project",
    "gong_base_url": "Gong",
    "snowflake_account": "Snowflake",
    "hubspot_database": "HubSpot",
    "gong_redact_transcripts": "Cortex and privacy",
}

_SETTINGS_INTRODUCTION = """\
<!-- Generated from gong_assets/settings.py by `make generate`. Do not edit. -->
# Settings

Settings are environment variables. A `.env` file in the working directory is read too, and the environment
wins. No variable is required: without any, the graph uses a simulated Gong tenant and the local stack.

Secrets are read when a run needs them. Dagster does not store them, and its UI shows only the names of their
variables. The local stack has a few variables of its own: see [local_stack.md](local_stack.md)."""


def settings_reference() -> str:
    """Return docs/settings.md."""
    lines = [_SETTINGS_INTRODUCTION]
    for name, field in Settings.model_fields.items():
        if section := _SETTINGS_SECTIONS.get(name):
            lines.append(f"\n## {section}\n")
        lines.append(_setting(name, field))
    return "\n".join(lines) + "\n"


def _setting(name: str, field: FieldInfo) -> str:
    default = "" if field.default is None else f" (default `{str(field.default).lower()}`)"
    if isinstance(field.default, str):
        default = f" (default `{field.default}`)"
    description = " ".join((field.description or "").split())
    return textwrap.fill(
        f"- **`{name.upper()}`**{default}: {description}",
        width=110,
        subsequent_indent="  ",
        break_long_words=False,
        break_on_hyphens=False,
    )


GENERATED: Mapping[Path, Callable[[], str]] = {
    ROOT / "gong_assets" / "dbt" / "models" / "staging" / "src_gong.yml": gong_sources,
    ROOT / "docs" / "settings.md": settings_reference,
}


def main() -> None:
    """Write each file whose generated text differs."""
    for path, render in GENERATED.items():
        text = render()
        if path.read_text("utf-8") != text:
            path.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
