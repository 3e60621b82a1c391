"""Every query of docs/cookbook.md over a company's month, and some over rows made for them."""

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
    """A question with its query and its sample result."""

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


def test_every_question_has_a_sample_result() -> None:
    assert len(RECIPES) >= 12
    for recipe in RECIPES:
        assert recipe.rows, recipe.question
        # A row of a Markdown table has as many cells as the header.
        assert {row.count("|") for row in recipe.rows} == {len(recipe.columns) + 1}, recipe.question


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.question)
def test_a_query_returns_rows_with_the_columns_of_the_sample(
    recipe: Recipe, first_run: Run, company_warehouse: Warehouse
) -> None:
    assert first_run.tables
    rows = company_warehouse.query(recipe.sql)
    assert rows, recipe.sql
    assert list(rows[0]) == recipe.columns


def query_result(warehouse: Warehouse, question: str, **tables: str) -> list[tuple[object, ...]]:
    """Create the tables from their SELECTs, and return the rows of the question's query."""
    (recipe,) = (recipe for recipe in RECIPES if recipe.question == question)
    for name, select in tables.items():
        warehouse.query(f"CREATE TABLE {name} AS {select}")
    return [tuple(row.values()) for row in warehouse.query(recipe.sql)]


def test_a_deal_has_changed_if_its_fields_differ_from_its_last_call(warehouse: Warehouse) -> None:
    """Covers changes after, before and between calls, and after a call that is no longer linked."""
    changed = query_result(
        warehouse,
        "Which deals have changed since their last call?",
        STG_GONG_CALLS="""
            SELECT COLUMN1 AS CALL_ID, COLUMN2::TIMESTAMP_NTZ AS CALL_DATETIME_UTC
            FROM VALUES
                ('1', '2026-11-01 10:00:00'), ('2', '2026-11-02 16:00:00'), ('3', '2026-11-02 10:00:00')""",
        STG_HUBSPOT_DEAL_STAGES="""
            SELECT COLUMN1 AS STAGE_ID, COLUMN2 AS STAGE_LABEL
            FROM VALUES ('closedwon', 'Closed Won'), ('met', NULL)""",
        STG_GONG_CALL_CRM_LINKS="""
            SELECT
                COLUMN1 || COLUMN2 AS CRM_LINK_ID, COLUMN1 AS CALL_ID,
                COLUMN2 AS OBJECT_ID, COLUMN2 AS OBJECT_NAME,
                COLUMN3 AS STAGE_AT_CALL, COLUMN4 AS STAGE_NOW, COLUMN5::NUMBER(15, 2) AS AMOUNT_AT_CALL,
                COLUMN6::NUMBER(15, 2) AS AMOUNT_NOW, 'EUR' AS CURRENCY_CODE_NOW,
                COLUMN7::BOOLEAN AS IS_CURRENT,
                IFF(COLUMN1 = '1', '2026-11-01', '2026-11-02')::DATE AS CALL_DATE, 'HubSpot' AS CRM_SYSTEM,
                'Opportunity' AS OBJECT_TYPE
            FROM VALUES
                ('2', 'stage', 'sent', 'closedwon', 5, 5, 'true'),
                ('3', 'stage', 'met', 'closedwon', 5, 5, 'true'),
                ('1', 'amount', 'sent', 'sent', 5, 6, 'true'), ('1', 'before', 'met', 'sent', 5, 5, 'true'),
                ('2', 'before', 'sent', 'sent', 5, 5, 'true'), ('1', 'stayed', 'sent', 'sent', 5, 5, 'true'),
                ('1', 'unlinked', 'met', 'sent', 5, 5, 'false')""",
    )
    assert [row[1:4] for row in changed] == [("stage", "sent", "Closed Won"), ("amount", "sent", "sent")]


def test_the_pipeline_is_summed_in_the_home_currency(warehouse: Warehouse) -> None:
    sums = query_result(
        warehouse,
        "How much of the pipeline is at risk?",
        VW_DEAL_RISK="""
            SELECT
                COLUMN1 AS RISK_LEVEL, COLUMN2::NUMBER(15, 2) AS DEAL_AMOUNT,
                COLUMN3::NUMBER(15, 2) AS DEAL_AMOUNT_IN_HOME_CURRENCY, COLUMN4 AS CALL_COUNT
            FROM VALUES
                ('Low', 900000, 10, 1), ('Low', 20, 20, 2), ('High', 5, 5, 0), ('High', NULL, NULL, 4)""",
    )
    assert sums == [("Low", 2, Decimal(30), 0, 3), ("High", 2, Decimal(5), 1, 4)]


def test_calls_without_a_deal_and_calls_with_a_deal_missing_in_hubspot_are_separate(
    warehouse: Warehouse,
) -> None:
    outcomes = query_result(
        warehouse,
        "How do calls of won deals differ from others?",
        VW_ENRICHED_GONG_CALLS="""
            SELECT
                COLUMN1 AS CRM_OPPORTUNITY_ID, COLUMN2 AS HUBSPOT_DEAL_ID, COLUMN3 AS DEAL_OUTCOME,
                COLUMN4::FLOAT AS CUSTOMER_SENTIMENT, 0.5::FLOAT AS TALK_RATIO, 2 AS CUSTOMER_QUESTION_COUNT,
                COLUMN5::BOOLEAN AS IS_SALES_CALL
            FROM VALUES
                ('1', '1', 'Won', 0.5, TRUE), ('1', '1', 'Won', 0.25, TRUE), ('2', '2', NULL, -0.5, TRUE),
                ('006', NULL, NULL, -0.5, TRUE), ('1', '1', 'Won', -1, FALSE),
                (NULL, NULL, NULL, 0, TRUE)""",
    )
    assert [row[:4] for row in outcomes] == [
        ("No Deal", 1, 0, 0.0),
        ("Not in HubSpot", 2, 1, -0.5),
        ("Won", 2, 1, 0.375),
    ]


def test_a_mean_over_months_is_weighted_by_the_measured_calls_of_each_rep(warehouse: Warehouse) -> None:
    """One of Ann's nine calls of a month is measured. Two reps share a name, and one row is nobody's."""
    sellers = query_result(
        warehouse,
        "How do sales reps perform?",
        VW_SALES_PERFORMANCE_ANALYSIS="""
            SELECT
                COLUMN1 AS PRIMARY_USER_ID, COLUMN2 AS SALES_REP, COLUMN3 AS SALES_CALLS,
                COLUMN4 AS DEALS_WON, COLUMN5::NUMBER(38, 2) AS REVENUE_WON, COLUMN6::FLOAT AS AVG_TALK_RATIO,
                COLUMN7 AS CALLS_WITH_TALK_RATIO, COLUMN8 AS DEALS_WON_WITHOUT_HOME_AMOUNT
            FROM VALUES
                ('1', 'Ann Lee', 9, 1, 10, 0.9, 1, 0), ('1', 'Ann Lee', 9, 2, 20, 0.4, 9, 1),
                ('1', 'Ann Lee', 0, 0, 0, NULL, 0, 0), ('2', 'Ann Lee', 4, 0, 0, NULL, 0, 0),
                (NULL, NULL, 0, 1, 5, NULL, 0, 0)""",
    )
    assert sellers == [
        ("Ann Lee", 18, 3, Decimal(30), 1, 0.45),
        (None, 0, 1, Decimal(5), 0, None),
        ("Ann Lee", 4, 0, Decimal(0), 0, None),
    ]


def test_a_statement_is_listed_once_however_often_it_mentions_a_competitor(warehouse: Warehouse) -> None:
    said = query_result(
        warehouse,
        "What do people say when they mention a competitor?",
        STG_GONG_CALL_TRACKER_OCCURRENCES="""
            SELECT
                COLUMN1 AS OCCURRENCE_ID, '1' AS CALL_ID, 'Competitors' AS TRACKER_NAME, COLUMN2 AS PHRASE,
                COLUMN3::FLOAT AS STARTED_AT_SECONDS
            FROM VALUES ('a', 'loadsmith', 5), ('b', 'loadsmith', 6), ('c', 'freight', 7), ('d', NULL, 25)""",
        VW_ENRICHED_GONG_CALL_TRANSCRIPTS="""
            SELECT
                COLUMN1 AS TRANSCRIPT_ID, '1' AS CALL_ID, '2026-11-10'::DATE AS CALL_DATE,
                'Carl' AS SPEAKER_NAME, COLUMN2::FLOAT AS START_TIME_SECONDS,
                COLUMN1 || ' said' AS TRANSCRIPT_TEXT
            FROM VALUES ('1_0', 0), ('1_1', 20), ('1_2', 30)""",
    )
    assert [row[1:] for row in said] == [
        ("Carl", "freight, loadsmith", 3, "1_0 said"),
        ("Carl", "", 1, "1_1 said"),
    ]
