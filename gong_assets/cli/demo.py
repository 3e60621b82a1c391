"""The demonstration: the whole graph over the last days, and then what agents would see of it."""

from __future__ import annotations

from datetime import UTC, datetime

from gong_assets.agents import analyze_call, coaching_opportunities, similar_segments
from gong_assets.cli import output
from gong_assets.cli.sync import run_sync
from gong_assets.dates import DateRange
from gong_assets.settings import Settings
from gong_assets.warehouse.connection import open_warehouse

QUESTION = "the customer finds the price too high"


def run(settings: Settings, days: int) -> None:
    today = datetime.now(UTC).date()
    span = DateRange.lookback(today, days, not_before=settings.gong_start_date)

    output.heading(f"The graph over the last {days} days, through Dagster")
    with output.Progress() as progress:
        report = run_sync(settings, span, watcher=progress)
    output.run_report(report)

    warehouse = open_warehouse(settings)
    output.heading("Calls that need coaching, worst first (gong-assets coach)")
    coaching = coaching_opportunities(warehouse, days=days, limit=5)
    output.coaching(coaching, as_json=False)

    worst = min(coaching, key=lambda call: call.sentiment_score or 0.0, default=None)
    if worst:
        output.heading(f"One of them analysed (gong-assets analyze {worst.call_id})")
        output.analysis(analyze_call(warehouse, worst.call_id), as_json=False)

    output.heading(f'Segments by meaning (gong-assets search "{QUESTION}")')
    output.segments(similar_segments(warehouse, QUESTION, limit=5), as_json=False)

    if settings.needs_local_stack:
        output.line(
            "\nGong is simulated here, and Cortex has stand-ins. The local stack goes on running: `make dev` opens the "
            "graph in the Dagster UI, `gong-assets local down` stops the stack."
        )
