"""Checks of the Cortex functions that the graph calls, with the configured model, and of their prices."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from gong_assets.cli.doctor.results import CheckResult
from gong_assets.cli.doctor.session import Session
from gong_assets.cortex.enrichments import Enrichment, enabled, functions_in_use
from gong_assets.cortex.functions import Function, Functions
from gong_assets.cortex.prices import MAX_AGE_DAYS, SOURCE, Prices
from gong_assets.cortex.rehearsal import rehearse
from gong_assets.settings import Settings
from gong_assets.settings.dbt_vars import merged_vars
from gong_assets.warehouse.connection import fetch
from gong_assets.warehouse.literals import literal

_ADVICE = (
    "Grant USE AI FUNCTIONS on the account, and the database role SNOWFLAKE.CORTEX_USER, to the role. If the "
    "function or model is not available in the region, see CORTEX_ENABLED_CROSS_REGION."
)
_TEXT = literal("Good morning, and thank you.")


def check_cortex(session: Session, settings: Settings, *, deep: bool = False) -> Iterator[CheckResult]:
    """Send a few words to each function. This is billed; the results state the estimated cost.

    Args:
        deep: also run every statement of the enrichments, on temporary tables.
    """
    functions = Functions(merged_vars(settings.gong_dbt_vars_file))
    redacts = settings.gong_redact_transcripts
    for enrichment in enabled(redacts=redacts):
        yield from _check_functions(session, enrichment, functions)
    yield _check_prices(functions, functions_in_use(functions, redacts=redacts))
    if deep:
        yield from _check_statements(session, functions, redacts=redacts)


def _check_functions(session: Session, enrichment: Enrichment, functions: Functions) -> Iterator[CheckResult]:
    prices = Prices.of_vars(functions.variables)
    failed = session.error(enrichment.probe(functions))
    for capability in enrichment.capabilities:
        function = functions.of(capability)
        name = f"{function.name} ({function.model})" if function.model else function.name
        count = f"SELECT {functions.tokens(capability, _TEXT)} AS TOKENS"
        if error := failed or session.error(count):
            yield CheckResult("fail", "cortex", f"{name}: {str(error).rstrip('.')}. {_ADVICE}")
            continue
        (row,) = fetch(session.connection, count)
        if row["TOKENS"] is None:
            yield CheckResult("fail", "cortex", f"{name} answers, but AI_COUNT_TOKENS has no count for it")
            continue
        tokens = int(row["TOKENS"])
        dollars = prices.dollars(function, tokens)
        yield CheckResult(
            "ok", "cortex", f"{name} answers; {tokens} tokens of input were sent, about ${dollars:.7f}"
        )


def _check_prices(functions: Functions, used: list[Function]) -> CheckResult:
    prices = Prices.of_vars(functions.variables)
    if unknown := sorted({function.request for function in used if prices.of(function) is None}):
        return CheckResult("warn", "prices", f"cortex_prices has none for {', '.join(unknown)}. See {SOURCE}")
    if old := prices.outdated(used, datetime.now(UTC).date()):
        listed = ", ".join(f"{price.name} ({price.as_of})" for price in old)
        return CheckResult(
            "warn",
            "prices",
            f"older than {MAX_AGE_DAYS} days: {listed}. Compare them with {SOURCE} and set cortex_prices.",
        )
    return CheckResult("ok", "prices", f"of Cortex are younger than {MAX_AGE_DAYS} days")


def _check_statements(session: Session, functions: Functions, *, redacts: bool) -> Iterator[CheckResult]:
    total = 0.0
    for done in rehearse(session.connection, functions, redacts=redacts):
        total += done.dollars
        name = done.enrichment.name
        for what, error in done.failures:
            yield CheckResult("fail", "cortex statements", f"{name}, {what}: {error}")
        if not done.failures:
            yield CheckResult(
                "ok",
                "cortex statements",
                f"all {done.statements} statements of {name} run on temporary tables with three segments; "
                f"about {done.tokens:,} tokens, {100 * done.dollars:.2f} cents",
            )
    yield CheckResult("ok", "cortex statements", f"cost about {100 * total:.2f} cents in all")
