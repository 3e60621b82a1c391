"""User errors are reported soon, in one or two lines that name the reason, and change nothing.

Exit codes: 1 if the work failed, 2 for wrong usage or settings, which are reported before the first request.
"""

from __future__ import annotations

import socket
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest

from gong_assets.warehouse.connection import Warehouse
from gong_assets_tests.cli.command_line import CommandLine, Outcome
from gong_assets_tests.end_to_end.gong_server import Gong
from gong_assets_tests.end_to_end.runs import Run, changes, take_snapshot

pytestmark = [pytest.mark.extended, pytest.mark.slow, pytest.mark.xdist_group("sales")]

ONE_DAY = ("sync", "--mode", "backfill", "--from-date", "2018-02-17", "--to-date", "2018-02-17")


def error_lines(outcome: Outcome, code: int) -> list[str]:
    """Return the one or two lines of the error, which follow the progress lines."""
    assert outcome.code == code, outcome
    assert "Traceback" not in outcome.stderr
    lines = [line for line in outcome.stderr.partition("error: ")[2].splitlines() if line]
    assert 1 <= len(lines) <= 2, outcome.stderr
    return lines


@pytest.fixture
def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def test_a_wrong_key_is_reported_with_its_variable_and_host_and_changes_no_table(
    sales_run: Run, sales: CommandLine, sales_warehouse: Warehouse, strange_gong: Gong
) -> None:
    lines = error_lines(sales.with_variables(GONG_ACCESS_KEY_SECRET="wrong").gong_assets(*ONE_DAY), 1)
    assert strange_gong.base_url.removeprefix("http://") in lines[0]
    assert "GONG_ACCESS_KEY" in lines[1]
    assert "wrong" not in " ".join(lines)
    assert changes(sales_run.tables, take_snapshot(sales_warehouse)) == []


def test_a_stream_that_gong_refuses_fails_the_run_and_nothing_else_is_skipped(
    sales_run: Run, sales: CommandLine, strange_gong: Gong
) -> None:
    """All models run with what has landed, and the run fails for one reason."""
    started = datetime.now(UTC).timestamp()
    strange_gong.missing_scopes = {"api:calls:read:extensive"}
    try:
        lines = error_lines(sales.gong_assets(*ONE_DAY), 1)
    finally:
        strange_gong.missing_scopes = set()
    assert "api:calls:read:extensive" in lines[0]
    with dg.DagsterInstance.from_config(str(sales.directory / "home" / "dagster")) as instance:
        events = {key: instance.get_latest_materialization_event(key) for key in instance.all_asset_keys()}
    skipped = {key.path[-1] for key, event in events.items() if event and event.timestamp < started}
    assert skipped == {"gong_calls_raw", "gong_call_transcripts_raw"}


def test_the_doctor_reports_missing_scopes_with_the_tables_that_need_them(
    sales_run: Run, sales: CommandLine, strange_gong: Gong
) -> None:
    strange_gong.missing_scopes = {"api:calls:read:transcript", "api:library:read"}
    try:
        outcome = sales.gong_assets("doctor", "--json")
    finally:
        strange_gong.missing_scopes = set()
    assert outcome.code == 1
    messages = [each["message"] for each in outcome.json if each["subject"] == "gong scopes"]
    assert len(messages) == 2
    assert "GONG_CALL_TRANSCRIPTS_RAW" in messages[0]
    assert "api:calls:read:transcript" in messages[0]
    assert "api:library:read" in messages[1]


@pytest.mark.parametrize("accepted", [1, 2])
def test_the_doctor_says_which_of_two_keys_gong_accepts(
    sales_run: Run, sales: CommandLine, strange_gong: Gong, accepted: int
) -> None:
    live = {"KEY": strange_gong.access_key, "KEY_SECRET": strange_gong.access_key_secret}
    dead = {"KEY": "DELETED", "KEY_SECRET": "deleted-secret"}
    first, second = (live, dead) if accepted == 1 else (dead, live)
    variables = {f"GONG_ACCESS_{name}": value for name, value in first.items()}
    variables |= {f"GONG_ACCESS_{name}_2": value for name, value in second.items()}

    outcome = sales.with_variables(**variables).gong_assets("doctor", "--json")

    refused = "GONG_ACCESS_KEY" if accepted == 2 else "GONG_ACCESS_KEY_2"
    accepts = {"GONG_ACCESS_KEY", "GONG_ACCESS_KEY_2"} - {refused}
    messages = {each["message"] for each in outcome.json if each["subject"] == "gong keys"}
    assert messages == {f"{refused} is refused", f"{accepts.pop()} is accepted"}
    assert outcome.code == (1 if accepted == 2 else 0)
    for secret in (live["KEY_SECRET"], dead["KEY_SECRET"]):
        assert secret not in outcome.stdout


def test_an_unreachable_gong_is_reported_with_its_address(
    sales_run: Run, sales: CommandLine, closed_port: int
) -> None:
    lines = error_lines(
        sales.with_variables(GONG_BASE_URL=f"http://127.0.0.1:{closed_port}").gong_assets(*ONE_DAY), 1
    )
    assert f"127.0.0.1:{closed_port}" in lines[0]
    assert "GONG_BASE_URL" in lines[1]


@pytest.mark.parametrize("command", [ONE_DAY, ("sql", "SELECT 1"), ("coach",)])
def test_an_unreachable_warehouse_is_reported_within_half_a_minute(
    sales_run: Run, sales: CommandLine, strange_gong: Gong, closed_port: int, command: tuple[str, ...]
) -> None:
    strange_gong.log.clear()
    outcome = sales.with_variables(SNOWFLAKE_PORT=str(closed_port)).gong_assets(*command)
    lines = error_lines(outcome, 1)
    assert f"127.0.0.1:{closed_port} does not answer" in lines[0]
    assert "SNOWFLAKE_HOST" in lines[1]
    assert outcome.seconds < 30
    assert strange_gong.log == [], "requests were spent on records that cannot land"


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
def test_invalid_dates_are_rejected_before_any_request(
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
def test_an_invalid_setting_is_reported_with_its_name(sales: CommandLine, variable: str, value: str) -> None:
    outcome = sales.with_variables(**{variable: value}).gong_assets("sync")
    assert outcome.code == 2
    assert variable in outcome.stderr
    assert "Traceback" not in outcome.stderr


def test_a_syntax_error_is_reported(sales: CommandLine) -> None:
    assert "FORM" in error_lines(sales.gong_assets("sql", "SELECT 1 FORM WHERE"), 1)[0]


def test_a_missing_table_is_reported_by_name(sales: CommandLine) -> None:
    assert "NO_SUCH_TABLE" in error_lines(sales.gong_assets("sql", "SELECT * FROM NO_SUCH_TABLE"), 1)[0]


def test_verbose_prints_the_traceback(sales: CommandLine) -> None:
    outcome = sales.gong_assets("--verbose", "sql", "SELECT * FROM NO_SUCH_TABLE")
    assert outcome.code == 1
    assert "Traceback (most recent call last)" in outcome.stderr
