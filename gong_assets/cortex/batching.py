"""SQL that puts texts in batches within the budget."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta

from gong_assets.cortex.budget import BudgetLeft
from gong_assets.cortex.texts import Scope

# The second attempt of a text is in a batch that is smaller by this factor; the last attempt is alone.
SHRINKING = 50


def batched(scope: Scope, batch_size: str, left: BudgetLeft) -> str:
    """Return CTEs that add the BATCH to the texts of the CTE `sized`; NULL for texts that are not sent.

    Args:
        batch_size: var with the number of texts in a batch of the first attempt.
    """
    size = int(scope.functions.variables[batch_size])
    order = "ATTEMPTS, CALL_DATE DESC, CALL_ID, TEXT_HASH"
    within = f"TOKENS <= {left.tokens} AND CREDITS <= {left.credits:.9f}"
    so_far = f"OVER (ORDER BY {order} ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)"
    return f"""placed AS (

    SELECT
        *,
        SUM(IFF({within}, TOKENS, 0)) {so_far} AS TOKENS_SO_FAR,
        SUM(IFF({within}, CREDITS, 0)) {so_far} AS CREDITS_SO_FAR,
        FLOOR(
            (ROW_NUMBER() OVER (PARTITION BY ATTEMPTS, TOKENS IS NULL ORDER BY {order}) - 1)
            / IFF(
                ATTEMPTS + 1 >= {scope.max_attempts},
                1,
                GREATEST(1, FLOOR({size} / POWER({SHRINKING}, ATTEMPTS)))
            )
        ) AS PLACE
    FROM sized

),

batched AS (

    SELECT
        *,
        IFF(
            {within} AND TOKENS_SO_FAR <= {left.tokens} AND CREDITS_SO_FAR <= {left.credits:.9f},
            DENSE_RANK() OVER (ORDER BY IFF(TOKENS IS NULL, 1, 0), ATTEMPTS, PLACE),
            NULL
        ) AS BATCH
    FROM placed

)"""


def count_queue(queue: str, left: BudgetLeft) -> str:
    """Return SQL for the texts in the queue by day: what is sent, and what waits."""
    too_large = f"TOKENS > {left.whole_tokens} OR CREDITS > {left.whole_credits:.9f}"
    text = "CALL_ID || ' ' || TEXT_HASH"
    return (
        "SELECT CALL_DATE, COALESCE(MAX(BATCH), 0) AS BATCHES, "
        f"COUNT(DISTINCT {text}) AS TEXTS, "
        f"COUNT(DISTINCT IFF(TOKENS IS NULL, {text}, NULL)) AS UNCOUNTED, "
        f"COUNT(DISTINCT IFF(BATCH IS NULL AND TOKENS IS NOT NULL, {text}, NULL)) AS OVER_BUDGET, "
        f"COUNT(DISTINCT IFF({too_large}, {text}, NULL)) AS OVERSIZED, "
        "MAX(TOKENS) AS LARGEST, MAX(CREDITS) AS LARGEST_CREDITS, "
        "COUNT_IF(BATCH IS NOT NULL AND ATTEMPTS > 0) AS RETRIES "
        f"FROM {queue} GROUP BY CALL_DATE"
    )


def leftover_queues(prefix: str, today: date, tables: Collection[str]) -> list[str]:
    """Return those of the tables that a killed process left behind: queues older than yesterday's."""
    oldest = f"{prefix}_{today - timedelta(days=1):%Y%m%d}"
    return sorted(each for each in tables if each.startswith(f"{prefix}_") and each < oldest)
