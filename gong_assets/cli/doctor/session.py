"""An open connection to the warehouse whose statements are checks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from gong_assets.cli.doctor.results import CheckResult, Status
from gong_assets.warehouse.connection import fetch
from gong_assets.warehouse.errors import WarehouseError, translated

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection


class Session:
    """An open connection whose statements are checks."""

    def __init__(self, connection: SnowflakeConnection, host: str) -> None:
        self.connection = connection
        self._host = host

    def error(self, *statements: str) -> WarehouseError | None:
        """Run the statements and return the first error, or None."""
        import snowflake.connector

        for statement in statements:
            try:
                fetch(self.connection, statement)
            except snowflake.connector.errors.Error as error:
                return translated(error, host=self._host)
        return None

    def check(
        self,
        subject: str,
        *statements: str,
        success: str,
        advice: str,
        failure: Status = "fail",
        cleanup: Sequence[str] = (),
    ) -> CheckResult:
        """Return a result that is `failure` if a statement fails.

        The statements of `cleanup` are executed in any case, also after a signal.
        """
        try:
            error = self.error(*statements)
        finally:
            cleanup_error = self.error(*cleanup)
        error = error or cleanup_error
        if error is None:
            return CheckResult("ok", subject, success)
        return CheckResult(failure, subject, f"{str(error).rstrip('.')}. {advice}")
