"""What a failure is told as."""

from __future__ import annotations

import pytest

from gong_assets.error_advice import explain
from gong_assets.gong import GongQuotaExhausted
from gong_assets.warehouse.errors import WarehouseQueryFailed, WarehouseUnreachable, is_unreachable


def test_advice_follows_the_error_on_a_line_of_its_own() -> None:
    lines = explain(WarehouseUnreachable("Snowflake at x does not answer")).splitlines()
    assert lines == [
        "Snowflake at x does not answer",
        "Check SNOWFLAKE_ACCOUNT or SNOWFLAKE_HOST and _PORT, and the network.",
    ]
    assert "GONG_MAX_REQUESTS_PER_DAY" in explain(
        GongQuotaExhausted("Gong's daily limit is spent", retry_after=60)
    )


@pytest.mark.parametrize(("errno", "sqlstate"), [(2003, None), (None, "42S02")])
def test_a_table_that_is_not_there_comes_with_what_to_do(errno: int | None, sqlstate: str | None) -> None:
    refused = WarehouseQueryFailed(
        "Object 'X' does not exist or not authorized", errno=errno, sqlstate=sqlstate
    )
    assert explain(refused).splitlines()[1:] == [
        "Materialize the graph first (`gong-assets sync`). If a step of the last run failed, the tables "
        "after it are missing until it succeeds. Otherwise the role may lack SELECT on the object."
    ]
    assert len(explain(WarehouseQueryFailed("syntax error", errno=1003)).splitlines()) == 1


@pytest.mark.parametrize("kind", ["User", "Role", "Stage"])
def test_materializing_is_advised_for_tables_and_views_only(kind: str) -> None:
    text = f"SQL compilation error: {kind} 'LOCAL' does not exist or not authorized."
    assert explain(WarehouseQueryFailed(text, errno=2003, sqlstate="02000")) == text


@pytest.mark.parametrize(
    ("errno", "advice"),
    [
        (8, "Run one statement at a time: without the others, or in a command of its own."),
        (900, "The text has only blanks or comments. Add a statement, such as `SELECT 1`."),
    ],
)
def test_a_text_that_is_not_one_statement_comes_with_what_to_do(errno: int, advice: str) -> None:
    assert explain(WarehouseQueryFailed("refused", errno=errno)) == f"refused\n{advice}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("250001 (08001): Failed to connect to DB: x. Service is unavailable", True),
        ("390111 (08001): Session no longer exists. New login required to access the service.", True),
        ("390144 (08004): JWT token is invalid", False),
        ("250001 (08001): Failed to connect to DB: x. Incorrect username or password was specified.", False),
        ("002003 (42S02): Object 'X' does not exist or not authorized.", False),
    ],
)
def test_a_later_statement_may_succeed_if_no_server_answered_or_its_session_ended(
    text: str, expected: bool
) -> None:
    assert is_unreachable(text) is expected
