"""Runs of the dbt step over exact days: what they replace, what they send, their checks and their end."""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Iterator, Set
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import dagster as dg
import pytest
from dbt.artifacts.resources.types import NodeType

from gong_assets.dates import DateRange
from gong_assets.defs.build import build_defs
from gong_assets.defs.dbt.invocation import DbtInvocation, environment
from gong_assets.defs.dbt.project import (
    command_options,
    dbt_environment,
    dbt_source_environment,
    parsed_manifest,
    prepared_project,
)
from gong_assets.defs.dbt.test_groups import group_tests
from gong_assets.defs.partitions import DAYS_TAG
from gong_assets.settings import Settings
from gong_assets.warehouse.connection import Warehouse
from gong_assets_tests.instances import local_instance
from gong_assets_tests.schemas import emptied
from gong_assets_tests.statements import Statements, recorded_statements

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("dbt_runs")]

# A Friday and a weekend, on which the simulated tenant has few calls.
DAYS = DateRange.inclusive(date(2026, 11, 6), date(2026, 11, 8))
FIRST, GAP, LAST = DAYS
OPS = ("gong_dbt_staging", "gong_dbt_models")


@dataclass(frozen=True)
class Graph:
    """The graph on the local stack, with three days of the simulated tenant."""

    settings: Settings
    defs: dg.Definitions
    instance: dg.DagsterInstance
    warehouse: Warehouse
    created: list[dg.ExecuteInProcessResult] = field(default_factory=list)
    """The run that created all tables."""

    def run(
        self,
        assets: Set[dg.AssetKey] = frozenset(),
        *,
        checks: Set[dg.AssetCheckKey] | None = None,
        tags: dict[str, str] | None = None,
    ) -> dg.ExecuteInProcessResult:
        job = self.defs.resolve_implicit_global_asset_job_def()
        return job.get_subset(asset_selection=assets, asset_check_selection=checks).execute_in_process(
            instance=self.instance, tags=tags, raise_on_error=False
        )

    @property
    def ops(self) -> list[dg.AssetsDefinition]:
        """The ops of the dbt models."""
        return [
            each
            for each in self.defs.assets or []
            if isinstance(each, dg.AssetsDefinition) and each.is_executable and each.op.name in OPS
        ]

    @property
    def models(self) -> set[dg.AssetKey]:
        return {key for op in self.ops for key in op.keys}

    @property
    def check_keys(self) -> set[dg.AssetCheckKey]:
        return {key for op in self.ops for key in op.check_keys}

    @property
    def enrichments(self) -> set[dg.AssetKey]:
        return {dg.AssetKey(f"gong_cortex_{name}") for name in ("segments", "summaries", "insights")}


@pytest.fixture(scope="module")
def graph(stack_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Graph]:
    warehouse = emptied(stack_home)
    schema = warehouse.arguments["schema"]
    settings = Settings(gong_assets_home=stack_home, snowflake_schema=schema, gong_start_date=FIRST)
    with warnings.catch_warnings(), local_instance(tmp_path_factory.mktemp("dbt_runs")) as instance:
        warnings.simplefilter("ignore")
        graph = Graph(settings, build_defs(settings), instance, warehouse)
        raw = {
            key
            for key in graph.defs.resolve_asset_graph().executable_asset_keys
            if key.path[-1].endswith("_raw")
        }
        done = graph.run(raw | graph.models | graph.enrichments, tags=DAYS.as_run_tags())
        assert done.success
        graph.created.append(done)
        yield graph


@pytest.fixture(scope="module")
def second(graph: Graph) -> tuple[dg.ExecuteInProcessResult, Statements]:
    """A run of all models over the first and the last day, after a row was added to each day."""
    graph.warehouse.query(
        "insert into stg_gong_calls (call_id, call_date) "
        f"select 'marker', column1 from values ('{FIRST}'::date), ('{GAP}'::date), ('{LAST}'::date)"
    )
    with recorded_statements() as sent:
        result = graph.run(
            graph.models | graph.enrichments,
            checks=graph.check_keys,
            tags={**DAYS.as_run_tags(), DAYS_TAG: f"{FIRST},{LAST}"},
        )
    return result, sent


def test_a_run_replaces_exactly_its_days(
    graph: Graph, second: tuple[dg.ExecuteInProcessResult, Statements]
) -> None:
    assert second[0].success
    marked = graph.warehouse.query("select call_date from stg_gong_calls where call_id = 'marker'")
    assert [row["CALL_DATE"] for row in marked] == [GAP]
    reads_gap = (f">= '{GAP}'", f"< '{LAST}'")
    assert [sql for sql in second[1].statements if any(bound in sql for bound in reads_gap)] == []


def test_two_dbt_commands_build_all_models_with_few_statements(
    graph: Graph, second: tuple[dg.ExecuteInProcessResult, Statements]
) -> None:
    result, sent = second
    steps = [event.step_key for event in result.get_step_success_events()]
    assert [step for step in steps if step in OPS] == list(OPS)
    kinds = sent.by_kind()
    # Three connections: one of each dbt command, and one of all other steps.
    assert (sent.logins, kinds["ALTER SESSION"]) == (3, 2)
    assert len(sent.statements) <= 190, kinds
    # Nothing changed in the definitions, so they are neither created, read nor documented.
    assert {"CREATE VIEW", "DESCRIBE", "COMMENT ON TABLE", "ALTER TABLE", "ROLLBACK"} & set(kinds) == set()


def test_models_are_documented_and_counted(
    graph: Graph, second: tuple[dg.ExecuteInProcessResult, Statements]
) -> None:
    schema = graph.warehouse.arguments["schema"]
    tables = f"select table_name, comment from information_schema.tables where table_schema = '{schema}'"
    comments = {row["TABLE_NAME"]: row["COMMENT"] or "" for row in graph.warehouse.query(tables)}
    undocumented = [key for key in graph.models if "[dbt " not in comments[key.path[-1].upper()]]
    assert undocumented == []
    events = {
        event.asset_key.path[-1]: event.step_materialization_data.materialization.metadata
        for event in second[0].get_asset_materialization_events()
        if event.asset_key
    }
    users = graph.warehouse.query("select count(*) as users from stg_gong_users")[0]["USERS"]
    assert events["stg_gong_users"]["dagster/row_count"].value == users
    assert int(events["stg_gong_calls"]["run/rows_written"].value) > 0  # type: ignore[call-overload]
    assert "dagster/column_lineage" in events["vw_enriched_gong_calls"]
    assert Path(str(events["vw_deal_risk"]["compiled_sql"].value)).exists()


def test_a_run_that_creates_tables_reports_no_number_of_rows(graph: Graph) -> None:
    """Snowflake answers CREATE TABLE with one row, whatever the table has."""
    (created,) = graph.created
    events = {
        event.asset_key: event.step_materialization_data.materialization.metadata
        for event in created.get_asset_materialization_events()
        if event.asset_key in graph.models
    }
    assert events.keys() == graph.models
    counted = {
        (key.path[-1], name)
        for key, metadata in events.items()  # type: ignore[union-attr]
        for name in metadata
        if name.endswith(("row_count", "rows_written"))
    }
    assert counted == set()


def test_each_day_of_a_run_shows_its_own_texts(graph: Graph) -> None:
    (created,) = graph.created
    answers = graph.warehouse.query(
        "select call_date, count(distinct call_id, text_hash) as texts from gong_cortex_answers "
        "where enrichment = 'segments' group by call_date"
    )
    texts = {
        event.partition: event.step_materialization_data.materialization.metadata["gong_assets/texts"].value
        for event in created.get_asset_materialization_events()
        if event.asset_key == dg.AssetKey("gong_cortex_segments")
    }
    assert len(set(texts.values())) > 1
    assert texts == {str(row["CALL_DATE"]): row["TEXTS"] for row in answers}


def test_a_check_of_a_daily_model_can_be_executed_alone(graph: Graph) -> None:
    key = dg.AssetCheckKey(dg.AssetKey("stg_gong_calls"), "call_id_unique")
    result = graph.run(checks={key})
    (evaluation,) = result.get_asset_check_evaluations()
    assert (evaluation.asset_check_key, evaluation.passed) == (key, True)


def checks_of(graph: Graph, *models: str) -> set[dg.AssetCheckKey]:
    return {key for key in graph.check_keys if key.asset_key.path[-1] in models}


def failed_rows(result: dg.ExecuteInProcessResult) -> dict[str, object]:
    """Return the number of rows that failed each check."""
    return {
        each.check_name: each.metadata["dagster_dbt/failed_row_count"].value
        for each in result.get_asset_check_evaluations()
    }


@pytest.fixture
def kept_users(graph: Graph) -> Iterator[None]:
    """Restore the staged users after the test."""
    graph.warehouse.query("create table kept_users as select * from stg_gong_users")
    yield
    graph.warehouse.query("insert overwrite into stg_gong_users select * from kept_users")
    graph.warehouse.query("drop table kept_users")


@pytest.mark.usefixtures("kept_users")
def test_only_the_test_that_failed_is_a_failed_check_and_no_model_is_built_on_its_model(graph: Graph) -> None:
    graph.warehouse.query("insert into stg_gong_users select * from kept_users order by user_id limit 1")
    built = {dg.AssetKey("int_gong_users"), dg.AssetKey("vw_directory")}
    result = graph.run(built, checks=checks_of(graph, "int_gong_users", "vw_directory"))

    assert not result.success
    checks = checks_of(graph, "int_gong_users")
    assert {each.asset_check_key for each in result.get_asset_check_evaluations()} == checks
    assert failed_rows(result) == {key.name: int(key.name == "user_id_unique") for key in checks}
    (failed,) = [each for each in result.get_asset_check_evaluations() if not each.passed]
    assert failed.check_name == "user_id_unique"
    assert "group by user_id" in str(failed.metadata["query"].value)
    assert [event.asset_key for event in result.get_asset_materialization_events()] == [
        dg.AssetKey("int_gong_users")
    ]
    failure = result.failure_data_for_node(OPS[1])
    assert failure is not None
    assert failure.user_failure_data is not None
    reason, compiled = str(failure.user_failure_data.description).splitlines()
    assert "Failure in test unique_int_gong_users_user_id " in reason
    assert reason.endswith("Got 1 result, configured to fail if != 0")
    assert "group by user_id" in Path(compiled.removeprefix("Compiled SQL: ")).read_text()


@pytest.mark.usefixtures("kept_users")
def test_a_test_that_warns_fails_its_check_and_not_the_step(graph: Graph) -> None:
    checks = checks_of(graph, "stg_gong_users")
    graph.warehouse.query(
        "update stg_gong_users set manager_id = 'nobody' where user_id = "
        "(select min(user_id) from stg_gong_users)"
    )
    result = graph.run(checks=checks)

    assert result.success
    assert {each.asset_check_key for each in result.get_asset_check_evaluations()} == checks
    (failed,) = [each for each in result.get_asset_check_evaluations() if not each.passed]
    assert (failed.check_name, failed.severity) == (
        "manager_id_in_stg_gong_users",
        dg.AssetCheckSeverity.WARN,
    )
    assert failed_rows(result) == {key.name: int(key.name == failed.check_name) for key in checks}


def test_dbt_runs_the_tests_of_a_model_as_one(
    graph: Graph, second: tuple[dg.ExecuteInProcessResult, Statements]
) -> None:
    evaluated = {each.asset_check_key for each in second[0].get_asset_check_evaluations()}
    assert evaluated == graph.check_keys
    manifest = parsed_manifest(prepared_project(graph.settings).target_path)
    tests = {spec.metadata["dagster_dbt/unique_id"] for op in graph.ops for spec in op.check_specs}
    groups = group_tests(manifest, tests)
    assert sorted(test for group in groups.values() for test in group) == sorted(tests)
    left = {name for name, node in manifest.nodes.items() if node.resource_type == NodeType.Test}
    assert left == groups.keys()
    assert len(groups) < len(tests) / 3


def test_daily_models_are_not_rebuilt_without_days(graph: Graph) -> None:
    before = graph.warehouse.query("select count(*) as n from stg_gong_calls")
    result = graph.run({dg.AssetKey("stg_gong_calls")})
    # If the raw tables have partitions already, Dagster itself refuses before the step does.
    failure = result.failure_data_for_node(OPS[0])
    assert failure is not None
    error = failure.user_failure_data.description if failure.user_failure_data else failure.error
    assert "no partitions" in str(error) or "non-partitioned run" in str(error)
    assert graph.warehouse.query("select count(*) as n from stg_gong_calls") == before


def test_a_command_that_is_cancelled_stops_between_its_models(graph: Graph, tmp_path: Path) -> None:
    """The caller stops to read events, as Dagster does when a run is terminated."""
    variables = {**dbt_environment(graph.warehouse.arguments), **dbt_source_environment(graph.settings)}
    state = prepared_project(graph.settings).target_path
    with environment(variables):
        command = ["run", *command_options(graph.settings, tmp_path)]
        invocation = DbtInvocation(command, parsed_manifest(state))
        events = invocation.events()
        next(events)
        events.close()
    assert isinstance(invocation.result.exception, KeyboardInterrupt)
    results = json.loads((tmp_path / "run_results.json").read_text())["results"]
    assert len(results) < 10


def test_every_test_of_a_model_is_a_check(graph: Graph) -> None:
    manifest = parsed_manifest(prepared_project(graph.settings).target_path)
    models = {f"model.gong_assets.{key.path[-1]}" for key in graph.models}
    tests = {name for name, node in manifest.nodes.items() if getattr(node, "attached_node", None) in models}
    specs = [spec for op in graph.ops for spec in op.check_specs]
    assert len(tests) > 150
    assert tests - {spec.metadata["dagster_dbt/unique_id"] for spec in specs} == set()


def test_a_run_without_a_fault_logs_no_warning(
    graph: Graph, second: tuple[dg.ExecuteInProcessResult, Statements]
) -> None:
    succeeded = graph.instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.SUCCESS]))
    assert second[0].run_id in {run.run_id for run in succeeded}
    for run in succeeded:
        logged = graph.instance.all_logs(run.run_id)
        assert [entry.user_message for entry in logged if entry.level >= logging.WARNING] == []


def test_every_check_has_a_description_and_a_short_name(graph: Graph) -> None:
    checks = graph.defs.resolve_asset_graph()
    of_models = [key for key in checks.asset_check_keys if key.asset_key in graph.models]
    assert len(of_models) > 150
    assert [key for key in of_models if not checks.get(key).description] == []
    # The manager of a user is a user, so this name contains the model on purpose.
    of_itself = dg.AssetCheckKey(dg.AssetKey("stg_gong_users"), "manager_id_in_stg_gong_users")
    long = [key for key in of_models if key.asset_key.path[-1] in key.name or len(key.name) > 60]
    assert long == [of_itself]
