"""Estimate of what a deployment costs a day: Snowflake's warehouse, Gong's requests, and Cortex.

Every constant is declared here. The limits of statements are compared with runs by tests; the others are
assumptions, which docs/cost.md states.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gong_assets.cortex.functions import Capability, Functions
from gong_assets.cortex.prices import Price, Prices
from gong_assets.defs.freshness import runs_per_day
from gong_assets.defs.options import DEFAULT_OPTIONS
from gong_assets.defs.schedules import (
    INGESTION_CRON,
    RECONCILIATION_CRON,
    REFERENCE_DATA_CRON,
    STANDING_CHECKS_CRON,
    hubspot_cron,
)
from gong_assets.settings import Settings
from gong_assets.settings.dbt_vars import default_vars
from gong_assets.warehouse import report_queries as queries
from gong_assets.warehouse.connection import Warehouse, fetch
from gong_assets.warehouse.queries import existing_tables

# Statements of one run: upper limits, to which tests hold the runs.
STATEMENTS_OF_LANDING = 15
STATEMENTS_OF_TRANSFORMATION = 200
STATEMENTS_OF_STANDING_CHECKS = 16
STATEMENTS_OF_RECONCILIATION = 15
STATEMENTS_OF_HUBSPOT_REFRESH = 60

# The sensor requests missing transcripts every 15 minutes; calls are held within ten hours.
TRANSCRIPT_RUNS_PER_DAY = 40

# An XS warehouse bills 1 credit an hour by the second, at least 60 s each time it resumes, and suspends
# itself after AUTO_SUSPEND of 60 s. A small statement takes a few tenths of a second on it.
SECONDS_PER_STATEMENT = 0.3
IDLE_SECONDS_PER_RUN = 60
CREDITS_PER_WAREHOUSE_HOUR = 1.0
# List price of the Enterprise edition in the United States.
DOLLARS_PER_WAREHOUSE_CREDIT = 3.0

# Gong's lists have 100 records per page. Statistics and activity are read by day, and lists of users and
# reviews once a run.
RECORDS_PER_PAGE = 100
REQUESTS_PER_LOOKBACK_DAY = 2
REQUESTS_PER_INGESTION = 5
REQUESTS_PER_REFERENCE_READ = 10
STANDING_CHECK_DAYS = 60
STANDING_CHECK_REQUESTS = 50

# Tokens of a call, where none were measured: 45 minutes of speech have 6,750 words, and 1.33 tokens a word.
TOKENS_PER_CALL = 9_000
SUMMARY_TOKENS = 400
# Questions about topics, next steps and risks are asked of the brief or the summary, for calls for which Gong
# gives no topics or no next steps. Prompt and answer are billed as well.
EXTRACTED_FRACTION = 0.5
EXTRACTION_TOKENS = SUMMARY_TOKENS + 120 + 300

DEFAULT_CALLS_PER_DAY = 20.0
MEASURED_DAYS = 30


@dataclass(frozen=True)
class CortexUse:
    """Tokens and dollars of one Cortex function for one call, at the price that was assumed."""

    function: str
    tokens: float
    dollars: float
    price: Price | None = None


@dataclass(frozen=True)
class CostEstimate:
    """Cost of a day with this many calls.

    Attributes:
        runs: number of runs by kind.
        is_measured: whether the Cortex figures are averages of the last days.
    """

    calls_per_day: float
    runs: Mapping[str, float]
    statements: float
    warehouse_minutes: float
    gong_requests: float
    cortex: Sequence[CortexUse]
    is_measured: bool

    @property
    def warehouse_credits(self) -> float:
        return self.warehouse_minutes / 60 * CREDITS_PER_WAREHOUSE_HOUR

    @property
    def warehouse_dollars(self) -> float:
        return self.warehouse_credits * DOLLARS_PER_WAREHOUSE_CREDIT

    @property
    def cortex_tokens(self) -> float:
        return self.calls_per_day * sum(use.tokens for use in self.cortex)

    @property
    def cortex_dollars(self) -> float:
        return self.calls_per_day * sum(use.dollars for use in self.cortex)


# Statements of each kind of run.
_STATEMENTS: Mapping[str, int] = {
    "landings": STATEMENTS_OF_LANDING,
    "transcripts": STATEMENTS_OF_LANDING,
    "transformations": STATEMENTS_OF_TRANSFORMATION,
    "reconciliations": STATEMENTS_OF_RECONCILIATION,
    "reference data": STATEMENTS_OF_LANDING,
    "HubSpot refreshes": STATEMENTS_OF_HUBSPOT_REFRESH,
    "standing checks": STATEMENTS_OF_STANDING_CHECKS,
}


def scheduled_runs(settings: Settings) -> Mapping[str, float]:
    """Return the number of runs a day by schedule, from its cron expression.

    The number for HubSpot is an upper limit: a connector's tables are only read after a change.
    """
    schedules = DEFAULT_OPTIONS.with_settings(settings).schedules
    crons = {
        "ingestion": INGESTION_CRON,
        "reconciliation": RECONCILIATION_CRON,
        "reference_data": REFERENCE_DATA_CRON,
        "hubspot": hubspot_cron(settings),
        "standing_checks": STANDING_CHECKS_CRON,
    }
    options = {name: getattr(schedules, name) for name in crons}
    return {
        name: runs_per_day(options[name].cron or cron, options[name].timezone) for name, cron in crons.items()
    }


def estimate(
    calls_per_day: float, settings: Settings, cortex: Sequence[CortexUse] | None = None
) -> CostEstimate:
    """Return the cost of a day. Without measured averages of `cortex`, those of the assumptions are used."""
    transcripts = min(TRANSCRIPT_RUNS_PER_DAY, calls_per_day)
    scheduled = scheduled_runs(settings)
    runs = {
        "landings": scheduled["ingestion"],
        "transcripts": transcripts,
        # A landing changes rows if a call ended since the last one.
        "transformations": min(scheduled["ingestion"], calls_per_day) + transcripts,
        "reconciliations": scheduled["reconciliation"],
        "reference data": scheduled["reference_data"],
        "HubSpot refreshes": scheduled["hubspot"],
        "standing checks": scheduled["standing_checks"],
    }
    sent = sum(runs[kind] * _STATEMENTS[kind] for kind in runs)
    # A transformation follows its landing while the warehouse is still awake.
    wakes = sum(number for kind, number in runs.items() if kind != "transformations")
    seconds = sent * SECONDS_PER_STATEMENT + wakes * IDLE_SECONDS_PER_RUN
    return CostEstimate(
        calls_per_day,
        runs,
        sent,
        min(seconds / 60, 24 * 60),
        transcripts + _requests(calls_per_day, settings, scheduled),
        cortex or assumed_cortex_use(),
        is_measured=cortex is not None,
    )


def _requests(calls_per_day: float, settings: Settings, runs: Mapping[str, float]) -> float:
    """Return the requests to Gong a day, without those for missing transcripts."""
    lookback_days = settings.gong_lookback_days
    pages = math.ceil(lookback_days * calls_per_day / RECORDS_PER_PAGE)
    ingestion = 2 * pages + lookback_days * REQUESTS_PER_LOOKBACK_DAY + REQUESTS_PER_INGESTION
    reconciliation = math.ceil(settings.gong_reconciliation_days * calls_per_day / RECORDS_PER_PAGE)
    check = min(STANDING_CHECK_REQUESTS, math.ceil(STANDING_CHECK_DAYS * calls_per_day / RECORDS_PER_PAGE))
    return (
        runs["ingestion"] * ingestion
        + runs["reconciliation"] * reconciliation
        + runs["standing_checks"] * check
        + runs["reference_data"] * REQUESTS_PER_REFERENCE_READ
    )


def assumed_cortex_use() -> list[CortexUse]:
    """Return the use of Cortex by a call of 45 minutes, with the default functions and prices."""
    functions, prices = Functions(default_vars()), Prices.of_vars(default_vars())
    tokens: dict[Capability, float] = {
        "embedding": TOKENS_PER_CALL,
        "sentiment": TOKENS_PER_CALL,
        "summary": TOKENS_PER_CALL + SUMMARY_TOKENS,
        "insights": EXTRACTED_FRACTION * EXTRACTION_TOKENS,
    }
    return [
        CortexUse(function.name, count, prices.dollars(function, count), prices.of(function))
        for function, count in ((functions.of(capability), count) for capability, count in tokens.items())
    ]


def estimate_for(
    settings: Settings, warehouse: Warehouse, calls_per_day: float | None = None
) -> CostEstimate:
    """Return the estimate for the settings, with averages of the last days if there are any.

    Args:
        calls_per_day: replaces the measured number of calls.

    Raises:
        WarehouseError: the warehouse cannot be reached.
    """
    measured, cortex = _measured(warehouse)
    return estimate(calls_per_day or measured or DEFAULT_CALLS_PER_DAY, settings, cortex)


def _measured(warehouse: Warehouse) -> tuple[float | None, list[CortexUse] | None]:
    """Return the landed calls a day and the average use of Cortex by a call; None if there are none."""
    with warehouse.connect() as connection:
        existing = existing_tables(connection)
        if not {queries.SENTIMENT, queries.BATCHES} <= existing:
            return None, None
        (calls,) = fetch(connection, queries.recent_calls(), (MEASURED_DAYS, MEASURED_DAYS))
        totals: list[dict[str, Any]] = fetch(connection, queries.recent_cortex_totals(), (MEASURED_DAYS,))
    answered, days = int(calls["ANSWERED_CALLS"]), int(calls["DAYS"] or 0)
    calls_per_day = int(calls["RECENT_CALLS"]) / days if days else None
    if not answered or not totals:
        return calls_per_day, None
    uses = [
        CortexUse(
            row["FUNCTION_NAME"], float(row["TOKENS"]) / answered, float(row["DOLLARS"] or 0) / answered
        )
        for row in totals
    ]
    return calls_per_day, uses
