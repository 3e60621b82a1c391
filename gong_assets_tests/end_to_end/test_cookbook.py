"""Every query of docs/cookbook.md, as it stands there, over a month of a company's calls; some over rows made for them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
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


def answer(warehouse: Warehouse, question: str, **tables: str) -> list[tuple[object, ...]]:
    """The rows of a question's query over these tables, which are given as their SELECT."""
    (recipe,) = (recipe for recipe in RECIPES if recipe.question == question)
    for name, select in tables.items():
        warehouse.query(f"CREATE TABLE {name} AS {select}")
    return [tuple(row.values()) for row in warehouse.query(recipe.sql)]


def test_a_deal_has_moved_if_its_fields_differ_from_those_of_its_last_call(warehouse: Warehouse) -> None:
    """Moved since the last of two calls of a day; before it; back again; and since a call that is no longer about it."""
    moved = answer(
        warehouse,
        "Which deals have moved since the last call about them?",
        STG_GONG_CALLS="""
            SELECT COLUMN1 AS CALL_ID, COLUMN2::TIMESTAMP_NTZ AS CALL_DATETIME_UTC
            FROM VALUES ('1', '2026-11-01 10:00:00'), ('2', '2026-11-02 16:00:00'), ('3', '2026-11-02 10:00:00')""",
        STG_GONG_CALL_CRM_LINKS="""
            SELECT
                COLUMN1 || COLUMN2 AS CRM_LINK_ID, COLUMN1 AS CALL_ID, COLUMN2 AS OBJECT_ID, COLUMN2 AS OBJECT_NAME,
                COLUMN3 AS STAGE_AT_CALL, COLUMN4 AS STAGE_NOW, COLUMN5::NUMBER(15, 2) AS AMOUNT_AT_CALL,
                COLUMN6::NUMBER(15, 2) AS AMOUNT_NOW, COLUMN7::BOOLEAN AS IS_CURRENT,
                IFF(COLUMN1 = '1', '2026-11-01', '2026-11-02')::DATE AS CALL_DATE, 'HubSpot' AS CRM_SYSTEM,
                'Opportunity' AS OBJECT_TYPE
            FROM VALUES
                ('2', 'stage', 'sent', 'closedwon', 5, 5, 'true'), ('3', 'stage', 'met', 'closedwon', 5, 5, 'true'),
                ('1', 'amount', 'sent', 'sent', 5, 6, 'true'), ('1', 'before', 'met', 'sent', 5, 5, 'true'),
                ('2', 'before', 'sent', 'sent', 5, 5, 'true'), ('1', 'stayed', 'sent', 'sent', 5, 5, 'true'),
                ('1', 'unlinked', 'met', 'sent', 5, 5, 'false')""",
    )
    assert [row[1:4] for row in moved] == [("stage", "sent", "closedwon"), ("amount", "sent", "sent")]


def test_the_pipeline_is_summed_in_one_currency(warehouse: Warehouse) -> None:
    sums = answer(
        warehouse,
        "How much of the pipeline is at risk?",
        VW_DEAL_RISK="""
            SELECT
                COLUMN1 AS RISK_LEVEL, COLUMN2::NUMBER(15, 2) AS DEAL_AMOUNT,
                COLUMN3::NUMBER(15, 2) AS DEAL_AMOUNT_IN_HOME_CURRENCY, COLUMN4 AS CALL_COUNT
            FROM VALUES ('Low', 900000, 10, 1), ('Low', 20, 20, 2), ('High', 5, 5, 0), ('High', NULL, NULL, 4)""",
    )
    assert sums == [("Low", 2, Decimal(30), 3), ("High", 2, Decimal(5), 4)]


def test_a_call_without_a_deal_is_told_from_one_whose_deal_hubspot_does_not_have(
    warehouse: Warehouse,
) -> None:
    outcomes = answer(
        warehouse,
        "How do won deals sound, compared with the others?",
        VW_ENRICHED_GONG_CALLS="""
            SELECT
                COLUMN1 AS CRM_OPPORTUNITY_ID, COLUMN2 AS HUBSPOT_DEAL_ID, COLUMN3 AS DEAL_OUTCOME,
                COLUMN4::FLOAT AS CUSTOMER_SENTIMENT, 0.5::FLOAT AS TALK_RATIO, 2 AS CUSTOMER_QUESTION_COUNT
            FROM VALUES
                ('1', '1', 'Won', 0.5), ('1', '1', 'Won', 0.25), ('2', '2', NULL, -0.5), ('006', NULL, NULL, -0.5),
                (NULL, NULL, NULL, 0)""",
    )
    assert [row[:4] for row in outcomes] == [
        ("No Deal", 1, 0, 0.0),
        ("Not in HubSpot", 2, 1, -0.5),
        ("Won", 2, 1, 0.375),
    ]


def test_two_reps_of_one_name_are_two(warehouse: Warehouse) -> None:
    sellers = answer(
        warehouse,
        "Who sells, and how?",
        VW_SALES_PERFORMANCE_ANALYSIS="""
            SELECT
                COLUMN1 AS PRIMARY_USER_ID, COLUMN2 AS SALES_REP, COLUMN3 AS TOTAL_CALLS, COLUMN4 AS DEALS_WON,
                COLUMN5::NUMBER(38, 2) AS REVENUE_WON, COLUMN6::FLOAT AS AVG_TALK_RATIO
            FROM VALUES
                ('1', 'Ann Lee', 3, 1, 10, 0.5), ('1', 'Ann Lee', 1, 1, 20, 0.25), ('2', 'Ann Lee', 4, 0, 0, NULL),
                (NULL, NULL, 5, 1, 5, 0.5)""",
    )
    assert sellers == [
        ("Ann Lee", 4, 2, Decimal(30), 0.44),
        (None, 5, 1, Decimal(5), 0.5),
        ("Ann Lee", 4, 0, Decimal(0), None),
    ]
