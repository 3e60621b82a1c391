"""The health report: its figures, and the pages that show them."""

from __future__ import annotations

import base64
import re
from dataclasses import replace
from datetime import date, datetime, timedelta
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
from gong_assets.defs.health.sections import duration, key_figures, percent
from gong_assets.warehouse.connection import Warehouse

FIGURES = PipelineFigures(
    days=[
        DayFigures(date(2026, 3, 1) + timedelta(days=day), day, day, max(0, day - 1), 0, 40.0 + day, 90.0)
        for day in range(7)
    ],
    computed_at=datetime(2026, 3, 7, 12),
    windows=[HealthWindow("Last 7 Days", "Healthy <b>", 21, 0.125, 45.0, 200.0, 0.015, 2)],
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
