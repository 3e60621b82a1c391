"""The health report: its figures, and the pages that show them."""

from __future__ import annotations

import base64
import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser
from xml.etree import ElementTree

from gong_assets.defs.health.figures import (
    DayFigures,
    FunctionCost,
    HealthWindow,
    PipelineFigures,
    WeekFigures,
    pipeline_figures,
)
from gong_assets.defs.health.markdown import markdown_report
from gong_assets.defs.health.page import html_report
from gong_assets.defs.health.sections import duration, health_table, key_figures, percent, sections
from gong_assets.ingestion.streams import RAW_TABLES
from gong_assets.warehouse.connection import Warehouse
from gong_assets.warehouse.tables import create_raw_tables

FIGURES = PipelineFigures(
    days=[
        DayFigures(date(2026, 3, 1) + timedelta(days=day), day, day, max(0, day - 1), 0, 40.0 + day, 90.0)
        for day in range(7)
    ],
    computed_at=datetime(2026, 3, 7, 12),
    windows=[HealthWindow("Last 7 Days", "Healthy <b>", 21, 0.125, 45.0, 200.0, 0.015, 2, 5)],
    weeks=[WeekFigures(date(2026, 3, 2), 21, 0.2, None, 0.3)],
    costs=[FunctionCost("AI_EMBED", 100, 5000, 0.0005), FunctionCost("AI_EXTRACT", 10, 9000, 1.5)],
    last_read_at=datetime(2026, 3, 7, 10),
    requests_left=9_000,
    requests_per_day=10_000,
)


def test_the_key_figures_are_those_by_which_users_judge_a_pipeline() -> None:
    assert {each.name: each.value for each in key_figures(FIGURES)} == {
        "Ingestion rate": "3.0",
        "Processing latency": "3.3 h",
        "Error rate": "1.5 %",
        "Data freshness": "2 h",
        "Transcript coverage": "71.4 %",
        "Gong requests left": "9,000",
        "Cortex cost": "$1.50",
    }
    assert [duration(minutes) for minutes in (None, 45, 600, 5000)] == ["–", "45 min", "10 h", "3.5 d"]
    assert [percent(fraction) for fraction in (None, 0, 1, 0.005)] == ["–", "0 %", "100 %", "0.5 %"]


def test_the_latency_has_the_number_of_its_calls() -> None:
    notes = {each.name: each.note for each in key_figures(FIGURES)}
    assert notes["Processing latency"].startswith("95 % of 5 timed calls of the last 7 days: end of the call")
    columns, (row,) = health_table(FIGURES.windows)
    assert dict(zip(columns, row, strict=True))["Timed calls"] == "5"


def test_the_latency_of_a_day_is_that_of_its_ready_and_waiting_calls(warehouse: Warehouse) -> None:
    with warehouse.connect() as connection, connection.cursor() as cursor:
        create_raw_tables(connection, RAW_TABLES)
        cursor.execute(
            "INSERT INTO GONG_CALLS_RAW (CALL_ID, RAW_DATA, CALL_DATE, INGESTED_AT, CONTENT_HASH, SOURCE) "
            "SELECT 'first', PARSE_JSON('{}'), CURRENT_DATE(), DATEADD('hour', -9, CURRENT_TIMESTAMP()), "
            "'h', 'api'"
        )
        cursor.execute(
            "CREATE TABLE STG_GONG_CALLS AS SELECT COLUMN1 AS CALL_ID, 0 AS CALL_DURATION_SECONDS, "
            "DATEADD('hour', COLUMN2, SYSDATE()) AS CALL_DATETIME_UTC "
            "FROM VALUES ('ready', -3), ('waiting', -5), ('silent', -3), ('backfilled', -90), "
            "('misdated', 9), ('misdated and waiting', 9)"
        )
        cursor.execute(
            "CREATE TABLE VW_GONG_INGESTION_STATUS AS SELECT COLUMN1 AS CALL_ID, "
            "SYSDATE()::DATE AS CALL_DATE, CURRENT_TIMESTAMP() AS CALL_LANDED_AT, TRUE AS IS_STAGED, "
            "IFF(COLUMN3, CURRENT_TIMESTAMP(), NULL) AS TRANSCRIPT_LANDED_AT, COLUMN2 AS INGESTION_STATUS, "
            "IFF(COLUMN2 = 'Enriched', DATEADD('hour', -2, CURRENT_TIMESTAMP()), NULL) AS FIRST_PROCESSED_AT "
            "FROM VALUES ('ready', 'Enriched', TRUE), ('waiting', 'Staged', TRUE), "
            "('silent', 'Landed', FALSE), ('backfilled', 'Enriched', TRUE), ('misdated', 'Enriched', TRUE), "
            "('misdated and waiting', 'Staged', TRUE)"
        )
    figures = pipeline_figures(warehouse, days=2)
    (day,) = [each for each in figures.days if each.calls]
    assert (day.timed_calls, round(day.median_minutes or 0)) == (2, 180)  # Of 1 hour and of 5 hours.
    (latency,) = [each for each in sections(figures) if each.title.startswith("Latency")]
    assert latency.rows[0][:3] == (str(datetime.now(UTC).date()), "2", "3 h")


def test_a_week_in_the_future_is_not_shown(warehouse: Warehouse) -> None:
    today = datetime.now(UTC).date()
    with warehouse.connect() as connection, connection.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE CORTEX_GONG_CALLS AS SELECT COLUMN1::DATE AS CALL_DATE, 0.5::FLOAT AS "
            "SENTIMENT_SCORE, NULL::FLOAT AS CUSTOMER_SENTIMENT, NULL::FLOAT AS SELLER_SENTIMENT "
            f"FROM VALUES ('{today}'), ('2099-01-01')"
        )
    (week,) = pipeline_figures(warehouse, days=2).weeks
    assert (week.week, week.calls) == (today - timedelta(days=today.weekday()), 1)


def test_the_rate_counts_calls_by_their_date_on_full_days_since_the_first_call() -> None:
    def rate(calls: list[int]) -> float | None:
        first = date(2026, 3, 1)
        days = [
            DayFigures(first + timedelta(days=number), count) for number, count in enumerate([*calls, 100])
        ]
        now = datetime(2026, 3, 1, 12) + timedelta(days=len(calls))
        return replace(FIGURES, days=days, computed_at=now).calls_per_day

    assert rate([50, 50, 9, 10, 0, 0, 11, 12, 14]) == 8  # Not the days before the last 7, nor today.
    assert rate([0, 0, 0, 0, 0, 0, 8, 0, 10]) == 6
    assert rate([0] * 9) is None
    assert rate([]) is None


class _Page(HTMLParser):
    """Collects what a page loads, and its headings."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.loaded += [value or "" for name, value in attrs if name in ("src", "href")]


def test_the_page_is_one_file_without_scripts_and_each_chart_has_a_name_and_a_table() -> None:
    html = html_report(FIGURES)
    page = _Page()
    page.feed(html)
    assert page.loaded == []
    assert "script" not in page.tags
    assert page.tags.count("svg") == page.tags.count("details") == 5
    for chart in re.findall(r"<svg.*?</svg>", html, re.DOTALL):
        assert ElementTree.fromstring(chart).get("aria-label")
    assert "prefers-color-scheme: dark" in html
    assert "width=device-width" in html
    assert "Healthy &lt;b&gt;" in html
    assert "<b>" not in html


def test_the_markdown_has_the_charts_as_images() -> None:
    markdown = markdown_report(FIGURES)
    images = re.findall(r"\(data:image/svg\+xml;base64,([^)]+)\)", markdown)
    assert len(images) == 5
    for image in images:
        svg = base64.b64decode(image).decode()
        ElementTree.fromstring(svg)
        assert "--series-0:" in svg  # It has its own colors.
    assert len(markdown) < 40_000  # Dagster stores it with each run.


def test_a_deployment_without_tables_has_an_empty_report(warehouse: Warehouse) -> None:
    figures = pipeline_figures(warehouse, days=3)
    assert len(figures.days) == 3
    assert "VW_PIPELINE_HEALTH" in figures.unavailable
    assert "No data in this period." in html_report(figures)
    assert "Not built yet" in markdown_report(figures)
    values = {each.name: each.value for each in key_figures(figures)}
    assert values == dict.fromkeys(values, "–")
    spent_nothing = replace(figures, unavailable=())
    assert {each.name: each.value for each in key_figures(spent_nothing)}["Cortex cost"] == "$0.00"
