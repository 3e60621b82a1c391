"""The JSON fields that a staging model reads from its raw table, found in the text of the model."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from types import SimpleNamespace

import jinja2
import yaml  # type: ignore[import-untyped]

from gong_assets_tests.dbt.project import PROJECT_DIR

# A column or an entry of a flattened list, with fields: `source.raw_data:content:topics`, `topic.value:name`.
EXPRESSION = r"(?P<name>\b\w+\.value\b|(?:\b\w+\.)?\b\w+)(?P<fields>(?:(?<!:):\w+|\[\d+\])*)"
FLATTEN = re.compile(rf"flatten\(input => {EXPRESSION}\) as (?P<alias>\w+)")
ALIAS = re.compile(rf"{EXPRESSION} as (?P<alias>\w+)")
# CTEs and the parts of a UNION: aliases of flattened lists are valid within one of them.
END_OF_QUERY = re.compile(r"\n\)|\bunion all\b")

Paths = defaultdict[str, set[str]]


def staging_models() -> dict[str, str]:
    """Return the text of each staging model of Gong's records, by name."""
    return {
        file.stem: file.read_text("utf-8") for file in PROJECT_DIR.glob("models/staging/*/stg_gong_*.sql")
    }


def raw_table(model: str) -> str:
    """Return the raw table whose records a model stages: the first that it reads."""
    table, *_ = re.findall(r"source\('gong', '(\w+)'\)", model)
    return str(table).upper()


def fields_read(model: str) -> set[str]:
    """Return the paths of the fields, with `[]` for an entry of a list."""
    queries = END_OF_QUERY.split(rendered(model))
    columns: Paths = defaultdict(set, raw_data={""}, transcript_data={""})
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
    return {f"{path}{fields}".removeprefix(".") for path in paths}


def rendered(model: str) -> str:
    """Return the model's SQL, for all days, with the project's macros."""
    macros = "".join(file.read_text("utf-8") for file in PROJECT_DIR.glob("macros/*.sql"))
    environment = jinja2.Environment(extensions=["jinja2.ext.do"])
    template = environment.from_string(f"{macros}{{% macro in_run_window(day) %}}true{{% endmacro %}}{model}")
    variables = yaml.safe_load((PROJECT_DIR / "dbt_project.yml").read_text("utf-8"))["vars"]
    context = {
        "ref": "ref({})".format,
        "source": "{}.{}".format,
        "var": variables.get,
        "modules": SimpleNamespace(re=re),
        "return": lambda value: value,
    }
    return template.render(context)


def unknown_fields(paths: set[str], known: object) -> Iterator[str]:
    """Yield the paths that are not among the known fields."""
    for path in paths:
        fields = known
        for name in path.replace("[]", ".[]").split("."):
            if isinstance(fields, dict) and name in fields:
                fields = fields[name]
            elif isinstance(fields, list) and name == "[]":
                fields = fields[0]
            else:
                yield path
                break
