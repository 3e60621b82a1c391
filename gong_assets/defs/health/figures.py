"""Figures of the health report, from the monitoring views and the Cortex tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from gong_assets.warehouse import report_queries as queries
from gong_assets.warehouse.connection import Warehouse, fetch
from gong_assets.warehouse.queries import existing_tables
from gong_assets.warehouse.standing_queries import cortex_spending

DEFAULT_DAYS = 30
RATE_DAYS = 7


@dataclass(frozen=True)
class HealthWindow:
    """Throughput, latency in minutes, error rate from 0 to 1, and status of one time window.

    The latency is that of the timed calls.
    """

    name: str
    status: str
    landed_calls: int
    calls_per_hour: float
    median_minutes: float | None
    p95_minutes: float | None
    error_rate: float | None
    waiting_calls: int
    timed_calls: int


@dataclass(frozen=True)
class DayFigures:
    """The calls of one day by call date, and the latency of the timed ones as in VW_PIPELINE_HEALTH."""

    day: date
    calls: int = 0
    staged_calls: int = 0
    calls_with_transcript: int = 0
    failed_calls: int = 0
    median_minutes: float | None = None
    p95_minutes: float | None = None
    timed_calls: int = 0

    @property
    def transcript_coverage(self) -> float | None:
        """Fraction of the staged calls with a transcript, from 0 to 1."""
        return self.calls_with_transcript / self.staged_calls if self.staged_calls else None


@dataclass(frozen=True)
class WeekFigures:
    """Mean sentiment in [-1, 1] of the calls of one week."""

    week: date
    calls: int
    sentiment: float | None
    customer_sentiment: float | None
    seller_sentiment: float | None


@dataclass(frozen=True)
class FunctionCost:
    """Calls, tokens and estimated dollars of one Cortex function."""

    name: str
    calls: int
    tokens: int
    dollars: float


@dataclass(frozen=True)
class PipelineFigures:
    """All figures of the report.

    Attributes:
        last_read_at: when Gong was last read, in UTC; None if it never was.
        requests_left: Gong requests left today, or None without a limit.
        unavailable: sources that do not exist yet; their figures are missing.
    """

    days: Sequence[DayFigures]
    computed_at: datetime
    windows: Sequence[HealthWindow] = ()
    weeks: Sequence[WeekFigures] = ()
    costs: Sequence[FunctionCost] = ()
    last_read_at: datetime | None = None
    requests_left: int | None = None
    requests_per_day: int = 0
    unavailable: Sequence[str] = field(default=())

    @property
    def last_week(self) -> HealthWindow | None:
        return next((window for window in self.windows if window.name == "Last 7 Days"), None)

    @property
    def calls(self) -> int:
        return sum(day.calls for day in self.days)

    @property
    def transcript_coverage(self) -> float | None:
        staged = sum(day.staged_calls for day in self.days)
        return sum(day.calls_with_transcript for day in self.days) / staged if staged else None

    @property
    def calls_per_day(self) -> float | None:
        """Mean number of calls by call date, over the last full days since the first one with calls.

        A week of full days, because today is not over, and weekends have fewer calls. When the calls were
        landed does not matter: a backfill lands those of many days at once.
        """
        today = self.computed_at.date()
        counts = [day.calls for day in self.days if day.day < today][-RATE_DAYS:]
        while counts and not counts[0]:
            del counts[0]
        return sum(counts) / len(counts) if counts else None

    @property
    def dollars(self) -> float | None:
        """Estimated dollars of the period; None if Cortex has never been used."""
        if queries.BATCHES in self.unavailable:
            return None
        return sum(cost.dollars for cost in self.costs)


def pipeline_figures(
    warehouse: Warehouse,
    *,
    days: int = DEFAULT_DAYS,
    requests_left: int | None = None,
    requests_per_day: int = 0,
) -> PipelineFigures:
    """Read the figures of the last `days` days, in one connection and at most five statements.

    Args:
        requests_left: Gong requests left today, which the warehouse does not know.
        requests_per_day: the limit of Gong requests per day; 0 without a limit.

    Raises:
        WarehouseError: the warehouse cannot be reached or refused a statement.
    """
    now = datetime.now(UTC)
    first = now.date() - timedelta(days=days - 1)
    monday = first - timedelta(days=first.weekday())
    with warehouse.connect() as connection:
        existing = existing_tables(connection)

        def rows(source: str, sql: str, *parameters: Any) -> list[dict[str, Any]]:
            return fetch(connection, sql, parameters or None) if source in existing else []

        windows = rows(queries.HEALTH, queries.health_windows())
        by_day = {row["DAY"]: row for row in rows(queries.STATUS, queries.calls_by_day(), first)}
        weeks = rows(queries.SENTIMENT, queries.sentiment_by_week(), monday)
        costs = rows(queries.BATCHES, cortex_spending(), days)
    return PipelineFigures(
        days=[_day(first + timedelta(days=number), by_day) for number in range(days)],
        computed_at=now.replace(tzinfo=None, microsecond=0),
        windows=[_window(row) for row in windows],
        weeks=[_week(row) for row in weeks],
        costs=[_cost(row) for row in costs],
        last_read_at=windows[0]["LAST_READ_AT_UTC"] if windows else None,
        requests_left=requests_left,
        requests_per_day=requests_per_day,
        unavailable=sorted({queries.HEALTH, queries.STATUS, queries.SENTIMENT, queries.BATCHES} - existing),
    )


def _week(row: Mapping[str, Any]) -> WeekFigures:
    return WeekFigures(
        week=row["WEEK"],
        calls=int(row["CALLS"]),
        sentiment=row["SENTIMENT"],
        customer_sentiment=row["CUSTOMER_SENTIMENT"],
        seller_sentiment=row["SELLER_SENTIMENT"],
    )


def _cost(row: Mapping[str, Any]) -> FunctionCost:
    return FunctionCost(
        row["FUNCTION_NAME"], int(row["CALLS"]), int(row["TOKENS"]), float(row["DOLLARS"] or 0)
    )


def _window(row: Mapping[str, Any]) -> HealthWindow:
    return HealthWindow(
        name=row["HEALTH_WINDOW"],
        status=row["HEALTH_STATUS"],
        landed_calls=int(row["LANDED_CALLS"]),
        calls_per_hour=float(row["CALLS_PER_HOUR"]),
        median_minutes=row["MEDIAN_LATENCY_MINUTES"],
        p95_minutes=row["P95_LATENCY_MINUTES"],
        error_rate=row["ERROR_RATE"],
        waiting_calls=int(row["WAITING_CALLS"]),
        timed_calls=int(row["TIMED_CALLS"]),
    )


def _day(day: date, by_day: Mapping[date, Mapping[str, Any]]) -> DayFigures:
    row = by_day.get(day)
    if row is None:
        return DayFigures(day)
    return DayFigures(
        day,
        calls=int(row["CALLS"]),
        staged_calls=int(row["STAGED_CALLS"]),
        calls_with_transcript=int(row["CALLS_WITH_TRANSCRIPT"]),
        failed_calls=int(row["FAILED_CALLS"]),
        median_minutes=row["MEDIAN_MINUTES"],
        p95_minutes=row["P95_MINUTES"],
        timed_calls=int(row["TIMED_CALLS"]),
    )
