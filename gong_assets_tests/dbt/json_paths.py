"""The JSON fields that a staging model reads from its raw table, found in the text of the model."""

from __future__ import annotations

import functools
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import jinja2
import yaml  # type: ignore[import-untyped]

from gong_assets_tests.dbt.project import PROJECT_DIR

# A column or an entry of a flattened list, with fields: `source.raw_data:content:topics`, `topic.value:name`.
EXPRESSION = r"(?P<name>\b\w+\.value\b|(?:\b\w+\.)?\b\w+)(?P<fields>(?:(?<!:):\w+|\[\d+\])*)"
FLATTEN = re.compile(rf"flatten\(input => {EXPRESSION}\) as (?P<alias>\w+)")
ALIAS = re.compile(rf"{EXPRESSION} as (?P<alias>\w+)")
# CTEs and the parts of a UNION: aliases of flattened lists are valid within one of them.
END_OF_QUERY = re.compile(r"\n\)|\bunion all\b")
MACRO = re.compile(r"\{%-? macro (?P<name>\w+)\(.*?\{%-? endmacro -?%\}", re.DOTALL)

Paths = defaultdict[str, set[str]]


def staging_models() -> dict[str, str]:
    """Return the text of each staging model of Gong's records, by name."""
    return {
        file.stem: file.read_text("utf-8") for file in PROJECT_DIR.glob("models/staging/*/stg_gong_*.sql")
    }


def raw_tables(model: str) -> list[str]:
    """Return the raw tables that a model reads; first the one whose records it stages."""
    return [table.upper() for table in re.findall(r"source\('gong', '(\w+)'\)", model)]


def fields_read(sql: str) -> set[str]:
    """Return the paths of the fields in the SQL of a model, with `[]` for an entry of a list.

    A path begins with the column of the raw table: `raw_data.content.topics[].name`.
    """
    queries = END_OF_QUERY.split(sql)
    columns: Paths = defaultdict(set, raw_data={"raw_data"}, transcript_data={"transcript_data"})
    for _ in range(5):  # no column is renamed more often
        for query in queries:
            for match in ALIAS.finditer(query):
                if match["fields"] or match["name"].endswith(".value"):
                    columns[match["alias"]] |= resolve(match, columns, entry_paths(query, columns))
    fields = [
        resolve(match, columns, entry_paths(query, columns))
        for query in queries
        for match in re.finditer(EXPRESSION, query)
        if match["fields"]
        and "ref(" not in query  # columns of another model
        and match["name"] not in lambda_parameters(query)
    ]
    assert all(fields), "a field of no column of the raw table"
    return set().union(*fields)


def lambda_parameters(query: str) -> set[str]:
    """Return the names of parameters, whose fields are those of objects that the model itself makes."""
    return {name for names in re.findall(r"\(([\w, ]+)\) ->", query) for name in names.split(", ")}


def entry_paths(query: str, columns: Paths) -> Paths:
    """Return the paths of the flattened lists' entries."""
    entries: Paths = defaultdict(set)
    for match in FLATTEN.finditer(query):
        entries[f"{match['alias']}.value"] |= {f"{path}[]" for path in resolve(match, columns, entries)}
    return entries


def resolve(match: re.Match[str], columns: Paths, entries: Paths) -> set[str]:
    is_entry = match["name"].endswith(".value")
    paths = entries[match["name"]] if is_entry else columns[match["name"].rpartition(".")[2]]
    fields = re.sub(r"\[\d+\]", "[]", match["fields"]).replace(":", ".")
    return {f"{path}{fields}" for path in paths}


class Returned(Exception):
    """The value of a macro that returns one, as dbt's `return` does."""


@functools.cache
def rendered(model: str) -> str:
    """Return the model's SQL, for all days, with the project's macros."""
    return environment().from_string(model).render()


@functools.cache
def environment() -> jinja2.Environment:
    """Return an environment with dbt's functions that staging models use, and the project's macros."""
    project = jinja2.Environment(extensions=["jinja2.ext.do"])

    def returned(value: Any) -> None:
        raise Returned(value)

    def macro(name: str, text: str) -> Callable[..., Any]:
        @functools.cache
        def module() -> Any:
            # A name that starts with an underscore is not exported.
            return project.from_string(f"{text}{{% set macro = {name} %}}").module

        def call(*arguments: Any, **named: Any) -> Any:
            try:
                return module().macro(*arguments, **named)
            except Returned as value:
                return value.args[0]

        return call

    variables = yaml.safe_load((PROJECT_DIR / "dbt_project.yml").read_text("utf-8"))["vars"]
    project.globals |= {
        "ref": "ref({})".format,
        "source": "{}.{}".format,
        "var": variables.get,
        "modules": SimpleNamespace(re=re),
        "return": returned,
        "zip": zip,
    }
    for file in PROJECT_DIR.glob("macros/*.sql"):
        for match in MACRO.finditer(file.read_text("utf-8")):
            project.globals[match["name"]] = macro(match["name"], match[0])
    project.globals["in_run_window"] = lambda day: "true"
    return project


def unknown_fields(paths: set[str], known: object) -> Iterator[str]:
    """Yield the paths that are not among the known fields."""
    for path in paths:
        fields = known
        for name in path.replace("[]", ".[]").split("."):
            if isinstance(fields, dict) and name in fields:
                fields = fields[name]
            elif isinstance(fields, list) and name == "[]":
                fields = fields[0]
            elif fields == "any":
                break
            else:
                yield path
                break
