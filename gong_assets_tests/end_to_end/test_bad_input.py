"""What goes wrong for the user's reason is told in a line or two that name the reason, soon, and changes nothing.

Exit codes: 1, the work failed; 2, wrong usage or settings, before anything was asked of anybody.
"""

from __future__ import annotations

import socket
from datetime import UTC, datetime, timedelta

import pytest

from gong_assets.warehouse.connection import Warehouse
from gong_assets_tests.cli.command_line import CommandLine, Outcome
from gong_assets_tests.end_to_end.gong_server import Gong
from gong_assets_tests.end_to_end.runs import Run, changes, take

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("sales")]

ONE_DAY = ("sync", "--mode", "backfill", "--from-date", "2018-02-17", "--to-date", "2018-02-17")


def told(outcome: Outcome, code: int) -> list[str]:
    """The lines of the error, of which there are one or two, after what was shown of the progress."""
    assert outcome.code == code, outcome
    assert "Traceback" not in outcome.stderr
    lines = [line for line in outcome.stderr.partition("error: ")[2].splitlines() if line]
    assert 1 <= len(lines) <= 2, outcome.stderr
    return lines


@pytest.fixture
def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def test_a_wrong_key_is_told_with_its_variable_and_host_and_the_tables_are_untouched(
    sales_run: Run, sales: CommandLine, sales_warehouse: Warehouse, strange_gong: Gong
) -> None:
    lines = told(sales.with_variables(GONG_ACCESS_KEY_SECRET="wrong").gong_assets(*ONE_DAY), 1)
    assert strange_gong.base_url.removeprefix("http://") in lines[0]
    assert "GONG_ACCESS_KEY" in lines[1]
    assert "wrong" not in " ".join(lines)
    assert changes(sales_run.tables, take(sales_warehouse)) == []


def test_a_missing_scope_is_named(sales_run: Run, sales: CommandLine, strange_gong: Gong) -> None:
    strange_gong.missing_scopes = {"api:calls:read:extensive"}
    try:
        lines = told(sales.gong_assets(*ONE_DAY), 1)
    finally:
        strange_gong.missing_scopes = set()
    assert "api:calls:read:extensive" in lines[0]


def test_the_doctor_names_the_scopes_that_are_missing_and_what_is_not_read_for_it(
    sales_run: Run, sales: CommandLine, strange_gong: Gong
) -> None:
    strange_gong.missing_scopes = {"api:calls:read:transcript", "api:library:read"}
    try:
        outcome = sales.gong_assets("doctor", "--json")
    finally:
        strange_gong.missing_scopes = set()
    assert outcome.code == 1
    told = [each["message"] for each in outcome.json if each["subject"] == "gong scopes"]
    assert len(told) == 2
    assert "GONG_CALL_TRANSCRIPTS_RAW" in told[0]
    assert "api:calls:read:transcript" in told[0]
    assert "api:library:read" in told[1]


def test_an_unreachable_gong_is_named(sales_run: Run, sales: CommandLine, closed_port: int) -> None:
    lines = told(
        sales.with_variables(GONG_BASE_URL=f"http://127.0.0.1:{closed_port}").gong_assets(*ONE_DAY), 1
    )
    assert f"127.0.0.1:{closed_port}" in lines[0]
    assert "GONG_BASE_URL" in lines[1]


@pytest.mark.parametrize("command", [ONE_DAY, ("sql", "SELECT 1"), ("coach",)])
def test_an_unreachable_warehouse_is_told_within_half_a_minute(
    sales_run: Run, sales: CommandLine, strange_gong: Gong, closed_port: int, command: tuple[str, ...]
) -> None:
    strange_gong.log.clear()
    outcome = sales.with_variables(SNOWFLAKE_PORT=str(closed_port)).gong_assets(*command)
    lines = told(outcome, 1)
    assert f"127.0.0.1:{closed_port} does not answer" in lines[0]
    assert "SNOWFLAKE_HOST" in lines[1]
    assert outcome.seconds < 30
    assert strange_gong.log == [], "Gong's daily quota was spent on what cannot be landed"


TOMORROW = (datetime.now(UTC) + timedelta(days=2)).date().isoformat()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--from-date", "2018-02-30"), "2018-02-30"),
        (("--from-date", "yesterday"), "yesterday"),
        (
            ("--from-date", "2018-02-02", "--to-date", "2018-02-01"),
            "2018-02-02 is after --to-date 2018-02-01",
        ),
        (("--to-date", TOMORROW), "is in the future"),
        (("--from-date", TOMORROW), "is in the future"),
        (("--from-date", "1999-01-01"), "GONG_START_DATE"),
        (("--mode", "backfill"), "--from-date"),
        (("--mode", "nonsense"), "nonsense"),
    ],
)
def test_days_that_make_no_sense_are_refused_before_any_request(
    sales: CommandLine, strange_gong: Gong, arguments: tuple[str, ...], words: str
) -> None:
    strange_gong.log.clear()
    outcome = sales.gong_assets("sync", *arguments)
    assert outcome.code == 2
    assert words in outcome.stderr
    assert "Traceback" not in outcome.stderr
    assert strange_gong.log == []


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("GONG_ASSETS_TARGET", "bigquery"),
        ("GONG_MAX_REQUESTS_PER_SECOND", "-1"),
        ("GONG_START_DATE", TOMORROW),
        ("GONG_BASE_URL", "api.gong.io"),
        ("SNOWFLAKE_PORT", "0"),
        ("SNOWFLAKE_PRIVATE_KEY", "no key"),
        ("SNOWFLAKE_AUTHENTICATOR", "telepathy"),
    ],
)
def test_a_setting_that_makes_no_sense_is_named(sales: CommandLine, variable: str, value: str) -> None:
    outcome = sales.with_variables(**{variable: value}).gong_assets("sync")
    assert outcome.code == 2
    assert variable in outcome.stderr
    assert "Traceback" not in outcome.stderr


def test_a_statement_that_is_no_sql_is_told_in_a_line(sales: CommandLine) -> None:
    assert "FORM" in told(sales.gong_assets("sql", "SELECT 1 FORM WHERE"), 1)[0]


def test_a_missing_table_is_told_by_its_name(sales: CommandLine) -> None:
    assert "NO_SUCH_TABLE" in told(sales.gong_assets("sql", "SELECT * FROM NO_SUCH_TABLE"), 1)[0]


def test_verbose_shows_where_it_went_wrong(sales: CommandLine) -> None:
    outcome = sales.gong_assets("--verbose", "sql", "SELECT * FROM NO_SUCH_TABLE")
    assert outcome.code == 1
    assert "Traceback (most recent call last)" in outcome.stderr
