"""SQL of the models is valid Snowflake SQL. The local server also accepts functions that Snowflake lacks."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import snowflake.connector

from gong_assets.cortex.sending import create_tables
from gong_assets_tests.dbt.enriching import enrich, scope_of
from gong_assets_tests.dbt.project import DbtProject
from gong_assets_tests.dbt.sent_statements import sent_statements
from gong_assets_tests.dbt.warehouse import Tables, Warehouse
from gong_assets_tests.local.snowflake.sql.transforms import transformed
from gong_assets_tests.second_parser import parse_error
from gong_assets_tests.snowflake_sql import functions, parsed, violations

pytestmark = pytest.mark.xdist_group("dbt")

# Every function that the models call. Look a new one up before adding it:
# https://docs.snowflake.com/en/sql-reference/functions-all
SNOWFLAKE_FUNCTIONS = {
    "ABS", "AI_COUNT_TOKENS", "AI_EMBED", "AI_EXTRACT", "AI_REDACT", "AI_SUMMARIZE_AGG", "ARRAY_AGG",
    "ARRAY_CAT", "ARRAY_COMPACT", "ARRAY_CONSTRUCT", "ARRAY_CONSTRUCT_COMPACT", "ARRAY_FLATTEN",
    "ARRAY_PREPEND", "ARRAY_SIZE", "ARRAY_TO_STRING", "AVG", "CAST", "COALESCE", "CONTAINS",
    "CONVERT_TIMEZONE", "COUNT", "COUNT_IF", "COUNT_TOKENS", "CURRENT_TIMESTAMP", "DATEADD", "DATEDIFF",
    "DATE_TRUNC", "DENSE_RANK",
    "EMBED_TEXT_768", "ENDSWITH", "EXTRACT_ANSWER", "FIRST_VALUE", "FLATTEN", "FLOOR", "GREATEST", "IFF",
    "INITCAP", "IS_ARRAY", "LEAST", "LEFT",
    "LENGTH", "LISTAGG", "LOWER", "MAX", "MD5", "MEDIAN", "MIN", "NULLIF", "OBJECT_CONSTRUCT", "PARSE_JSON",
    "PERCENTILE_CONT", "POWER", "REDUCE", "REGEXP_COUNT", "REGEXP_REPLACE", "REGEXP_SUBSTR", "REPLACE",
    "ROUND", "ROW_NUMBER", "SENTIMENT", "SHA2",
    "SPLIT", "SPLIT_TEXT_RECURSIVE_CHARACTER", "SUM", "SUMMARIZE", "SYSDATE", "TO_CHAR", "TO_JSON",
    "TO_VARIANT", "TRANSLATE",
    "TRIM", "TRY_CAST", "TRY_PARSE_JSON",
    "TRY_TO_BOOLEAN", "TRY_TO_DECIMAL", "TRY_TO_DOUBLE", "TRY_TO_NUMBER", "UPPER",
}  # fmt: skip


@pytest.fixture(scope="module")
def models(built: Tables, project: DbtProject) -> dict[str, str]:
    """Return the SQL of every model, and of those that depend on vars also with their other values."""
    project.succeed("compile")
    current = project.compiled()
    others = json.dumps({"cortex_family": "legacy", "match_calls_by_domain": True})
    project.succeed("compile", "--select", "cortex", "int_gong_customer_addresses", "--vars", others)
    other = {
        f"{name} (other vars)": sql
        for name, sql in project.compiled().items()
        if name.startswith("cortex_") or name == "int_gong_customer_addresses"
    }
    return current | other


CORTEX_FUNCTIONS = {
    name
    for name in SNOWFLAKE_FUNCTIONS
    if name.startswith("AI_")
    or name
    in (
        "COUNT_TOKENS",
        "EMBED_TEXT_768",
        "EXTRACT_ANSWER",
        "SENTIMENT",
        "SPLIT_TEXT_RECURSIVE_CHARACTER",
        "SUMMARIZE",
    )
}

# Statements in dbt's log. They continue on lines that do not start with a time.
EXECUTED = re.compile(r'On "?(?P<node>[\w.]+)"?: (?P<sql>(?:/\*.*?\*/\s*)?(?P<verb>\w+)\b.*)', re.DOTALL)
LINE = re.compile(r"^\d\d:\d\d:\d\d\.\d+ \[\w+ *\] \[[^\]]*\]: ", re.MULTILINE)
VERBS = {
    "alter",
    "begin",
    "comment",
    "commit",
    "create",
    "delete",
    "drop",
    "insert",
    "merge",
    "select",
    "update",
    "with",
}


def executed(log: str) -> Iterator[tuple[str, str]]:
    """Yield each statement that dbt executed with its model or test, including hooks."""
    for entry in LINE.split(log):
        found = EXECUTED.fullmatch(entry.strip())
        # dbt generates the mocks of unit tests.
        is_mocked = found is not None and found["node"].startswith("unit_test.")
        if found and not is_mocked and found["verb"].lower() in VERBS:
            yield found["node"], found["sql"]


SENT = {family: list(sent_statements(family)) for family in ("current", "legacy")}


@pytest.fixture(scope="module")
def legacy(
    warehouse: Warehouse, project: DbtProject, tmp_path_factory: pytest.TempPathFactory
) -> tuple[DbtProject, subprocess.CompletedProcess[str]]:
    """Run the Cortex models of the legacy family with redaction, in a separate schema."""
    legacy = replace(
        project,
        work_dir=Path(tmp_path_factory.mktemp("legacy")),
        environment={**project.environment, "SNOWFLAKE_SCHEMA": "LEGACY", "GONG_REDACT_TRANSCRIPTS": "true"},
    )
    warehouse.query("create schema if not exists legacy")
    warehouse.query("use schema legacy")
    try:
        warehouse.land_everything()
    finally:
        warehouse.query("use schema gong_data")
    family = {"cortex_family": "legacy"}
    command = ("run", "--vars", json.dumps(family), "--select")
    own = replace(warehouse, arguments={**warehouse.arguments, "schema": "LEGACY"})
    with snowflake.connector.connect(**own.arguments) as connection:
        create_tables(connection, scope_of(family).functions)
        legacy.succeed(*command, "path:models/staging")
        assert enrich(connection, own.arguments, scope_of(family, redacts=True)).errors == {}
    return legacy, legacy.command(*command, "path:models/cortex")


@pytest.fixture(scope="module")
def statements(
    built: Tables, project: DbtProject, legacy: tuple[DbtProject, subprocess.CompletedProcess[str]]
) -> dict[str, list[tuple[str, str]]]:
    """Return the executed statements by Cortex family: of the full build, and of the legacy run."""
    return {
        family: list(executed((each.work_dir / "logs" / "dbt.log").read_text()))
        for family, each in (("current", project), ("legacy", legacy[0]))
    }


@pytest.mark.extended
def test_the_legacy_cortex_functions_accept_the_same_texts(
    legacy: tuple[DbtProject, subprocess.CompletedProcess[str]],
) -> None:
    assert legacy[1].returncode == 0, legacy[1].stdout


@pytest.mark.extended
def test_every_model_is_snowflake_sql(models: dict[str, str]) -> None:
    for sql in models.values():
        parsed(sql)


def test_the_models_and_the_enrichments_call_exactly_the_listed_functions(
    models: dict[str, str], statements: dict[str, list[tuple[str, str]]]
) -> None:
    sent = {sql for each in statements.values() for node, sql in each if node.startswith("model.")}
    sent |= {sql for each in SENT.values() for _, sql in each}
    called = {name: functions(sql) for name, sql in models.items()} | {sql: functions(sql) for sql in sent}
    unknown = {name: names - SNOWFLAKE_FUNCTIONS for name, names in called.items()}
    assert {name: names for name, names in unknown.items() if names} == {}
    assert set().union(*called.values()) == SNOWFLAKE_FUNCTIONS


def test_no_model_has_sql_that_snowflake_rejects(models: dict[str, str]) -> None:
    found = {name: violations(sql) for name, sql in models.items()}
    assert {name: lines for name, lines in found.items() if lines} == {}


@pytest.mark.parametrize("family", ["current", "legacy"])
@pytest.mark.extended
def test_no_statement_of_a_build_has_sql_that_snowflake_rejects(
    statements: dict[str, list[tuple[str, str]]], family: str
) -> None:
    sent = [*statements[family], *SENT[family]]
    found = [(node, lines, sql) for node, sql in sent if (lines := violations(sql))]
    assert found == []


@pytest.mark.parametrize("family", ["current", "legacy"])
@pytest.mark.extended
def test_a_second_parser_accepts_the_models_and_each_statement_of_a_build(
    models: dict[str, str], statements: dict[str, list[tuple[str, str]]], family: str
) -> None:
    parsed_sql = {*models.values(), *(sql for _, sql in [*statements[family], *SENT[family]])}
    assert {sql: error for sql in parsed_sql if (error := parse_error(sql))} == {}


@pytest.mark.extended
def test_the_local_server_transforms_each_statement_of_a_build_as_fakesnow_does(
    models: dict[str, str], statements: dict[str, list[tuple[str, str]]]
) -> None:
    sent = {*models.values(), *(sql for _, sql in [*statements["current"], *SENT["current"]])}
    both = [pair for sql in sent if (pair := transformed(sql))]
    assert len(both) > len(models)
    assert [pair for pair in both if pair[0] != pair[1]] == []


@pytest.mark.extended
def test_the_log_has_a_create_statement_for_every_model(
    project: DbtProject, statements: dict[str, list[tuple[str, str]]]
) -> None:
    """If dbt changed its log format, the test above would find nothing and pass."""
    created = {node for node, sql in statements["current"] if re.match(r"\s*create or replace\s", sql)}
    models = {name for name, node in project.manifest()["nodes"].items() if node["resource_type"] == "model"}
    assert models <= created


def test_each_cortex_family_has_its_own_functions() -> None:
    called: dict[tuple[str, str], set[str]] = {}
    for family, each in SENT.items():
        for enrichment, sql in each:
            if names := functions(sql) & CORTEX_FUNCTIONS:
                called.setdefault((family, enrichment), set()).update(names)
    redaction = {"AI_COUNT_TOKENS", "AI_REDACT", "SPLIT_TEXT_RECURSIVE_CHARACTER"}
    assert called == {
        ("current", "redactions"): redaction,
        ("current", "summaries"): {"AI_COUNT_TOKENS", "AI_SUMMARIZE_AGG"},
        ("current", "insights"): {"AI_COUNT_TOKENS", "AI_EXTRACT"},
        ("current", "segments"): {"AI_COUNT_TOKENS", "AI_EMBED", "SENTIMENT"},
        ("legacy", "redactions"): redaction,
        ("legacy", "summaries"): {"COUNT_TOKENS", "SUMMARIZE"},
        ("legacy", "insights"): {"COUNT_TOKENS", "EXTRACT_ANSWER"},
        ("legacy", "segments"): {"COUNT_TOKENS", "EMBED_TEXT_768", "SENTIMENT"},
    }


@pytest.mark.extended
def test_no_model_calls_cortex(statements: dict[str, list[tuple[str, str]]]) -> None:
    """So `dbt build` by hand costs nothing."""
    called = {node for each in statements.values() for node, sql in each if functions(sql) & CORTEX_FUNCTIONS}
    assert called == set()


def test_an_unknown_cortex_family_is_rejected_by_name(project: DbtProject) -> None:
    rejected = project.command("parse", "--vars", json.dumps({"cortex_family": "future"}))
    assert rejected.returncode != 0
    assert "cortex_family is 'future'; it must be one of: current, legacy" in rejected.stdout


def test_an_unknown_embedding_model_is_rejected_by_name(project: DbtProject) -> None:
    rejected = project.command("parse", "--vars", json.dumps({"embedding_model": "word2vec"}))
    assert rejected.returncode != 0
    assert "embedding_model is 'word2vec'; it must be one of: e5-base-v2, " in rejected.stdout
