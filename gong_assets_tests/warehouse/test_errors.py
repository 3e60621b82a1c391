"""Which errors of a statement its rows may have caused."""

from __future__ import annotations

import pytest
from snowflake.connector.errors import Error, ProgrammingError

from gong_assets.warehouse.errors import may_come_from_rows


@pytest.mark.parametrize(
    ("errno", "sqlstate", "expected"),
    [
        (100351, "P0000", True),  # Request failed for external function AI_EMBED
        (100069, "22P02", True),  # Error parsing JSON
        (630, "57014", True),  # Statement reached its statement timeout
        (603, "XX000", True),  # Processing aborted by an internal error
        (999_999, None, True),
        (2003, "42S02", False),  # Object does not exist or not authorized
        (2043, "02000", False),  # Schema does not exist
        (3001, "42501", False),  # Insufficient privileges
        (606, "57P03", False),  # No active warehouse
        (603, "53100", False),  # The disk is full
        (603, "58030", False),  # A file cannot be written
        (603, "XX001", False),  # A file is damaged
        (603, "25P02", False),  # The transaction was aborted
        (390111, "08001", False),  # The session is gone
        (390112, None, False),
        (250003, None, False),  # The host does not answer
        (666, "57014", False),  # The account is suspended
        (90073, "22000", False),  # The quota of the resource monitor is used up
    ],
)
def test_errors_that_rows_may_cause(errno: int, sqlstate: str | None, expected: bool) -> None:
    error: Error = ProgrammingError("refused", errno=errno, sqlstate=sqlstate)
    assert may_come_from_rows(error) is expected


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("SQL execution canceled", False),
        ("SQL execution was cancelled by the client due to a timeout. Error message received from the "
         "server: SQL execution canceled", True),
        ("Statement reached its statement or warehouse timeout of 120 second(s) and was canceled.", True),
    ],
)  # fmt: skip
def test_a_canceled_statement_depends_on_its_rows_only_after_a_timeout(message: str, expected: bool) -> None:
    error: Error = ProgrammingError(message, errno=604, sqlstate="57014")
    assert may_come_from_rows(error) is expected
