"""Results that several checks share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import dagster as dg

from gong_assets.defs.failures import fail_step
from gong_assets.defs.resources import SnowflakeResource
from gong_assets.warehouse.errors import WarehouseError, is_unknown_object

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection


@contextmanager
def connection_of_check(snowflake: SnowflakeResource) -> Iterator[SnowflakeConnection]:
    """Yield a connection for the statements of a check.

    Raises:
        dagster.Failure: the warehouse cannot be reached, or refused a statement.
    """
    try:
        with snowflake.get_connection() as connection:
            yield connection
    except WarehouseError as error:
        fail_step(error)


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
