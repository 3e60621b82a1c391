"""The statements that the enrichments send, in both families."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from gong_assets.cortex.enrichments import ENRICHMENTS
from gong_assets.cortex.planning import Plan
from gong_assets.cortex.prices import Prices
from gong_assets.cortex.rehearsal import statements
from gong_assets.cortex.tables import create_statements
from gong_assets.dates import DateRange
from gong_assets.settings.dbt_vars import default_vars
from gong_assets_tests.dbt.enriching import scope_of

DAYS = [DateRange(date(2026, 11, 2), date(2026, 11, 4)), DateRange.single(date(2026, 11, 9))]
EARLIER = {each.model.upper() for each in ENRICHMENTS.values()}


def sent_statements(family: str) -> Iterator[tuple[str, str]]:
    """Yield each statement with the name of its enrichment."""
    for redacts in (False, True):
        scope = scope_of({"cortex_family": family}, DAYS, redacts=redacts)
        for enrichment in ENRICHMENTS.values():
            plan = Plan(enrichment, scope, Prices.of_vars(default_vars()), "run", "1")
            for _, statement in statements(plan):
                yield enrichment.name, statement
            yield enrichment.name, enrichment.probe(scope.functions)
        for statement in create_statements(scope.functions, EARLIER):
            yield "tables", statement
