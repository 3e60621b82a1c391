"""Every verified query and metric of the semantic view, over its logical tables and a company's month."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gong_assets.warehouse.agent_objects.changes import definition
from gong_assets.warehouse.agent_objects.declaration import VERIFIED_QUESTIONS
from gong_assets.warehouse.agent_objects.models import SemanticModels
from gong_assets.warehouse.agent_objects.semantic_view import SemanticView
from gong_assets.warehouse.connection import Warehouse
from gong_assets_tests.agent_object_grammar import ParsedView, parse_semantic_view
from gong_assets_tests.end_to_end.runs import Run
from gong_assets_tests.end_to_end.test_cookbook import RECIPES

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("company"), pytest.mark.usefixtures("first_run")]


@pytest.fixture(scope="module")
def view(manifest_file: Path, first_run: Run) -> ParsedView:
    assert first_run.tables
    models = SemanticModels(json.loads(manifest_file.read_bytes()), personal_data=True, private_calls=False)
    return parse_semantic_view(
        f"CREATE SEMANTIC VIEW {definition(SemanticView('SOPHIA_AI.GONG_DATA', models))}"
    )


def over_logical_tables(view: ParsedView, query: str) -> str:
    """Return the query with the logical tables in the place of the views of the same names."""
    tables = ", ".join(f"{name} AS ({sql})" for name, sql in view.tables.items())
    return f"WITH {tables} {query}"


@pytest.mark.parametrize("question", VERIFIED_QUESTIONS)
def test_a_verified_query_returns_the_rows_of_the_cookbook(
    question: str, view: ParsedView, company_warehouse: Warehouse
) -> None:
    (recipe,) = (recipe for recipe in RECIPES if recipe.question == question)
    rows = company_warehouse.query(over_logical_tables(view, view.verified_queries[question]))

    assert rows == company_warehouse.query(recipe.sql)
    assert rows


def test_every_metric_has_a_value(view: ParsedView, company_warehouse: Warehouse) -> None:
    for table, name, sql in view.lists["METRICS"]:
        (row,) = company_warehouse.query(over_logical_tables(view, f"SELECT {sql} AS {name} FROM {table}"))
        assert row[name] is not None, f"{table}.{name}"


def test_every_relationship_finds_a_row(view: ParsedView, company_warehouse: Warehouse) -> None:
    for table, column, to_table, to_column in view.lists["RELATIONSHIPS"]:
        joined = (
            f"SELECT 1 FROM {table} AS a INNER JOIN {to_table} AS b ON a.{column} = b.{to_column} LIMIT 1"
        )
        assert company_warehouse.query(over_logical_tables(view, joined)), f"{table}.{column}"
