"""Sends the staged texts of a schema to Cortex, as the steps of the graph do between their dbt commands."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from snowflake.connector import SnowflakeConnection

from gong_assets.cortex.budget import Budget
from gong_assets.cortex.enrichments import ENRICHMENTS
from gong_assets.cortex.functions import Functions
from gong_assets.cortex.sending import CortexError, Outcome, Sender, create_tables
from gong_assets.cortex.texts import Scope
from gong_assets.dates import DateRange
from gong_assets.settings.dbt_vars import default_vars
from gong_assets.warehouse.connection import Warehouse as Connections


@dataclass
class Enriched:
    """What the senders logged, by enrichment, and the errors of those that failed."""

    log: list[str] = field(default_factory=list)
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    errors: dict[str, CortexError] = field(default_factory=dict)


def scope_of(
    variables: Mapping[str, Any] | None = None,
    days: Sequence[DateRange] | None = None,
    *,
    redacts: bool = False,
) -> Scope:
    return Scope(Functions({**default_vars(), **(variables or {})}), days, redacts)


def enrich(
    connection: SnowflakeConnection,
    arguments: Mapping[str, Any],
    scope: Scope,
    *,
    run_key: str = "test",
    tokens: int | None = None,
    credits: float | None = None,
    names: Collection[str] = ENRICHMENTS.keys(),
) -> Enriched:
    """Run enrichments one after another; an enrichment that fails does not stop the next."""
    done = Enriched()
    create_tables(connection, scope.functions)
    for name, enrichment in ENRICHMENTS.items():
        if name not in names or (name == "redactions" and not scope.redacts):
            continue
        budget = Budget.of_vars(scope.functions.variables, tokens=tokens, credits=credits)
        sender = Sender(
            Connections(arguments), enrichment, scope, budget, run_key, done.log.append, done.log.append
        )
        try:
            done.outcomes[name] = sender.run(connection)
        except CortexError as error:
            done.errors[name] = error
    return done
