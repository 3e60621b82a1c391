"""The page docs/cost.md, generated from the constants of the estimate."""

from __future__ import annotations

import textwrap

from gong_assets.cortex import prices
from gong_assets.defs.health import cost
from gong_assets.defs.health.cost import estimate
from gong_assets.settings import Settings

_PAGE = """<!-- Generated from gong_assets/defs/health/cost.py by `make generate`. Do not edit. -->
# Cost

`gong-assets cost` estimates what a day of your deployment costs, for your settings and with the
averages of the last {measured_days} days. This page has the estimate for the default settings, and how each
figure is derived. No figure was measured on a Snowflake account: the statements are upper limits, and
their duration, the prices and the calls are assumptions.

{table}

Dollars are those of an XS warehouse at ${warehouse_price:.2f} a credit, and of Cortex at the prices
of the dbt vars. A quiet tenant, without any call, needs {quiet:.0f} minutes of the warehouse a day.

## How the figures are derived

**Runs.** The schedules run as often as their cron expressions say: ingestion {ingestions:.0f} times a
day, the reconciliation once a week, and reference data, the standing checks and HubSpot once a day.
Without the share's V2_DAILY, HubSpot is read hourly, or as often as a connector's tables changed: at
most {hubspot:.0f} minutes of the warehouse more. A landing that changed rows is followed by one
transformation; with few calls, that is one for each call. Missing transcripts are requested in at
most {transcript_runs} runs a day, each followed by a transformation.

**Statements (upper limits).** A landing that changes nothing sends at most {landing} statements, the
landing and transformation of a changed day at most {transformation}, a refresh of HubSpot's tables at
most {refresh}, and the standing checks with the report at most {checks}. Tests on the local stack hold
the runs to these limits.

**Warehouse minutes (assumed).** A statement takes {seconds} s. Each wake-up adds {idle} s until the
warehouse suspends itself (`AUTO_SUSPEND = 60`). A transformation follows its landing while the
warehouse is awake. Queries of people and agents come on top.

**Gong requests (derived from page sizes).** An ingestion reads a page for each {page} calls of the
lookback days, another for their transcripts, {per_day} requests for each of these days and
{per_run} for lists. The reconciliation lists {page} calls per request and
requests {page} missing transcripts at once, and the check
`calls_match_gong` sends at most {check_requests}.

**Cortex (assumed until calls have landed).** A call has {tokens:,} tokens of speech, which is 45
minutes. Each is embedded, scored and summarized once. Topics, next steps and risks are asked of the
brief or the summary, for {extracted:.0%} of the calls, those without Gong's own. Once calls have
landed, `gong-assets cost` divides the batches of GONG_CORTEX_BATCHES by the number of calls instead.

| function | credits per million tokens | price as of | tokens a call | dollars a call | 10,000 calls |
|---|---:|---|---:|---:|---:|
{functions}

The prices are those of table 6(a) of Snowflake's [Service Consumption Table]({source}), in the var
`cortex_prices`. A check warns when they are older than {max_age} days.
"""


def cost_page() -> str:
    """Return docs/cost.md."""
    settings, live = Settings.model_construct(), Settings.model_construct(hubspot_schema="V2_LIVE")
    estimates = [estimate(calls, settings) for calls in (20, 200, 2000)]
    rows = {
        "Statements": [f"{each.statements:,.0f}" for each in estimates],
        "Warehouse minutes (XS)": [f"{each.warehouse_minutes:,.0f}" for each in estimates],
        "Warehouse credits": [f"{each.warehouse_credits:.1f}" for each in estimates],
        "Warehouse dollars": [f"${each.warehouse_dollars:,.2f}" for each in estimates],
        "Gong requests": [f"{each.gong_requests:,.0f}" for each in estimates],
        "Cortex tokens": [f"{each.cortex_tokens:,.0f}" for each in estimates],
        "Cortex dollars": [f"${each.cortex_dollars:,.2f}" for each in estimates],
    }
    lines = ["| a day | 20 calls | 200 calls | 2,000 calls |", "|---|---:|---:|---:|"]
    lines += [f"| {name} | {' | '.join(values)} |" for name, values in rows.items()]
    functions = [
        f"| {use.function} | {use.price.credits:.2f} | {use.price.as_of} | {use.tokens:,.0f} "
        f"| ${use.dollars:.4f} | ${10_000 * use.dollars:,.2f} |"
        for use in cost.assumed_cortex_use()
        if use.price
    ]
    text = _PAGE.format(
        table="\n".join(lines),
        measured_days=cost.MEASURED_DAYS,
        warehouse_price=cost.DOLLARS_PER_WAREHOUSE_CREDIT,
        quiet=estimate(0, settings).warehouse_minutes,
        ingestions=cost.scheduled_runs(settings)["ingestion"],
        hubspot=estimate(0, live).warehouse_minutes - estimate(0, settings).warehouse_minutes,
        refresh=cost.STATEMENTS_OF_HUBSPOT_REFRESH,
        transcript_runs=cost.TRANSCRIPT_RUNS_PER_DAY,
        landing=cost.STATEMENTS_OF_LANDING,
        transformation=cost.STATEMENTS_OF_TRANSFORMATION,
        checks=cost.STATEMENTS_OF_STANDING_CHECKS,
        seconds=cost.SECONDS_PER_STATEMENT,
        idle=cost.IDLE_SECONDS_PER_RUN,
        page=cost.RECORDS_PER_PAGE,
        per_day=cost.REQUESTS_PER_LOOKBACK_DAY,
        per_run=cost.REQUESTS_PER_INGESTION,
        check_requests=cost.STANDING_CHECK_REQUESTS,
        tokens=cost.TOKENS_PER_CALL,
        extracted=cost.EXTRACTED_FRACTION,
        functions="\n".join(functions),
        source=prices.SOURCE,
        max_age=prices.MAX_AGE_DAYS,
    )
    return "\n\n".join(map(_wrapped, text.split("\n\n"))).rstrip() + "\n"


def _wrapped(paragraph: str) -> str:
    """Return the paragraph in lines of 110 characters; headings and tables as they are."""
    if paragraph.startswith(("#", "|", "<!--")):
        return paragraph
    return textwrap.fill(paragraph, width=110, break_long_words=False, break_on_hyphens=False)
