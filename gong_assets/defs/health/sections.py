"""Content of the report, the same for the Dagster UI and the HTML page: key figures, charts and tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from gong_assets.defs.health.charts import Series, bar_chart, line_chart, row_chart
from gong_assets.defs.health.figures import RATE_DAYS, HealthWindow, PipelineFigures

NONE = "–"
_MINUTES_PER_DAY = 24 * 60
_LATENCY = "end of the call to Cortex's first results, or until now if it waits for them"


@dataclass(frozen=True)
class KeyFigure:
    """One number, with what it means."""

    name: str
    value: str
    note: str


@dataclass(frozen=True)
class Section:
    """A chart with its legend, and the same numbers as a table.

    Attributes:
        svg: the chart, or an empty text if there is nothing to show.
        legend: names of the series, in the order of their colors; empty for one series.
    """

    title: str
    description: str
    svg: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    legend: tuple[str, ...] = ()


def title_of(figures: PipelineFigures) -> str:
    return f"Gong pipeline, {figures.days[0].day} to {figures.days[-1].day}"


def overall_status(figures: PipelineFigures) -> str:
    """Return the status of the last 7 days."""
    return figures.last_week.status if figures.last_week else "Empty"


def key_figures(figures: PipelineFigures) -> Iterator[KeyFigure]:
    """Yield the numbers by which users judge a pipeline."""
    week = figures.last_week
    rate = figures.calls_per_day
    full_days = min(RATE_DAYS, len(figures.days) - 1)
    yield KeyFigure(
        "Ingestion rate",
        NONE if rate is None else f"{rate:,.1f}",
        f"calls a day by call date, last {full_days} full days (UTC), since the first with calls",
    )
    yield KeyFigure(
        "Processing latency",
        duration(week.p95_minutes if week else None),
        f"95 % of {_timed_calls(week.timed_calls if week else 0)} of the last 7 days: {_LATENCY}",
    )
    yield KeyFigure(
        "Error rate", percent(week.error_rate if week else None), "invalid or failed calls, last 7 days"
    )
    yield KeyFigure(
        "Data freshness", age(figures.last_read_at, figures.computed_at), "since Gong was last read"
    )
    yield KeyFigure(
        "Transcript coverage", percent(figures.transcript_coverage), "staged calls with a transcript"
    )
    left = NONE if figures.requests_left is None else f"{figures.requests_left:,}"
    limit = f"of {figures.requests_per_day:,} today" if figures.requests_per_day else "no limit is set"
    yield KeyFigure("Gong requests left", left, limit)
    yield KeyFigure("Cortex cost", dollars(figures.dollars), f"estimated, last {len(figures.days)} days")


def sections(figures: PipelineFigures) -> list[Section]:
    """Return the charts of the report. One without data has an empty `svg`."""
    return [
        _calls(figures),
        _coverage(figures),
        _latency(figures),
        _sentiment(figures),
        _cost(figures),
    ]


def health_table(windows: Sequence[HealthWindow]) -> tuple[Sequence[str], Sequence[Sequence[str]]]:
    """Return the columns and rows of the table of time windows."""
    columns = (
        "Window",
        "Status",
        "Calls",
        "Calls per hour",
        "Timed calls",
        "Median latency",
        "95 % latency",
        "Errors",
        "Waiting",
    )
    rows = [
        (
            window.name,
            window.status,
            f"{window.landed_calls:,}",
            f"{window.calls_per_hour:.2f}",
            f"{window.timed_calls:,}",
            duration(window.median_minutes),
            duration(window.p95_minutes),
            percent(window.error_rate),
            f"{window.waiting_calls:,}",
        )
        for window in windows
    ]
    return columns, rows


def _calls(figures: PipelineFigures) -> Section:
    days = figures.days
    title = "Calls a day"
    series = Series("calls", [float(day.calls) for day in days])
    svg = bar_chart(title, [f"{day.day:%b %d}" for day in days], series, _whole) if figures.calls else ""
    rows = [(str(day.day), f"{day.calls:,}", f"{day.failed_calls:,}") for day in reversed(days)]
    return Section(title, "Landed calls by their UTC date.", svg, ("Day", "Calls", "Invalid or failed"), rows)


def _coverage(figures: PipelineFigures) -> Section:
    days = figures.days
    title = "Transcript coverage"
    series = [Series("coverage", [day.transcript_coverage for day in days])]
    labels = [f"{day.day:%b %d}" for day in days]
    svg = line_chart(title, labels, series, percent, (0, 1)) if figures.calls else ""
    rows = [
        (
            str(day.day),
            f"{day.calls_with_transcript:,} of {day.staged_calls:,}",
            percent(day.transcript_coverage),
        )
        for day in reversed(days)
    ]
    columns = ("Day", "Calls with a transcript", "Coverage")
    return Section(title, "Fraction of the staged calls of a day with a transcript.", svg, columns, rows)


def _latency(figures: PipelineFigures) -> Section:
    days = figures.days
    title = "Latency from the end of a call to agent-ready"
    series = [
        Series("95 %", [day.p95_minutes for day in days]),
        Series("Median", [day.median_minutes for day in days]),
    ]
    has_data = any(value is not None for each in series for value in each.values)
    labels = [f"{day.day:%b %d}" for day in days]
    svg = line_chart(title, labels, series, duration) if has_data else ""
    rows = [
        (str(day.day), f"{day.timed_calls:,}", duration(day.median_minutes), duration(day.p95_minutes))
        for day in reversed(days)
        if day.median_minutes is not None
    ]
    description = f"From the {_LATENCY}. Calls that ended before the first landing are left out."
    columns = ("Day", "Timed calls", "Median", "95 %")
    return Section(title, description, svg, columns, rows, ("95 %", "Median"))


def _sentiment(figures: PipelineFigures) -> Section:
    weeks = figures.weeks
    title = "Sentiment by week"
    series = [
        Series("All speakers", [week.sentiment for week in weeks]),
        Series("Customers", [week.customer_sentiment for week in weeks]),
        Series("Sellers", [week.seller_sentiment for week in weeks]),
    ]
    labels = [f"{week.week:%b %d}" for week in weeks]
    # Means of many calls are near zero; on an axis from -1 to 1 they would be a flat line.
    scores = [abs(value) for each in series for value in each.values if value is not None]
    end = 1.0 if max(scores, default=0.0) > 0.5 else 0.5
    svg = line_chart(title, labels, series, _score, (-end, end)) if scores else ""
    rows = [
        (
            str(week.week),
            f"{week.calls:,}",
            _score(week.sentiment),
            _score(week.customer_sentiment),
            _score(week.seller_sentiment),
        )
        for week in reversed(weeks)
    ]
    names = tuple(each.name for each in series)
    description = "Mean of the calls of each week, from -1 to 1. Weeks begin on Monday."
    return Section(title, description, svg, ("Week", "Calls", *names), rows, names)


def _cost(figures: PipelineFigures) -> Section:
    costs = sorted(figures.costs, key=lambda cost: -cost.dollars)
    title = "Cortex cost by function"
    svg = row_chart(title, [c.name for c in costs], [c.dollars for c in costs], dollars) if costs else ""
    rows = [(c.name, f"{c.calls:,}", f"{c.tokens:,}", dollars(c.dollars)) for c in costs]
    description = (
        f"Estimated for the batches of the last {len(figures.days)} days, at the prices of the dbt vars."
    )
    return Section(title, description, svg, ("Function", "Calls", "Tokens", "Dollars"), rows)


def _timed_calls(number: int) -> str:
    return "1 timed call" if number == 1 else f"{number:,} timed calls"


def percent(fraction: float | None) -> str:
    return NONE if fraction is None else f"{fraction:.1%}".replace(".0%", "%").replace("%", " %")


def duration(minutes: float | None) -> str:
    """Return the minutes as text, such as `45 min`, `3.5 h` or `2 d`."""
    if minutes is None:
        return NONE
    if minutes < 90:
        return f"{minutes:.0f} min"
    value, unit = (minutes / 60, "h") if minutes < 2 * _MINUTES_PER_DAY else (minutes / _MINUTES_PER_DAY, "d")
    return f"{value:.1f} {unit}".replace(".0 ", " ")


def age(moment: datetime | None, now: datetime) -> str:
    return duration(max(0.0, (now - moment).total_seconds() / 60) if moment else None)


def dollars(amount: float | None) -> str:
    if amount is None:
        return NONE
    return f"${amount:,.2f}" if amount >= 0.005 or amount == 0 else f"${amount:.4f}"


def _whole(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) else f"{value:,.1f}"


def _score(value: float | None) -> str:
    return NONE if value is None else f"{value:.2f}"
