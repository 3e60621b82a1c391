"""Commands about the pipeline itself: `report` and `cost`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gong_assets.cli import output
from gong_assets.cli.options import JsonOption

if TYPE_CHECKING:
    from gong_assets.defs.health.figures import PipelineFigures
    from gong_assets.settings import Settings


def report(
    file: Annotated[Path, typer.Option("--output", "-o", help="File to write.", dir_okay=False)] = Path(
        "gong_report.html"
    ),
    days: Annotated[
        int, typer.Option(min=1, max=366, help="Number of days, up to and including today.")
    ] = 30,
) -> None:
    """Write the health report as one HTML file: rate, latency, errors, freshness, sentiment and cost.

    The figures are those of the asset gong_pipeline_health. They have no texts of calls.
    """
    from gong_assets.defs.health.page import html_report
    from gong_assets.settings import load_settings

    with output.status("reading the figures"):
        figures = _figures(load_settings(), days)
    output.file(file, html_report(figures))
    output.line(f"Wrote {file.resolve()}")


def cost(
    calls_per_day: Annotated[
        float | None, typer.Option(min=0.1, max=100_000, help="Calls a day, instead of the landed average.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Estimate the cost of a day: warehouse minutes, Gong requests, and Cortex tokens and dollars.

    The averages of the last 30 days are used if there are any. docs/cost.md has the assumptions.
    """
    from gong_assets.defs.health.cost import estimate_for
    from gong_assets.settings import load_settings
    from gong_assets.warehouse.connection import open_warehouse

    settings = load_settings()
    with output.status("reading the averages"):
        estimated = estimate_for(settings, open_warehouse(settings), calls_per_day)
    output.cost_estimate(estimated, requests_per_day=settings.gong_max_requests_per_day, as_json=as_json)


def _figures(settings: Settings, days: int) -> PipelineFigures:
    from gong_assets.defs.health.figures import pipeline_figures
    from gong_assets.defs.resources import GongResource
    from gong_assets.warehouse.connection import open_warehouse

    gong = GongResource.from_settings(settings).process_config_and_initialize()
    return pipeline_figures(
        open_warehouse(settings, query_tag="gong_assets report"),
        days=days,
        requests_left=gong.client().stats.requests_left_today,
        requests_per_day=settings.gong_max_requests_per_day,
    )
