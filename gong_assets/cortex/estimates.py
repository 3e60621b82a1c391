"""SQL for the estimated tokens and credits of a part of a text, before it is sent."""

from __future__ import annotations

from gong_assets.cortex.enrichments import Enrichment
from gong_assets.cortex.functions import Functions
from gong_assets.cortex.prices import Prices


def part_estimates(enrichment: Enrichment, functions: Functions, prices: Prices) -> str:
    """Return SQL for the estimates of a part, of all functions of the enrichment together."""
    tokens, credits = [], []
    for capability in enrichment.capabilities:
        function = functions.of(capability)
        billed = f"({input_tokens(functions, capability)} + {output_tokens(functions, capability)})"
        tokens.append(f"{function.calls} * {billed}")
        price = prices.of(function)
        credits.append(f"{function.calls} * {billed} / 1000000 * {0 if price is None else price.credits}")
    return f"{' + '.join(tokens)} AS PART_TOKENS, {' + '.join(credits)} AS PART_CREDITS"


def input_tokens(functions: Functions, capability: str) -> str:
    """Return SQL for the input of a part, with what the function adds to it."""
    return f"({capability}_TOKENS + {functions.of(capability).overhead_tokens})"  # type: ignore[arg-type]


def output_tokens(functions: Functions, capability: str) -> str:
    """Return SQL for the estimated output of a part."""
    return functions.output_tokens(capability, f"{capability}_TOKENS")  # type: ignore[arg-type]
