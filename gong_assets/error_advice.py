"""Advice on errors of Gong and of the warehouse: what to do, in a line."""

from __future__ import annotations

from collections.abc import Iterable

from gong_assets.gong import (
    GongAuthenticationError,
    GongConnectionError,
    GongError,
    GongPermissionError,
    GongQuotaExhausted,
)
from gong_assets.warehouse.errors import (
    DeletionGuardError,
    OutdatedTables,
    WarehouseError,
    WarehouseQueryFailed,
    WarehouseUnreachable,
    is_unknown_table,
    lacks_raw_column,
)

EXPECTED_ERRORS: tuple[type[Exception], ...] = (GongError, WarehouseError)
"""Errors that are reported by their message and advice, without a traceback."""

_ADVICE: dict[type[Exception], str] = {
    GongAuthenticationError: (
        "Check GONG_ACCESS_KEY and GONG_ACCESS_KEY_SECRET (or GONG_ACCESS_TOKEN, or GONG_CLIENT_ID, "
        "GONG_CLIENT_SECRET and GONG_REFRESH_TOKEN), and that GONG_BASE_URL is the address shown on your "
        "Gong API page: a key works only on its own regional host."
    ),
    GongPermissionError: "Ask a Gong technical administrator to grant the scope to this key.",
    GongQuotaExhausted: (
        "All integrations of your company share Gong's daily limit. GONG_MAX_REQUESTS_PER_DAY sets this "
        "project's share."
    ),
    GongConnectionError: "Check GONG_BASE_URL and the network.",
    DeletionGuardError: (
        "If these records were really deleted in Gong, run the same days again with `confirm_deletions: "
        "true` in the asset's run config, or with `gong-assets sync --confirm-deletions`. Otherwise check "
        "which calls the key's user may see: a key that lost access to calls gets the same answer as a "
        "company without calls."
    ),
    OutdatedTables: (
        "Run `gong-assets migrate` to see what it would change, or set SNOWFLAKE_SCHEMA to another schema "
        "(docs/upgrade.md)."
    ),
    WarehouseUnreachable: "Check SNOWFLAKE_ACCOUNT or SNOWFLAKE_HOST and _PORT, and the network.",
}

# By Snowflake's error code.
_QUERY_ADVICE = {
    8: "Run one statement at a time: without the others, or in a command of its own.",
    900: "The text has only blanks or comments. Add a statement, such as `SELECT 1`.",
}


def explain(error: Exception) -> str:
    """Return the error's message, and a second line with advice if there is any."""
    return f"{error}\n{advice}" if (advice := _advice(error)) else str(error)


def advice_for(class_names: Iterable[str]) -> str:
    """Return the advice on the first of these exception classes that has any, or an empty text.

    Dagster stores the names of the classes of an error and of its causes, not the exceptions.
    """
    by_name = {kind.__name__: advice for kind, advice in _ADVICE.items()}
    return next((by_name[name] for name in class_names if name in by_name), "")


def _advice(error: Exception) -> str:
    if isinstance(error, WarehouseQueryFailed) and lacks_raw_column(error):
        return f"The raw table is of an earlier version. {_ADVICE[OutdatedTables]}"
    if isinstance(error, WarehouseQueryFailed) and is_unknown_table(error):
        return (
            "Materialize the graph first (`gong-assets sync`). If a step of the last run failed, the tables "
            "after it are missing until it succeeds. Otherwise the role may lack SELECT on the object."
        )
    if isinstance(error, WarehouseQueryFailed) and error.errno in _QUERY_ADVICE:
        return _QUERY_ADVICE[error.errno]
    return next((advice for kind, advice in _ADVICE.items() if isinstance(error, kind)), "")
