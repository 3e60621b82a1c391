"""`gong-assets demo`: materializes the graph for the last days, then prints sample agent queries."""

from __future__ import annotations

from datetime import UTC, datetime

from gong_assets.agents import analyze_call, coaching_opportunities, similar_segments
from gong_assets.cli import answers, output
from gong_assets.cli.progress import Progress
from gong_assets.cli.sync import run_sync
from gong_assets.dates import DateRange
from gong_assets.defs.first_partition import with_first_partition
from gong_assets.settings import Settings
from gong_assets.warehouse.connection import Warehouse, open_warehouse

SEARCH_TEXT = "the customer finds the price too high"


def run_demo(settings: Settings, days: int) -> None:
    """Materialize the last `days` days, up to and including today, and print what agents see."""
    settings = with_first_partition(settings)
    today = datetime.now(UTC).date()
    output.heading(f"The graph for the last {days} days, materialized by Dagster")
    with Progress() as progress:
        report = run_sync(
            settings,
            DateRange.lookback(today, days, not_before=settings.first_day(today)),
            listener=progress,
        )
    output.run_report(report)
    _print_agent_queries(open_warehouse(settings), days)
    if settings.needs_local_stack:
        output.line("")
        output.line(
            "This data comes from a simulated Gong tenant, and stand-ins replace the Cortex functions. "
            "The local stack is still running: `gong-assets dev` opens the graph in the Dagster UI, and "
            "`gong-assets local down` stops the stack."
        )


def _print_agent_queries(warehouse: Warehouse, days: int) -> None:
    output.heading("Calls that need coaching, worst first (gong-assets coach)")
    coaching = coaching_opportunities(warehouse, days=days, limit=5)
    answers.coaching(coaching)

    if coaching.calls:
        worst = min(coaching.calls, key=lambda call: call.sentiment_score or 0.0)
        output.heading(f"Analysis of one of them (gong-assets analyze {worst.call_id})")
        answers.analysis(analyze_call(warehouse, worst.call_id))

    output.heading(f'Segments with a similar meaning (gong-assets search "{SEARCH_TEXT}")')
    answers.segments(similar_segments(warehouse, SEARCH_TEXT, limit=5))
