"""Results that several checks share."""

from __future__ import annotations

from collections.abc import Callable

import dagster as dg

from gong_assets.warehouse.errors import is_unknown_object


def unless_missing(key: dg.AssetCheckKey, evaluate: Callable[[], dg.AssetCheckResult]) -> dg.AssetCheckResult:
    """Return the result of `evaluate`, or a failed check if a table that it reads does not exist."""
    try:
        return evaluate()
    except Exception as error:
        if not is_unknown_object(error):
            raise
        return dg.AssetCheckResult(
            asset_key=key.asset_key,
            check_name=key.name,
            passed=False,
            severity=dg.AssetCheckSeverity.WARN,
            description="A table does not exist yet, or the role may not see it. Materialize the raw "
            "assets first.",
            metadata={"error": " ".join(str(error).split())},
        )
