"""What a failed dbt command says, and how a command is kept apart from the user's own dbt."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from gong_assets.defs.dbt import project
from gong_assets.defs.dbt.invocation import environment
from gong_assets.defs.dbt.project import (
    INVOCATIONS,
    KEPT_INVOCATIONS,
    DbtParseError,
    dbt_environment,
    keep_output,
    parsed_directory,
    prepared_project,
    remove_old_invocations,
)
from gong_assets.defs.failures import explain_dbt, is_transient_dbt
from gong_assets.settings import Settings

DATABASE_ERROR = """Database Error in model stg_gong_calls (models/staging/calls/stg_gong_calls.sql)
  002003 (42S02): SQL compilation error:
  Object 'NOPE' does not exist or not authorized.
  compiled code at /target/run/stg_gong_calls.sql"""


def command(*results: Any, exception: Exception | None = None) -> Any:
    """Return the result of a dbt command with these (name, status, message) of its nodes."""
    nodes = [
        SimpleNamespace(
            status=status,
            message=message,
            node=SimpleNamespace(
                unique_id=name,
                name=name,
                original_file_path=f"{name}.sql",
                compiled_path=f"/run/{name}.sql",
            ),
        )
        for name, status, message in results
    ]
    return SimpleNamespace(result=SimpleNamespace(results=nodes) if nodes else None, exception=exception)


def test_each_failed_model_and_test_has_its_reason_and_its_compiled_sql() -> None:
    failed = command(
        ("stg_gong_calls", "error", DATABASE_ERROR),
        ("vw_deal_risk", "skipped", None),
        ("unique_stg_gong_calls_call_id", "fail", "Got 2 results, configured to fail if != 0"),
        ("not_null_stg_gong_calls_call_title", "warn", "Got 1 result, configured to warn if != 0"),
    )
    assert explain_dbt(failed).splitlines() == [
        "dbt: Database Error in model stg_gong_calls (models/staging/calls/stg_gong_calls.sql) 002003 "
        "(42S02): SQL compilation error: Object 'NOPE' does not exist or not authorized.",
        "Compiled SQL: /run/stg_gong_calls.sql",
        "dbt: Failure in test unique_stg_gong_calls_call_id (unique_stg_gong_calls_call_id.sql): Got 2 "
        "results, configured to fail if != 0",
        "Compiled SQL: /run/unique_stg_gong_calls_call_id.sql",
    ]


def test_a_test_that_ran_again_alone_has_its_own_reason() -> None:
    group = command(("first", "fail", "Got 3 results, configured to fail if != 0"), ("model", "error", "why"))
    alone = command(("first", "pass", None), ("second", "fail", "Got 3 results, configured to fail if != 0"))
    assert [line for line in explain_dbt(group, alone).splitlines() if line.startswith("dbt: ")] == [
        "dbt: why",
        "dbt: Failure in test second (second.sql): Got 3 results, configured to fail if != 0",
    ]


def test_a_command_that_ran_no_model_has_the_words_of_its_exception() -> None:
    failed = command(exception=RuntimeError("Database Error\n  250001: Could not connect"))
    assert explain_dbt(failed) == "dbt: Database Error 250001: Could not connect"


def ended(message: str) -> Any:
    return command(exception=RuntimeError(message))


UNREACHABLE = "Database Error in model a\n  250003 (08001): None: 250003: Failed to get the response. Timeout"


@pytest.mark.parametrize(
    ("failed", "is_transient"),
    [
        (ended("250001: Could not connect to Snowflake backend"), True),
        (ended("250001 (08001): Failed to connect to DB: org. Service is unavailable"), True),
        (ended("250001 (08001): Failed to connect to DB: org. Incorrect password"), False),
        (ended("Compilation Error"), False),
        (command(("a", "error", UNREACHABLE), ("b", "skipped", None)), True),
        (command(("a", "error", UNREACHABLE), ("b", "error", DATABASE_ERROR)), False),
        (command(("a", "fail", "Got 250001 results, configured to fail if != 0")), False),
    ],
)  # fmt: skip
def test_only_a_warehouse_that_does_not_answer_is_worth_a_retry(failed: Any, is_transient: bool) -> None:
    assert is_transient_dbt(failed) is is_transient


def test_the_users_own_dbt_variables_do_not_reach_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBT_FULL_REFRESH", "true")
    monkeypatch.setenv("SNOWFLAKE_PASSWORD", "mine")
    with environment({"SNOWFLAKE_PASSWORD": "p", "GONG_ASSETS_DAYS": "2026-11-02"}):
        assert "DBT_FULL_REFRESH" not in os.environ
        assert os.environ["SNOWFLAKE_PASSWORD"] == "p"
    assert (os.environ["DBT_FULL_REFRESH"], os.environ["SNOWFLAKE_PASSWORD"]) == ("true", "mine")
    assert "GONG_ASSETS_DAYS" not in os.environ


def test_the_local_warehouse_is_not_reached_through_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "corp.example")
    monkeypatch.delenv("no_proxy", raising=False)
    assert dbt_environment({"host": "127.0.0.1"})["NO_PROXY"] == "corp.example,127.0.0.1"
    assert "NO_PROXY" not in dbt_environment({"host": "org-account.snowflakecomputing.com"})


def test_the_output_of_a_command_is_removed_except_for_the_newest_failures(tmp_path: Path) -> None:
    runs = tmp_path / INVOCATIONS
    for number in range(KEPT_INVOCATIONS + 2):
        (runs / f"run-{number}").mkdir(parents=True)
        os.utime(runs / f"run-{number}", (number, number))
    remove_old_invocations(tmp_path)
    assert sorted(path.name for path in runs.iterdir()) == [
        f"run-{number}" for number in range(2, KEPT_INVOCATIONS + 2)
    ]
    done = runs / "done"
    (done / "compiled" / "gong_assets").mkdir(parents=True)
    (done / "compiled" / "gong_assets" / "model.sql").write_text("select 1")
    keep_output(tmp_path, done)
    assert not done.exists()
    assert (tmp_path / "compiled" / "gong_assets" / "model.sql").read_text() == "select 1"


# Writes a part of the manifest, lists the files of the parsed project, and ends.
INTERRUPTED_DBT = """#!{python}
import os, sys
output = sys.argv[sys.argv.index("--target-path") + 1]
with open(output + "/manifest.json", "w") as manifest:
    print("{{", file=manifest)
sys.exit("interrupted; files: " + " ".join(name for name in os.listdir("{parsed}") if "." in name))
"""


def test_an_interrupted_parse_leaves_no_manifest_and_is_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(gong_assets_home=tmp_path, hubspot_database="INTERRUPTED")
    parsed = parsed_directory(settings)
    dbt = tmp_path / "interrupted_dbt"
    dbt.write_text(INTERRUPTED_DBT.format(python=sys.executable, parsed=parsed))
    dbt.chmod(0o700)
    monkeypatch.setattr(project, "dbt_executable", lambda: str(dbt))
    for _ in range(2):
        with pytest.raises(DbtParseError, match=r"interrupted; files:$"):
            prepared_project(settings)
    assert list(parsed.iterdir()) == []
