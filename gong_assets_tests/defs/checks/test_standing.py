"""Standing checks: each finds its fault in a small database, and passes without it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import dagster as dg
import pytest
from snowflake.connector import SnowflakeConnection

from gong_assets.dates import DateRange
from gong_assets.defs.checks.gong_completeness import compare, days_to_compare
from gong_assets.defs.checks.results import Finding
from gong_assets.defs.checks.standing import StandingChecks, build_standing_checks
from gong_assets.defs.health.cost import STATEMENTS_OF_STANDING_CHECKS
from gong_assets.defs.health.figures import pipeline_figures
from gong_assets.defs.options import DEFAULT_OPTIONS
from gong_assets.defs.resources import SnowflakeResource
from gong_assets.ingestion.streams import RAW_TABLES
from gong_assets.settings import Settings
from gong_assets.warehouse.connection import Warehouse
from gong_assets.warehouse.standing_queries import MODEL_KEYS
from gong_assets.warehouse.tables import create_raw_tables

TODAY = datetime.now(UTC).date()
DAY = TODAY - timedelta(days=20)

Run = Callable[[str], None]

_SPOKEN = {"text": "Hello"}


@pytest.fixture
def run(warehouse: Warehouse) -> Iterator[Run]:
    """Run a statement on a healthy database: one call with one segment, in every layer."""
    with warehouse.connect() as connection, connection.cursor() as cursor:
        create_raw_tables(connection, RAW_TABLES)
        cursor.execute(
            "CREATE TABLE GONG_CORTEX_BATCHES (FUNCTION_NAME VARCHAR, CALLS INT, INPUT_TOKENS INT, "
            "OUTPUT_TOKENS INT, ESTIMATED_DOLLARS FLOAT, STATUS VARCHAR, PLANNED_AT TIMESTAMP_LTZ)"
        )
        for model, key in MODEL_KEYS.items():
            call_id = "" if key == "CALL_ID" else ", CALL_ID VARCHAR"
            cursor.execute(f"CREATE TABLE {model} ({key} VARCHAR{call_id}, CALL_DATE DATE)")
            values = f"'1', '{DAY}'" if key == "CALL_ID" else f"'1_0', '1', '{DAY}'"
            cursor.execute(f"INSERT INTO {model} VALUES ({values})")
        for table, column, payload in (
            ("GONG_CALLS_RAW", "RAW_DATA", {"metaData": {"id": "1"}}),
            (
                "GONG_CALL_TRANSCRIPTS_RAW",
                "TRANSCRIPT_DATA",
                {"transcript": [{"sentences": [{"text": "Hi"}]}]},
            ),
        ):
            cursor.execute(
                f"INSERT INTO {table} (CALL_ID, {column}, CALL_DATE, CONTENT_HASH, SOURCE) "
                f"SELECT '1', PARSE_JSON('{json.dumps(payload)}'), '{DAY}', 'h', 'api'"
            )
        yield cursor.execute


@pytest.fixture
def evaluate(warehouse: Warehouse, tmp_path: Path) -> Iterator[Callable[[str], Finding]]:
    settings = Settings(
        gong_assets_home=tmp_path, gong_cortex_monthly_budget=5, hubspot_schema="OLD", hubspot_shape="plain"
    )
    with warehouse.connect() as connection, dg.DagsterInstance.ephemeral() as instance:

        def evaluated(name: str) -> Finding:
            checks = StandingChecks(connection, instance, settings, DEFAULT_OPTIONS)
            return getattr(checks, name)()  # type: ignore[no-any-return]

        yield evaluated


_PENDING = (
    "INSERT INTO GONG_PENDING_CHANGES (TABLE_NAME, DAY, CHANGED_AT) "
    "SELECT 'GONG_CALLS_RAW', '{day}', DATEADD('hour', -{hours}, SYSDATE())"
)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "fault", "found"),
    [
        ("layers_match", "DELETE FROM STG_GONG_CALLS", f"GONG_CALLS_RAW without STG_GONG_CALLS: 1 on {DAY}"),
        ("layers_match", "DELETE FROM GONG_CALLS_RAW", f"STG_GONG_CALLS without GONG_CALLS_RAW: 1 on {DAY}"),
        (
            "layers_match",
            "UPDATE GONG_CALLS_RAW SET PROCESSING_ERROR = 'no'",
            f"STG_GONG_CALLS without GONG_CALLS_RAW: 1 on {DAY}",
        ),
        (
            "layers_match",
            "DELETE FROM STG_GONG_CALL_TRANSCRIPTS",
            f"GONG_CALL_TRANSCRIPTS_RAW without STG_GONG_CALL_TRANSCRIPTS: 1 on {DAY}",
        ),
        (
            "layers_match",
            "DELETE FROM CORTEX_GONG_CALL_TRANSCRIPTS",
            f"STG_GONG_CALL_TRANSCRIPTS without CORTEX_GONG_CALL_TRANSCRIPTS: 1_0 on {DAY}",
        ),
        (
            "layers_match",
            "INSERT INTO VW_ENRICHED_GONG_CALLS SELECT '2', CALL_DATE FROM STG_GONG_CALLS",
            f"VW_ENRICHED_GONG_CALLS without STG_GONG_CALLS: 2 on {DAY}",
        ),
        (
            "layers_match",
            "INSERT INTO STG_GONG_CALL_TOPICS SELECT '2_0', '2', CALL_DATE FROM STG_GONG_CALLS",
            f"STG_GONG_CALL_TOPICS without STG_GONG_CALLS: 2 on {DAY}",
        ),
        (
            "keys_are_unique",
            "INSERT INTO GONG_CALLS_RAW SELECT * FROM GONG_CALLS_RAW",
            f"GONG_CALLS_RAW: 1 on {DAY}",
        ),
        (
            "keys_are_unique",
            "INSERT INTO VW_ENRICHED_GONG_CALLS SELECT * FROM VW_ENRICHED_GONG_CALLS",
            f"VW_ENRICHED_GONG_CALLS: 1 on {DAY}",
        ),
        ("changes_are_transformed", _PENDING.format(day=DAY, hours=11), f"GONG_CALLS_RAW: {DAY}"),
        (
            "transcripts_arrive",
            "INSERT INTO GONG_CALLS_RAW (CALL_ID, RAW_DATA, CALL_DATE, CONTENT_HASH, SOURCE) SELECT VALUE, "
            f"PARSE_JSON('{{}}'), '{DAY}', 'h', 'api' FROM TABLE(FLATTEN(ARRAY_GENERATE_RANGE(100, 120)))",
            "100",
        ),
        (
            "cost_is_within_budget",
            "INSERT INTO GONG_CORTEX_BATCHES VALUES ('AI_EMBED', 1, 1, 0, 5.5, 'Answered', SYSDATE())",
            None,
        ),
    ],
)
def test_a_fault_is_found(
    name: str, fault: str, found: str | None, run: Run, evaluate: Callable[[str], Finding]
) -> None:
    assert evaluate(name).count == 0
    run(fault)
    finding = evaluate(name)
    assert finding.count >= 1
    assert finding.severity is dg.AssetCheckSeverity.ERROR
    if found:
        assert found in finding.ids
    result = finding.result(dg.AssetCheckKey(dg.AssetKey("gong_pipeline_health"), name))
    assert not result.passed
    assert "SELECT" in str(result.metadata["query"].value)
    run(str(result.metadata["query"].value).removeprefix("```sql").removesuffix("```"))  # It can be run.


@pytest.mark.slow
def test_doubled_keys_have_their_days_and_the_query_of_their_tables(
    run: Run, evaluate: Callable[[str], Finding]
) -> None:
    run(
        "INSERT INTO GONG_CALLS_RAW SELECT * REPLACE (DATEADD('day', -1, CALL_DATE)::DATE AS CALL_DATE) "
        "FROM GONG_CALLS_RAW"
    )
    user = "INSERT INTO GONG_USERS_RAW (USER_ID, RAW_DATA, CONTENT_HASH, SOURCE) SELECT '7', {}, 'h', 'api'"
    for _ in range(2):
        run(user.format("PARSE_JSON('{}')"))
    finding = evaluate("keys_are_unique")
    assert finding.ids == [
        f"GONG_CALLS_RAW: 1 on {DAY - timedelta(days=1)}, {DAY}",
        "GONG_USERS_RAW: 7",  # A table without days.
    ]
    assert set(re.findall("FROM ([A-Z_]+)", finding.query)) == {"GONG_CALLS_RAW", "GONG_USERS_RAW"}
    assert "CALL_DATE" in finding.query


@pytest.mark.slow
def test_a_transcript_with_a_blank_first_sentence_needs_no_segment(
    run: Run, evaluate: Callable[[str], Finding]
) -> None:
    run(
        "UPDATE GONG_CALL_TRANSCRIPTS_RAW SET TRANSCRIPT_DATA = "
        """PARSE_JSON('{"transcript": [{"sentences": [{"text": " "}]}]}')"""
    )
    for table, key in MODEL_KEYS.items():
        if key == "TRANSCRIPT_ID":
            run(f"DELETE FROM {table}")
    assert evaluate("layers_match").count == 0


@pytest.mark.slow
def test_batches_that_were_not_sent_cost_nothing(run: Run, evaluate: Callable[[str], Finding]) -> None:
    for status in ("Planned", "Over Budget"):
        run(f"INSERT INTO GONG_CORTEX_BATCHES VALUES ('AI_EMBED', 1, 1, 0, 5.5, '{status}', SYSDATE())")
    assert evaluate("cost_is_within_budget").more["estimated_dollars"] == 0


@pytest.mark.slow
def test_few_calls_without_transcripts_are_a_warning(run: Run, evaluate: Callable[[str], Finding]) -> None:
    run("DELETE FROM GONG_CALL_TRANSCRIPTS_RAW")
    finding = evaluate("transcripts_arrive")
    assert (finding.ids, finding.severity) == (["1"], dg.AssetCheckSeverity.WARN)


@pytest.mark.slow
def test_a_check_that_cannot_be_evaluated_fails_alone(run: Run, warehouse: Warehouse, tmp_path: Path) -> None:
    run("ALTER TABLE GONG_CALLS_RAW DROP COLUMN PROCESSING_ERROR")
    settings = Settings(gong_assets_home=tmp_path, hubspot_schema="OLD", hubspot_shape="plain")
    (standing,) = build_standing_checks(settings)
    job = dg.Definitions(
        asset_checks=[standing],
        resources={"gong_snowflake": SnowflakeResource(arguments=warehouse.arguments)},
        jobs=[dg.define_asset_job("job", dg.AssetSelection.checks(standing))],
    ).resolve_job_def("job")
    with dg.DagsterInstance.ephemeral() as instance:
        result = job.execute_in_process(instance=instance)
    evaluations = result.get_asset_check_evaluations()
    failed = {each.check_name: each for each in evaluations if not each.passed}
    assert {each.check_name for each in evaluations} == {spec.name for spec in standing.check_specs}
    assert set(failed) == {"layers_match", "transcripts_arrive"}
    for evaluation in failed.values():
        assert evaluation.severity is dg.AssetCheckSeverity.ERROR
        assert "PROCESSING_ERROR" in str(evaluation.metadata["error"].value)


@pytest.mark.slow
def test_a_day_that_awaits_its_transformation_is_not_an_orphan(
    run: Run, evaluate: Callable[[str], Finding]
) -> None:
    run("DELETE FROM STG_GONG_CALLS")
    # A table without days.
    run(
        "INSERT INTO GONG_PENDING_CHANGES (TABLE_NAME, DAY, CHANGED_AT) "
        "SELECT 'GONG_USERS_RAW', NULL, SYSDATE()"
    )
    assert evaluate("layers_match").count > 0
    run(_PENDING.format(day=DAY, hours=1))
    assert evaluate("layers_match").count == 0
    assert evaluate("changes_are_transformed").count == 0


@pytest.mark.slow
def test_the_standing_checks_and_the_report_send_few_statements(
    run: Run, warehouse: Warehouse, tmp_path: Path
) -> None:
    for column in ("SENTIMENT_SCORE", "CUSTOMER_SENTIMENT", "SELLER_SENTIMENT"):
        run(f"ALTER TABLE CORTEX_GONG_CALLS ADD COLUMN {column} FLOAT")
    settings = Settings(gong_assets_home=tmp_path)
    sent: list[str] = []
    query = SnowflakeConnection.cmd_query

    def counted(self: SnowflakeConnection, sql: str, *arguments: Any, **options: Any) -> Any:
        sent.append(sql)
        return query(self, sql, *arguments, **options)

    with patch.object(SnowflakeConnection, "cmd_query", counted), dg.DagsterInstance.ephemeral() as instance:
        with warehouse.connect() as connection:
            checks = StandingChecks(connection, instance, settings, DEFAULT_OPTIONS)
            for spec in build_standing_checks(settings)[0].check_specs:
                getattr(checks, spec.name)()
        of_checks = len(sent)
        pipeline_figures(warehouse)
    # The completeness check sends three, and the report reads two views that this database lacks.
    assert len(sent) + 3 + 2 <= STATEMENTS_OF_STANDING_CHECKS, (of_checks, sent)


def test_before_the_first_run_nothing_fails(evaluate: Callable[[str], Finding]) -> None:
    for name in ("layers_match", "keys_are_unique", "changes_are_transformed", "transcripts_arrive"):
        assert evaluate(name).count == 0
    assert evaluate("hubspot_is_recent").more == {"hours": "no HubSpot tables"}


def test_days_without_a_run_and_failed_days_are_found(tmp_path: Path, warehouse: Warehouse) -> None:
    fails = {"now": True}

    @dg.asset(
        name="gong_calls_raw",
        partitions_def=dg.DailyPartitionsDefinition("2026-01-01", end_offset=1),
        backfill_policy=dg.BackfillPolicy.single_run(),
    )
    def calls() -> None:
        if fails["now"]:
            raise ValueError("no")

    def launch(first: date, last: date) -> None:
        job = dg.Definitions([calls], jobs=[dg.define_asset_job("job")]).resolve_job_def("job")
        tags = DateRange.inclusive(first, last).as_run_tags()
        job.execute_in_process(instance=instance, tags=tags, raise_on_error=False)

    with dg.DagsterInstance.ephemeral() as instance, warehouse.connect() as connection:
        checks = StandingChecks(connection, instance, Settings(gong_assets_home=tmp_path), DEFAULT_OPTIONS)
        assert checks.every_day_is_read().count == 0
        today = datetime.now(UTC).date()
        days = [today - timedelta(days=age) for age in (5, 4, 3, 2, 1)]
        launch(days[0], days[2])
        assert [*checks.failed_days_are_repaired().ids] == [f"gong_calls_raw {day}" for day in days[:3]]
        fails["now"] = False
        launch(days[0], days[1])
        launch(days[4], days[4])
        assert checks.failed_days_are_repaired().ids == [f"gong_calls_raw {days[2]}"]
        assert checks.every_day_is_read().ids == [f"gong_calls_raw {days[2]}", f"gong_calls_raw {days[3]}"]


def test_hubspot_that_was_not_loaded_for_days_is_found(warehouse: Warehouse, tmp_path: Path) -> None:
    schema = warehouse.arguments["schema"]
    settings = Settings(
        gong_assets_home=tmp_path,
        hubspot_database=warehouse.arguments["database"],
        hubspot_schema=schema,
        hubspot_shape="plain",
    )
    with (
        warehouse.connect() as connection,
        connection.cursor() as cursor,
        dg.DagsterInstance.ephemeral() as instance,
    ):
        checks = StandingChecks(connection, instance, settings, DEFAULT_OPTIONS)
        cursor.execute("CREATE TABLE DEALS (UPDATED_AT TIMESTAMP_NTZ)")
        error, warning = dg.AssetCheckSeverity.ERROR, dg.AssetCheckSeverity.WARN
        assert (checks.hubspot_is_recent().count, checks.hubspot_is_recent().more) == (
            0,
            {"hours": "no deals"},
        )
        cursor.execute("CREATE TABLE STG_HUBSPOT_DEALS AS SELECT '1' AS DEAL_ID")
        assert (checks.hubspot_is_recent().count, checks.hubspot_is_recent().severity) == (1, error)
        for hours, count, severity in ((400, 1, error), (80, 1, warning), (10, 0, warning)):
            cursor.execute(f"INSERT INTO DEALS SELECT DATEADD('hour', -{hours}, SYSDATE())")
            finding = checks.hubspot_is_recent()
            assert (finding.count, finding.severity) == (count, severity)


def test_staged_deals_without_hubspot_are_found(
    evaluate: Callable[[str], Finding], warehouse: Warehouse
) -> None:
    warehouse.query("CREATE TABLE STG_HUBSPOT_DEALS (DEAL_ID VARCHAR)")
    assert evaluate("hubspot_is_recent").count == 0
    warehouse.query("INSERT INTO STG_HUBSPOT_DEALS VALUES ('1')")
    finding = evaluate("hubspot_is_recent")
    assert (finding.count, finding.severity) == (1, dg.AssetCheckSeverity.ERROR)
    assert finding.more == {"hours": "no HubSpot tables"}


def test_calls_that_differ_from_gongs_list_are_found() -> None:
    days = DateRange.inclusive(date(2026, 3, 1), date(2026, 3, 3))
    first, second = date(2026, 3, 1), date(2026, 3, 2)

    def landed(call_id: str, day: date) -> dict[str, Any]:
        return {"ID": call_id, "DAY": day, "IS_STAGED": True, "IS_VALID": True}

    listed = {"1": first, "2": first, "3": second}
    assert compare(days, listed, [], [landed("1", first), landed("2", first), landed("3", second)]).count == 0
    finding = compare(days, listed, ["5"], [landed("1", second), landed("4", first), landed("5", first)])
    assert list(finding.ids) == [
        "2 is in Gong and not landed",
        "3 is in Gong and not landed",
        "4 is landed and not in Gong",
        "1 is landed on another day",
    ]
    invalid = [{**landed(call_id, first), "IS_VALID": False} for call_id in ("1", "unidentified-0")]
    finding = compare(days, {"1": first}, [], invalid)
    assert finding.count == 0, "Gong's list has no call without a start time"
    assert finding.more["calls_landed"] == 1


def test_gongs_list_is_read_for_a_limited_number_of_calls() -> None:
    today = date(2026, 3, 31)
    few = {date(2026, 3, day): 20 for day in range(1, 32)}
    assert days_to_compare(few, today) == DateRange(date(2026, 3, 1), date(2026, 3, 30))
    many = {date(2026, 3, day): 2000 for day in range(1, 32)}
    assert days_to_compare(many, today) == DateRange(date(2026, 3, 28), date(2026, 3, 30))
    assert days_to_compare({}, today) is None
