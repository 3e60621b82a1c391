"""The budget of Cortex: tokens and credits, for a run and for a day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from gong_assets.cortex.tables import BATCHES
from gong_assets.warehouse.literals import literal


@dataclass(frozen=True)
class BudgetLeft:
    """What may still be sent, and what may be sent at most in a whole run."""

    tokens: int
    credits: float
    whole_tokens: int
    whole_credits: float


@dataclass(frozen=True)
class Budget:
    """Limits of the estimated input and output. A day is a UTC day, with all of its runs."""

    tokens_per_run: int
    credits_per_run: float
    tokens_per_day: int
    credits_per_day: float

    @classmethod
    def of_vars(
        cls, variables: Mapping[str, Any], *, tokens: int | None = None, credits: float | None = None
    ) -> Budget:
        """Return the budget of the dbt vars. `tokens` and `credits` replace those of a run."""
        budget = cls(
            int(variables["cortex_token_budget"]),
            float(variables["cortex_credit_budget"]),
            int(variables["cortex_token_budget_per_day"]),
            float(variables["cortex_credit_budget_per_day"]),
        )
        if tokens is not None:
            budget = replace(budget, tokens_per_run=tokens)
        if credits is not None:
            budget = replace(budget, credits_per_run=credits)
        return budget

    @property
    def sends_nothing(self) -> bool:
        return 0 in (self.tokens_per_run, self.credits_per_run, self.tokens_per_day, self.credits_per_day)

    def __str__(self) -> str:
        return (
            f"{self.tokens_per_run:,} tokens and {self.credits_per_run:,g} credits a run, "
            f"{self.tokens_per_day:,} tokens and {self.credits_per_day:,g} credits a day"
        )

    def left(self, spent: Mapping[str, Any]) -> BudgetLeft:
        """Return what is left. `spent` is the row of `spending`."""
        whole_tokens = min(self.tokens_per_run, self.tokens_per_day)
        whole_credits = min(self.credits_per_run, self.credits_per_day)
        return BudgetLeft(
            max(
                0,
                min(
                    self.tokens_per_run - int(spent["RUN_TOKENS"]),
                    self.tokens_per_day - int(spent["DAY_TOKENS"]),
                ),
            ),
            max(
                0.0,
                min(
                    self.credits_per_run - float(spent["RUN_CREDITS"]),
                    self.credits_per_day - float(spent["DAY_CREDITS"]),
                ),
            ),
            whole_tokens,
            whole_credits,
        )


def spending(run_key: str) -> str:
    """Return SQL for the estimated tokens and credits that were sent in the run, and today in all runs."""
    conditions = {
        "RUN": f"RUN_KEY = {literal(run_key)}",
        "DAY": "SENT_AT >= DATE_TRUNC('day', CURRENT_TIMESTAMP())",
    }
    amounts = {"TOKENS": "INPUT_TOKENS + OUTPUT_TOKENS", "CREDITS": "COALESCE(ESTIMATED_CREDITS, 0)"}
    sums = ", ".join(
        f"COALESCE(SUM(IFF({condition}, {amount}, 0)), 0) AS {scope}_{name}"
        for scope, condition in conditions.items()
        for name, amount in amounts.items()
    )
    return f"SELECT {sums} FROM {BATCHES} WHERE STATUS IN ('Sent', 'Answered')"
