"""Errors of Gong and of the warehouse as what Dagster shows of them.

Errors are returned, not raised, so that the call site keeps `raise ... from error` and the traceback survives. Whether
a single request is sent again was decided long before, in `gong_assets/gong/retry.py`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gong_assets.gong import (
    GongAuthenticationError,
    GongConnectionError,
    GongError,
    GongPermissionError,
    GongQuotaExhausted,
)
from gong_assets.warehouse.errors import (
    VanishedRecords,
    WarehouseError,
    WarehouseQueryFailed,
    WarehouseUnreachable,
)

if TYPE_CHECKING:
    import dagster as dg


def failure(error: Exception) -> dg.Failure:
    """What a step should raise for `error`.

    Never one that Dagster tries again at once: a fault that passes was already tried again for minutes by the client,
    and a spent daily quota comes back only the next day, when a sensor starts a run that continues (`assets/attempts.py`).
    """
    import dagster as dg  # Here, since commands explain errors without it: importing it takes a second.

    return dg.Failure(description=explain(error), allow_retries=False)


def explain(error: Exception) -> str:
    """One line on what was wrong, and one on what to do where we know it."""
    return f"{error}\n{advice}" if (advice := _advice(error)) else str(error)


def explain_dbt(text: str) -> str:
    """The errors in what dagster-dbt says of a failed command, each in one line.

    >>> explain_dbt("The dbt CLI process failed...\\n\\nDatabase Error in model stg_gong_calls\\n  002003 ...")
    'dbt: Database Error in model stg_gong_calls 002003 ...'
    """
    blocks = re.split(r"\n\s*\n", re.sub(r"\x1b\[[0-9;]*m", "", text))
    lines = [" ".join(block.split()) for block in blocks]
    told = [line for line in lines if re.search(r"\b(Error|Failure) in\b", line)] or lines[:1]
    return "\n".join(f"dbt: {line}" for line in dict.fromkeys(told[:3]))


def _advice(error: Exception) -> str:
    if isinstance(error, GongAuthenticationError):
        return (
            "Check GONG_ACCESS_KEY and GONG_ACCESS_KEY_SECRET (or GONG_ACCESS_TOKEN, or GONG_CLIENT_ID, "
            "GONG_CLIENT_SECRET and GONG_REFRESH_TOKEN), and that GONG_BASE_URL is the "
            "address that your Gong API page shows: a key works only on its own regional host."
        )
    if isinstance(error, GongPermissionError):
        return "Ask a Gong technical administrator to grant the scope to this key."
    if isinstance(error, GongQuotaExhausted):
        return (
            "Other integrations of your company share Gong's daily limit; GONG_MAX_REQUESTS_PER_DAY tells this project how "
            "much of it is its own."
        )
    if isinstance(error, GongConnectionError):
        return "Check GONG_BASE_URL and the network."
    if isinstance(error, VanishedRecords):
        return (
            "If they were really deleted in Gong, run these days again with `confirm_deletions: true` in the asset's run "
            "config, or with `gong-assets sync --confirm-deletions`. If not, look at what the key's user may see: a key that "
            "lost the right to see calls gets the answer of a company that has none."
        )
    if isinstance(error, WarehouseUnreachable):
        return "Check SNOWFLAKE_ACCOUNT or SNOWFLAKE_HOST and _PORT, and the network."
    if isinstance(error, WarehouseQueryFailed) and _is_of_an_unknown_object(error):
        return "Materialize the graph first (`gong-assets sync`); if it has run, the role may not read it."
    return ""


def _is_of_an_unknown_object(error: WarehouseQueryFailed) -> bool:
    """Snowflake does not say whether it is not there, or not for this role."""
    return error.errno == 2003 or error.sqlstate == "42S02"


EXPECTED_ERRORS: tuple[type[Exception], ...] = (GongError, WarehouseError)
