"""The models' SQL is Snowflake's: the local server also takes functions that Snowflake lacks, so that running it there
does not prove it."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from gong_assets_tests.dbt.project import DbtProject
from gong_assets_tests.dbt.warehouse import Tables, Warehouse
from gong_assets_tests.snowflake_sql import functions, parsed, refusals

pytestmark = pytest.mark.xdist_group("dbt")

# Every function that the models call. Each has a page at https://docs.snowflake.com/en/sql-reference/functions-all;
# look a new one up there before adding it.
SNOWFLAKE_FUNCTIONS = {
    "AI_COUNT_TOKENS", "AI_EMBED", "AI_EXTRACT", "AI_REDACT", "AI_SUMMARIZE_AGG", "ARRAY_AGG",
    "ARRAY_CONSTRUCT", "ARRAY_CONSTRUCT_COMPACT", "ARRAY_FLATTEN", "ARRAY_SIZE", "AVG", "CAST", "COALESCE",
    "CONVERT_TIMEZONE", "COUNT", "COUNT_IF", "COUNT_TOKENS", "CURRENT_TIMESTAMP", "DATEADD", "DATEDIFF", "DATE_TRUNC", "DENSE_RANK",
    "EMBED_TEXT_768", "EXTRACT_ANSWER", "FLATTEN", "FLOOR", "GREATEST", "IFF", "INITCAP", "IS_ARRAY", "LEAST", "LEFT",
    "LENGTH", "LISTAGG", "LOWER", "MAX", "MD5", "MEDIAN", "MIN", "NULLIF", "OBJECT_CONSTRUCT", "PARSE_JSON",
    "PERCENTILE_CONT", "POWER", "REGEXP_COUNT", "REGEXP_REPLACE", "REPLACE", "ROUND", "ROW_NUMBER", "SENTIMENT", "SHA2",
    "SPLIT", "SPLIT_TEXT_RECURSIVE_CHARACTER", "SUM", "SUMMARIZE", "SYSDATE", "TO_CHAR", "TO_JSON", "TO_VARIANT",
    "TRIM", "TRY_CAST", "TRY_PARSE_JSON",
    "TRY_TO_BOOLEAN", "TRY_TO_DECIMAL", "TRY_TO_DOUBLE", "TRY_TO_NUMBER", "UPPER",
}  # fmt: skip


@pytest.fixture(scope="module")
def models(built: Tables, project: DbtProject) -> dict[str, str]:
    """The SQL of every model, of the Cortex models in both families."""
    project.succeed("compile")
    current = project.compiled()
    project.succeed("compile", "--select", "cortex", "--vars", json.dumps({"cortex_family": "legacy"}))
    legacy = {
        f"{name} (legacy)": sql for name, sql in project.compiled().items() if name.startswith("cortex_")
    }
    return current | legacy


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

# How dbt logs what it executes. A statement goes on over lines that do not begin with a time.
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
    """Each statement that dbt sent, with the model or test that it was sent for: hooks and dbt's own included."""
    for entry in LINE.split(log):
        found = EXECUTED.fullmatch(entry.strip())
        # The mocks of unit tests are written by dbt.
        is_mocked = found is not None and found["node"].startswith("unit_test.")
        if found and not is_mocked and found["verb"].lower() in VERBS:
            yield found["node"], found["sql"]


@pytest.fixture(scope="module")
def legacy(
    warehouse: Warehouse, project: DbtProject, tmp_path_factory: pytest.TempPathFactory
) -> tuple[DbtProject, subprocess.CompletedProcess[str]]:
    """A run of the Cortex models in their other family, of redacted transcripts, in a schema of its own."""
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
    family = json.dumps({"cortex_family": "legacy"})
    return legacy, legacy.command("run", "--select", "+path:models/cortex", "--vars", family)


@pytest.fixture(scope="module")
def statements(
    built: Tables, project: DbtProject, legacy: tuple[DbtProject, subprocess.CompletedProcess[str]]
) -> dict[str, list[tuple[str, str]]]:
    """By Cortex family: what a build of everything sent, and the run of the other family."""
    return {
        family: list(executed((each.work_dir / "logs" / "dbt.log").read_text()))
        for family, each in (("current", project), ("legacy", legacy[0]))
    }


def test_the_legacy_cortex_functions_can_be_sent_the_same_texts(
    legacy: tuple[DbtProject, subprocess.CompletedProcess[str]],
) -> None:
    assert legacy[1].returncode == 0, legacy[1].stdout


def test_every_model_is_snowflake_sql(models: dict[str, str]) -> None:
    for sql in models.values():
        parsed(sql)


def test_the_models_and_their_hooks_call_just_the_functions_that_are_listed(
    models: dict[str, str], statements: dict[str, list[tuple[str, str]]]
) -> None:
    sent = {sql for each in statements.values() for node, sql in each if node.startswith("model.")}
    called = {name: functions(sql) for name, sql in models.items()} | {sql: functions(sql) for sql in sent}
    unknown = {name: names - SNOWFLAKE_FUNCTIONS for name, names in called.items()}
    assert {name: names for name, names in unknown.items() if names} == {}
    assert set().union(*called.values()) == SNOWFLAKE_FUNCTIONS


def test_no_model_does_what_snowflake_refuses(models: dict[str, str]) -> None:
    found = {name: refusals(sql) for name, sql in models.items()}
    assert {name: lines for name, lines in found.items() if lines} == {}


@pytest.mark.parametrize("family", ["current", "legacy"])
def test_no_statement_of_a_build_does_what_snowflake_refuses(
    statements: dict[str, list[tuple[str, str]]], family: str
) -> None:
    found = [(node, lines, sql) for node, sql in statements[family] if (lines := refusals(sql))]
    assert found == []


def test_the_statements_of_a_build_are_all_those_that_dbt_logged(
    project: DbtProject, statements: dict[str, list[tuple[str, str]]]
) -> None:
    """Should dbt log in another way, the test above would see nothing and pass."""
    created = {node for node, sql in statements["current"] if re.match(r"\s*create or replace\s", sql)}
    models = {name for name, node in project.manifest()["nodes"].items() if node["resource_type"] == "model"}
    assert models <= created


def test_each_cortex_family_has_its_own_functions(statements: dict[str, list[tuple[str, str]]]) -> None:
    called: dict[tuple[str, str], set[str]] = {}
    for family, each in statements.items():
        for node, sql in each:
            model = node.rpartition(".")[2]
            if node.startswith("model.") and (names := functions(sql) & CORTEX_FUNCTIONS):
                called.setdefault((family, model), set()).update(names)
    assert called == {
        ("current", "cortex_gong_calls"): {"AI_COUNT_TOKENS", "AI_SUMMARIZE_AGG"},
        ("current", "cortex_gong_call_insights"): {"AI_COUNT_TOKENS", "AI_EXTRACT"},
        ("current", "cortex_gong_call_transcripts"): {
            "AI_COUNT_TOKENS",
            "AI_EMBED",
            "SENTIMENT",
        },
        ("legacy", "cortex_gong_redacted_transcripts"): {
            "AI_COUNT_TOKENS",
            "AI_REDACT",
            "SPLIT_TEXT_RECURSIVE_CHARACTER",
        },
        ("legacy", "cortex_gong_calls"): {"COUNT_TOKENS", "SUMMARIZE"},
        ("legacy", "cortex_gong_call_insights"): {"COUNT_TOKENS", "EXTRACT_ANSWER"},
        ("legacy", "cortex_gong_call_transcripts"): {"COUNT_TOKENS", "EMBED_TEXT_768", "SENTIMENT"},
    }


def test_an_unknown_cortex_family_is_refused_by_name(project: DbtProject) -> None:
    refused = project.command("parse", "--vars", json.dumps({"cortex_family": "future"}))
    assert refused.returncode != 0
    assert "cortex_family is 'future'; it must be one of: current, legacy" in refused.stdout


def test_an_unknown_embedding_model_is_rejected_by_name(project: DbtProject) -> None:
    rejected = project.command("parse", "--vars", json.dumps({"embedding_model": "word2vec"}))
    assert rejected.returncode != 0
    assert "embedding_model is 'word2vec'; it must be one of: e5-base-v2, " in rejected.stdout
