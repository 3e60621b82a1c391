"""The budget of Cortex in a run: from the launchpad, the settings or the dbt vars."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dagster as dg
from pydantic import Field

from gong_assets.cortex.budget import Budget
from gong_assets.cortex.enrichments import ENRICHMENTS
from gong_assets.cortex.functions import Functions
from gong_assets.settings import Settings
from gong_assets.settings.dbt_vars import merged_vars


class CortexConfig(dg.Config):
    """Run config of an enrichment."""

    cortex_token_budget: int | None = Field(
        default=None,
        ge=0,
        description="Tokens that the run may have sent to Cortex after this step, instead of "
        "GONG_CORTEX_TOKEN_BUDGET. With 0 the step sends nothing and reports the estimated cost.",
    )
    cortex_credit_budget: float | None = Field(
        default=None,
        ge=0,
        description="Credits that the run may have spent on Cortex after this step, instead of "
        "GONG_CORTEX_CREDIT_BUDGET. With 0 the step sends nothing and reports the estimated cost.",
    )


def functions_of(settings: Settings) -> Functions:
    """Return the Cortex functions that the dbt vars select."""
    return Functions(merged_vars(settings.gong_dbt_vars_file))


def budget_of(config: CortexConfig, settings: Settings) -> Budget:
    """Return the budget of a step."""
    tokens, credits = config.cortex_token_budget, config.cortex_credit_budget
    return Budget.of_vars(
        functions_of(settings).variables,
        tokens=settings.gong_cortex_token_budget if tokens is None else tokens,
        credits=settings.gong_cortex_credit_budget if credits is None else credits,
    )


def sends_texts(context: dg.AssetExecutionContext, settings: Settings) -> bool:
    """Return whether the enrichments of the run may send texts, or only report their cost."""
    run_config: Mapping[str, Any] = context.run.run_config
    ops: Mapping[str, Any] = run_config.get("ops") or {}
    configured = [
        op.get("config") or {}
        for name, op in ops.items()
        if any(name.endswith(each.asset_name) for each in ENRICHMENTS.values())
    ]
    return not any(budget_of(CortexConfig(**config), settings).sends_nothing for config in configured or [{}])
