"""What a failure is told as."""

from __future__ import annotations

import pytest

from gong_assets.defs.failures import explain_dbt
from gong_assets.error_advice import explain
from gong_assets.gong import GongQuotaExhausted
from gong_assets.warehouse.errors import WarehouseQueryFailed, WarehouseUnreachable

DBT = """The dbt CLI process with command

`dbt build --exclude-resource-type unit_test`

failed with exit code `1`.

Errors parsed from dbt logs:

\x1b[31m1 of 9 ERROR creating sql incremental model stg_gong_calls ... [\x1b[31mERROR\x1b[0m in 0.30s]

  Database Error in model stg_gong_calls (models/staging/calls/stg_gong_calls.sql)
  002003 (42S02): SQL compilation error:
  Object 'NOPE' does not exist or not authorized.

Failure in test unique_stg_gong_calls_call_id (models/staging/calls/stg_gong_calls.yml)
  Got 2 results, configured to fail if != 0
"""


def test_a_failed_dbt_command_is_told_by_its_errors_a_line_each() -> None:
    assert explain_dbt(DBT).splitlines() == [
        "dbt: Database Error in model stg_gong_calls (models/staging/calls/stg_gong_calls.sql) 002003 "
        "(42S02): SQL compilation error: Object 'NOPE' does not exist or not authorized.",
        "dbt: Failure in test unique_stg_gong_calls_call_id (models/staging/calls/stg_gong_calls.yml) "
        "Got 2 results, configured to fail if != 0",
    ]


def test_a_dbt_failure_without_known_words_is_told_by_its_beginning() -> None:
    assert explain_dbt("dbt was killed\n\nby someone") == "dbt: dbt was killed"


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
        "Materialize the graph first (`gong-assets sync`). "
        "If it has run, the role may lack SELECT on the object."
    ]
    assert len(explain(WarehouseQueryFailed("syntax error", errno=1003)).splitlines()) == 1
