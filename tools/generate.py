"""Generate the files that repeat a declaration in Python: `make generate`.

A test holds each committed file equal to its generated text.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import dagster as dg
import yaml  # type: ignore[import-untyped]

from gong_assets.agents.names import LIGATURES, word_characters
from gong_assets.defs.build import build_defs
from gong_assets.defs.dbt.project import prepared_project
from gong_assets.ingestion.streams import RAW_TABLES
from gong_assets.settings import Settings
from gong_assets.warehouse.agent_objects.agent import Agent, McpServer
from gong_assets.warehouse.agent_objects.changes import definition
from gong_assets.warehouse.agent_objects.declaration import VERIFIED_QUESTIONS
from gong_assets.warehouse.agent_objects.models import SemanticModels
from gong_assets.warehouse.agent_objects.semantic_view import VERIFIED_QUERIES, SemanticView
from gong_assets.warehouse.tables import Column, RawTable
from tools.asset_graph_svg import asset_graph_svg
from tools.cost_docs import cost_page
from tools.reference_docs import (
    commands_reference,
    operations_reference,
    settings_reference,
    tables_reference,
)

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
    return {
        "name": name,
        "description": table.description,
        "config": {"meta": {"dagster": {"asset_key": [name]}}},
        "columns": [_column(column) for column in table.columns],
    }


def _column(column: Column) -> dict[str, Any]:
    return {
        "name": column.name.lower(),
        "data_type": column.type.partition("(")[0].lower(),
        "description": column.description,
    }


def dbt_characters() -> str:
    """Return the macro with the characters by which dbt's models tell words apart."""
    letters, counterparts, separators, accents = map(_jinja_text, word_characters())
    ligatures = ", ".join(f"'{each}': '{two}'" for each, two in LIGATURES.items())
    return f"""\
{{#- Generated from gong_assets/agents/names.py by `make generate`. Do not edit. -#}}
{{% macro word_characters() -%}}
    {{{{ return({{
        'ligatures': {{{ligatures}}},
        'letters': {letters},
        'counterparts': {counterparts},
        'separators': {separators},
        'accents': {accents},
    }}) }}}}
{{%- endmacro %}}
"""


def _jinja_text(text: str) -> str:
    """Return an expression of Jinja in short lines, without characters that a reader could not see."""
    characters = [each if each.isalnum() else f"\\u{ord(each):04x}" for each in text]
    lines, width = [""], 80
    for each in characters:
        if len(lines[-1]) + len(each) > width:
            lines.append("")
        lines[-1] += each
    return "\n            ~ ".join(f"'{each}'" for each in lines)


class _Blocks(yaml.SafeDumper):  # type: ignore[misc]
    """Writes texts of several lines as blocks."""


_Blocks.add_representer(
    str,
    lambda dumper, text: dumper.represent_scalar(
        "tag:yaml.org,2002:str", text, style="|" if "\n" in text else None
    ),
)


def verified_queries() -> str:
    """Return the queries of the cookbook that the semantic view has."""
    cookbook = (ROOT / "docs" / "cookbook.md").read_text("utf-8")
    sections = dict(section.split("\n", 1) for section in cookbook.split("\n## ")[1:])
    queries = [
        {"question": question, "sql": re.findall(r"```sql\n(.+?)\n```", sections[question], re.DOTALL)[0]}
        for question in VERIFIED_QUESTIONS
    ]
    header = "# Generated from docs/cookbook.md by `make generate`. Do not edit.\n"
    body: str = yaml.dump(queries, Dumper=_Blocks, sort_keys=False, allow_unicode=True, width=200)
    return header + body


def asset_graph(defs: dg.Definitions) -> str:
    """Return the attributes of each asset for review, without HubSpot's tables, which are external."""
    specs = [spec for spec in defs.resolve_all_asset_specs() if spec.key.path[0] != "hubspot"]
    graph = {
        spec.key.to_user_string(): {
            "group": spec.group_name,
            "kinds": sorted(spec.kinds),
            "deps": sorted(dep.asset_key.to_user_string() for dep in spec.deps),
            "partitions": type(spec.partitions_def).__name__ if spec.partitions_def else None,
        }
        for spec in sorted(specs, key=lambda spec: spec.key)
    }
    return json.dumps(graph, indent=2) + "\n"


def default_asset_graph() -> str:
    """Return the graph of the default settings."""
    with tempfile.TemporaryDirectory() as home:
        return asset_graph(build_defs(Settings(gong_assets_home=Path(home))))


def agent_objects(manifest: Mapping[str, Any]) -> str:
    """Return the statements that create the objects for agents, with all that they can have."""
    models = SemanticModels(manifest, personal_data=True, private_calls=False)
    view = SemanticView("SOPHIA_AI.GONG_DATA", models)
    agent = Agent(view.place, tuple(query.question for query in view.verified_queries()), searches=True)
    wanted = (view, agent, McpServer(view.place))
    return "\n".join(f"CREATE {each.kind} {definition(each)};\n" for each in wanted)


def default_agent_objects() -> str:
    """Return these statements for the dbt project as it is."""
    with tempfile.TemporaryDirectory() as home:
        project = prepared_project(Settings(gong_assets_home=Path(home)))
        return agent_objects(json.loads(Path(project.manifest_path).read_bytes()))


GENERATED: Mapping[Path, Callable[[], str]] = {
    ROOT / "gong_assets" / "dbt" / "models" / "staging" / "src_gong.yml": gong_sources,
    ROOT / "gong_assets" / "dbt" / "macros" / "characters.sql": dbt_characters,
    VERIFIED_QUERIES: verified_queries,
    ROOT / "docs" / "images" / "asset_graph.svg": asset_graph_svg,
    ROOT / "docs" / "commands.md": commands_reference,
    ROOT / "docs" / "cost.md": cost_page,
    ROOT / "docs" / "operations.md": operations_reference,
    ROOT / "docs" / "settings.md": settings_reference,
    ROOT / "docs" / "tables.md": tables_reference,
}

# Not in GENERATED: building the definitions and parsing the dbt project take seconds, and the tests of both
# have them.
ASSET_GRAPH = ROOT / "gong_assets_tests" / "data" / "asset_graph.json"
AGENT_OBJECTS = ROOT / "gong_assets_tests" / "data" / "agent_objects.sql"


def main() -> None:
    """Write each file whose generated text differs, in the order in which one is made of another."""
    files = {ASSET_GRAPH: default_asset_graph, **GENERATED, AGENT_OBJECTS: default_agent_objects}
    for path, render in files.items():
        text = render()
        if not path.exists() or path.read_text("utf-8") != text:
            path.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
