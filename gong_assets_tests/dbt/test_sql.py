"""The models' SQL is Snowflake's: the local server also takes functions that Snowflake lacks, so that running it there
does not prove it."""

from __future__ import annotations

import itertools
import json
import re

import pytest
import sqlglot
from sqlglot import exp
from sqlglot.tokens import Tokenizer, TokenType

from gong_assets_tests.dbt.project import DbtProject
from gong_assets_tests.dbt.warehouse import Tables

# Every function that the models call. Each has a page at https://docs.snowflake.com/en/sql-reference/functions-all;
# look a new one up there before adding it.
SNOWFLAKE_FUNCTIONS = {
    "AI_EMBED", "AI_SUMMARIZE_AGG", "ANY_VALUE", "ARRAY_AGG", "ARRAY_CONSTRUCT", "ARRAY_CONSTRUCT_COMPACT",
    "ARRAY_SIZE", "AVG", "COALESCE", "CONVERT_TIMEZONE", "COUNT", "COUNT_IF", "CURRENT_TIMESTAMP", "DATEADD",
    "DATEDIFF", "DATE_TRUNC", "EMBED_TEXT_768", "FLATTEN", "IFF", "INITCAP", "IS_ARRAY", "LEFT", "LENGTH",
    "LISTAGG", "LOWER", "MAX", "MD5", "MEDIAN", "MIN", "NULLIF", "OBJECT_CONSTRUCT", "PARSE_JSON",
    "PERCENTILE_CONT", "REGEXP_COUNT", "REGEXP_REPLACE", "REPLACE", "ROW_NUMBER", "SENTIMENT", "SHA2", "SUM",
    "SUMMARIZE", "SYSDATE", "TO_CHAR", "TO_JSON", "TRIM", "TRY_CAST", "TRY_TO_BOOLEAN", "TRY_TO_DECIMAL",
    "TRY_TO_DOUBLE", "TRY_TO_NUMBER", "UPPER",
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


# What stands before a parenthesis without being called: keywords, and types with a size.
NOT_FUNCTIONS = {
    "AND", "ANY", "AS", "BY", "FROM", "GROUP", "IN", "NOT", "NUMBER", "ON", "OR", "OVER", "VALUES", "VECTOR", "WHEN", "WHERE",
}  # fmt: skip


def functions(sql: str) -> set[str]:
    """The names of the functions that are called."""
    tokens = Tokenizer(dialect="snowflake").tokenize(sql)
    tables = {
        cte.alias_or_name.upper() for cte in sqlglot.parse_one(sql, dialect="snowflake").find_all(exp.CTE)
    }
    before_parenthesis = {
        token.text.upper()
        for token, following in itertools.pairwise(tokens)
        if following.token_type is TokenType.L_PAREN and re.fullmatch(r"\w+", token.text)
    }
    return before_parenthesis - NOT_FUNCTIONS - tables


def test_every_model_is_snowflake_sql(models: dict[str, str]) -> None:
    for sql in models.values():
        sqlglot.parse_one(sql, dialect="snowflake", error_level=sqlglot.ErrorLevel.RAISE)


def test_no_model_calls_a_function_that_snowflake_lacks(models: dict[str, str]) -> None:
    unknown = {name: functions(sql) - SNOWFLAKE_FUNCTIONS for name, sql in models.items()}
    assert {name: names for name, names in unknown.items() if names} == {}


def test_no_function_is_listed_that_no_model_calls(models: dict[str, str]) -> None:
    assert set().union(*map(functions, models.values())) == SNOWFLAKE_FUNCTIONS


def test_every_list_is_ordered(models: dict[str, str]) -> None:
    """Without WITHIN GROUP (ORDER BY ...) Snowflake's order is another each time."""
    for sql in models.values():
        tree = sqlglot.parse_one(sql, dialect="snowflake")
        for listed in tree.find_all(exp.GroupConcat, exp.ArrayAgg):
            whole = listed.parent if isinstance(listed.parent, exp.WithinGroup) else listed
            assert "WITHIN GROUP (ORDER BY" in whole.sql(dialect="snowflake")


def test_each_cortex_family_has_its_own_functions(models: dict[str, str]) -> None:
    cortex = {
        name: functions(sql) & {"AI_EMBED", "EMBED_TEXT_768", "SENTIMENT", "AI_SUMMARIZE_AGG", "SUMMARIZE"}
        for name, sql in models.items()
    }
    assert {name: names for name, names in cortex.items() if names} == {
        "cortex_gong_calls": {"AI_SUMMARIZE_AGG"},
        "cortex_gong_calls (legacy)": {"SUMMARIZE"},
        "cortex_gong_call_transcripts": {"AI_EMBED", "SENTIMENT"},
        "cortex_gong_call_transcripts (legacy)": {"EMBED_TEXT_768", "SENTIMENT"},
    }


def test_an_unknown_cortex_family_is_refused_by_name(project: DbtProject) -> None:
    refused = project.command("parse", "--vars", json.dumps({"cortex_family": "future"}))
    assert refused.returncode != 0
    assert "cortex_family is 'future'; it must be one of: current, legacy" in refused.stdout


def test_a_dimension_that_is_not_the_embedding_models_is_refused(project: DbtProject) -> None:
    refused = project.command("parse", "--vars", json.dumps({"embedding_dimension": 1024}))
    assert refused.returncode != 0
    assert "embedding_dimension is 1024; the vectors of e5-base-v2 have 768" in refused.stdout
