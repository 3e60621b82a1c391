"""The statements of the objects for agents: reviewed, of the documented grammar, and of what may be shown.

No server but Snowflake has such objects. `agent_object_grammar.py` reads the statements, two parsers read the
SQL in them, and `end_to_end/test_verified_queries.py` runs it on the local stack.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from gong_assets.provisioning.governed_models import governed_models
from gong_assets.warehouse.agent_objects.agent import Agent, McpServer
from gong_assets.warehouse.agent_objects.changes import definition
from gong_assets.warehouse.agent_objects.declaration import MODELS, VERIFIED_QUESTIONS
from gong_assets.warehouse.agent_objects.models import SemanticModels
from gong_assets.warehouse.agent_objects.semantic_view import SemanticView
from gong_assets.warehouse.connection import Warehouse
from gong_assets_tests.agent_object_grammar import (
    ParsedView,
    parse_agent,
    parse_mcp_server,
    parse_semantic_view,
)
from gong_assets_tests.second_parser import parse_error
from gong_assets_tests.snowflake_sql import violations
from tools.generate import AGENT_OBJECTS, agent_objects

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("agent objects")]

PLACE = "SOPHIA_AI.GONG_DATA"
VARIANTS = [(True, False), (True, True), (False, False), (False, True)]
AGENT_KEYS = {"models", "orchestration", "instructions", "tools", "tool_resources"}


@pytest.fixture(scope="session")
def manifest(manifest_file: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(manifest_file.read_bytes())
    return content


def view_of(
    manifest: dict[str, Any], *, personal_data: bool = True, private_calls: bool = False
) -> SemanticView:
    models = SemanticModels(manifest, personal_data=personal_data, private_calls=private_calls)
    return SemanticView(PLACE, models)


def parsed(view: SemanticView) -> ParsedView:
    return parse_semantic_view(f"CREATE SEMANTIC VIEW {definition(view)}")


def test_the_statements_are_those_that_were_reviewed(manifest: dict[str, Any]) -> None:
    assert agent_objects(manifest) == AGENT_OBJECTS.read_text("utf-8"), "to accept it, run `make generate`"


@pytest.mark.parametrize(("personal_data", "private_calls"), VARIANTS)
def test_the_semantic_view_is_of_the_documented_grammar(
    manifest: dict[str, Any], personal_data: bool, private_calls: bool
) -> None:
    found = parsed(view_of(manifest, personal_data=personal_data, private_calls=private_calls))

    assert found.name == f"{PLACE}.GONG_SEMANTIC_VIEW"
    keys = {table: key for table, _, key in found.lists["TABLES"]}
    assert len(keys) == (3 if private_calls else 4)
    for table, column, to_table, to_column in found.lists["RELATIONSHIPS"]:
        assert {(table, column), (to_table, to_column)} <= found.columns
        assert keys[to_table] == to_column
    names = [
        (table, name)
        for clause in ("FACTS", "DIMENSIONS", "METRICS")
        for table, name, _ in found.lists[clause]
    ]
    assert len(names) == len(set(names)), "a metric has the name of a column"
    assert {table for table, _ in names} == set(keys)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("PRIMARY KEY (CALL_ID)", "KEY (CALL_ID)"),
        ("\nFACTS (", "\nMETRICS ("),
        ("WITH SYNONYMS = ('calls'", "WITH SYNONYMS = (calls"),
        ("ONBOARDING_QUESTION TRUE", ""),
        ("Gong''s call id", "Gong's call id"),
        ("\nCOPY GRANTS", ""),
    ],
)  # fmt: skip
def test_the_reader_of_the_grammar_rejects_mistakes(manifest: dict[str, Any], old: str, new: str) -> None:
    statement = f"CREATE SEMANTIC VIEW {definition(view_of(manifest))}"
    assert old in statement

    with pytest.raises(ValueError, match=r"not of the grammar|expected|is open"):
        parse_semantic_view(statement.replace(old, new, 1))


@pytest.mark.parametrize(("personal_data", "private_calls"), VARIANTS)
def test_two_parsers_accept_the_sql_in_it(
    manifest: dict[str, Any], personal_data: bool, private_calls: bool
) -> None:
    found = parsed(view_of(manifest, personal_data=personal_data, private_calls=private_calls))
    statements = [
        *found.tables.values(),
        *found.verified_queries.values(),
        *(f"SELECT {sql} FROM {table}" for table, _, sql in found.lists["METRICS"]),
    ]

    assert {sql: problem for sql in statements if (problem := parse_error(sql))} == {}
    assert {sql: problems for sql in statements if (problems := violations(sql))} == {}


def test_all_declared_questions_are_verified_ones(manifest: dict[str, Any]) -> None:
    queries = parsed(view_of(manifest)).verified_queries

    assert tuple(queries) == VERIFIED_QUESTIONS
    assert not any("ARRAY_TO_STRING" in sql for sql in queries.values()), "lists are text already"


def test_descriptions_keys_and_relationships_are_those_of_dbt(manifest: dict[str, Any]) -> None:
    view = view_of(manifest)
    node = manifest["nodes"]["model.gong_assets.vw_deal_risk"]
    (deals,) = (model for model in view.models if model.name == "VW_DEAL_RISK")

    assert deals.key == "HUBSPOT_DEAL_ID"
    assert deals.comment == " ".join(node["description"].split())
    comments = {column.name: column.comment for column in deals.columns}
    assert comments["DEAL_STAGE"] == node["columns"]["deal_stage"]["description"]
    assert comments["RISK_LEVEL"].endswith("Values: High, Medium, Low.")
    assert {(each.model, each.column, each.to_model) for each in view.semantic_models.relationships} == {
        ("VW_DEAL_RISK", "LAST_CALL_ID", "VW_ENRICHED_GONG_CALLS"),
        ("VW_GONG_CALL_RISKS", "CALL_ID", "VW_ENRICHED_GONG_CALLS"),
    }


def test_declared_names_exist(manifest: dict[str, Any]) -> None:
    for model in view_of(manifest).models:
        columns = {column.name for column in model.columns}
        assert set(model.declared.column_synonyms) <= columns, model.name
        words = (*model.declared.column_synonyms.values(), *(m.synonyms for m in model.declared.metrics))
        synonyms = [*model.declared.synonyms, *(word for each in words for word in each)]
        assert len(synonyms) == len(set(synonyms)), model.name


def test_models_with_private_calls_exclude_them() -> None:
    """A model with a row access policy has the condition of the agents' functions."""
    for model in MODELS:
        governed = governed_models().get(model.name.upper())
        if governed and governed.row_access:
            assert model.public_rows == "NOT COALESCE(IS_PRIVATE, FALSE)", model.name


def test_where_private_calls_are_landed_no_model_has_figures_with_them(manifest: dict[str, Any]) -> None:
    view = view_of(manifest, private_calls=True)

    assert {model.name for model in view.models if not model.declared.public_rows} == set()
    assert "VW_SALES_PERFORMANCE_ANALYSIS" not in "".join(parsed(view).verified_queries.values())
    assert "How do sales reps perform?" not in parsed(view).verified_queries


def test_personal_data_that_agents_must_not_see_is_not_in_it(manifest: dict[str, Any]) -> None:
    found = parsed(view_of(manifest, personal_data=False))
    tagged = {(model.name, column) for model in governed_models().values() for column in model.tags}

    assert found.columns & tagged == set()
    assert parsed(view_of(manifest)).columns & tagged
    for table, query in found.tables.items():
        hidden = {column for name, column in tagged if name == table}
        assert hidden & set(re.findall(r"\w+", query)) == set()
    assert set(found.verified_queries) == {
        "How much of the pipeline is at risk?",
        "How do calls of won deals differ from others?",
        "How does the talk ratio relate to customer sentiment?",
    }


@pytest.fixture
def calls(warehouse: Warehouse, manifest: dict[str, Any]) -> Warehouse:
    """Tables with the columns of the models instead of the views: a public, a private and an unknown row."""
    schema = warehouse.arguments["schema"]
    with warehouse.connect() as connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
        cursor.execute(f"USE SCHEMA {schema}")
        for model in MODELS:
            columns = manifest["nodes"][f"model.gong_assets.{model.name}"]["columns"].values()
            listed = ", ".join(f"{column['name']} {column['data_type']}" for column in columns)
            cursor.execute(f"CREATE TABLE {model.name} ({listed})")
        for table, key, flag in (
            ("VW_ENRICHED_GONG_CALLS", "CALL_ID", "IS_PRIVATE"),
            ("VW_GONG_CALL_RISKS", "RISK_ID", "IS_PRIVATE"),
            ("VW_DEAL_RISK", "HUBSPOT_DEAL_ID", "HAS_PRIVATE_CALL"),
        ):
            cursor.execute(f"INSERT INTO {table} ({key}, {flag}) VALUES ('public', FALSE), ('private', TRUE)")
        cursor.execute("INSERT INTO VW_ENRICHED_GONG_CALLS (CALL_ID) VALUES ('unknown')")
        cursor.execute("UPDATE VW_DEAL_RISK SET RISK_INDICATORS = ARRAY_CONSTRUCT('Overdue', 'No Call')")
    return warehouse


def test_logical_tables_have_no_private_rows_and_show_lists_as_text(
    calls: Warehouse, manifest: dict[str, Any]
) -> None:
    database, schema = (calls.arguments[name] for name in ("database", "schema"))
    models = SemanticModels(manifest, personal_data=True, private_calls=True)
    view = SemanticView(f"{database}.{schema}", models)
    rows = {model.name: calls.query(view.logical_table(model)) for model in view.models}

    keys = {model.name: {row[model.key] for row in rows[model.name]} for model in view.models}
    assert keys == {
        "VW_ENRICHED_GONG_CALLS": {"public", "unknown"},
        "VW_GONG_CALL_RISKS": {"public"},
        "VW_DEAL_RISK": {"public"},
    }
    assert rows["VW_DEAL_RISK"][0]["RISK_INDICATORS"] == "Overdue, No Call"
    assert "IS_PRIVATE" not in rows["VW_ENRICHED_GONG_CALLS"][0]


@pytest.mark.parametrize("searches", [True, False])
def test_the_specification_of_the_agent_has_the_documented_structure(searches: bool) -> None:
    agent = Agent(PLACE, ("How many calls?",), searches=searches)
    name, specification = parse_agent(f"CREATE AGENT {definition(agent)}")

    assert name == f"{PLACE}.GONG_AGENT"
    assert specification == agent.specification
    assert set(specification) == AGENT_KEYS
    tools = {each["tool_spec"]["name"]: each["tool_spec"] for each in specification["tools"]}
    assert all(set(tool) == {"type", "name", "description"} for tool in tools.values())
    assert [tool["type"] for tool in tools.values()] == [
        "cortex_analyst_text_to_sql",
        *(["cortex_search"] if searches else []),
    ]
    resources = specification["tool_resources"]
    assert set(resources) == set(tools)
    assert resources["figures"] == {"semantic_view": f"{PLACE}.GONG_SEMANTIC_VIEW"}
    assert searches == (f"{PLACE}.GONG_CALL_SEARCH" in str(resources))
    for tool in ("figures", "statements"):
        assert (f"`{tool}`" in specification["instructions"]["orchestration"]) == (tool in tools)
    assert specification["instructions"]["sample_questions"] == [{"question": "How many calls?"}]
    assert set(specification["orchestration"]["budget"]) == {"seconds", "tokens"}


def test_the_specification_fits_and_ends_at_its_quotes(manifest: dict[str, Any]) -> None:
    questions = tuple(query.question for query in view_of(manifest).verified_queries())
    text = definition(Agent(PLACE, questions, searches=True))

    assert len(text.encode()) < 100_000
    assert text.count("$$") == 2


def test_the_mcp_server_has_the_agent_as_its_only_tool() -> None:
    name, specification = parse_mcp_server(f"CREATE MCP SERVER {definition(McpServer(PLACE))}")

    assert name == f"{PLACE}.GONG_MCP_SERVER"
    (tool,) = specification["tools"]
    assert set(tool) == {"name", "type", "title", "description", "identifier"}
    assert (tool["type"], tool["identifier"]) == ("CORTEX_AGENT_RUN", f"{PLACE}.GONG_AGENT")
