"""Every query of docs/cookbook.md, as it stands there, over a month of a company's calls."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from gong_assets.warehouse.connection import Warehouse
from gong_assets_tests.end_to_end.runs import Run

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("company")]

COOKBOOK = Path(__file__).parents[2] / "docs" / "cookbook.md"


@dataclass(frozen=True)
class Recipe:
    """A question, its query, and the columns and rows that are shown under it."""

    question: str
    sql: str
    columns: list[str]
    rows: list[str]


def _recipe(section: str) -> Recipe:
    question, _, body = section.partition("\n")
    (sql,) = re.findall(r"^```sql\n(.+?)^```$", body, re.MULTILINE | re.DOTALL)
    header, _, *rows = [line for line in body.splitlines() if line.startswith("|")]
    return Recipe(question, sql, [name.strip() for name in header.strip("|").split("|")], rows)


RECIPES = [_recipe(section) for section in COOKBOOK.read_text().split("\n## ")[1:]]


def test_every_question_shows_rows_of_its_query() -> None:
    assert len(RECIPES) >= 12
    for recipe in RECIPES:
        assert recipe.rows, recipe.question
        # In a table of Markdown a row has as many cells as the header.
        assert {row.count("|") for row in recipe.rows} == {len(recipe.columns) + 1}, recipe.question


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.question)
def test_a_query_gives_rows_of_the_columns_that_are_shown(
    recipe: Recipe, first_run: Run, company_warehouse: Warehouse
) -> None:
    assert first_run.tables
    rows = company_warehouse.query(recipe.sql)
    assert rows, recipe.sql
    assert list(rows[0]) == recipe.columns
