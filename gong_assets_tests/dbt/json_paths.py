"""The JSON fields that a staging model reads from its raw table, found in the text of the model."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from gong_assets_tests.dbt.project import PROJECT_DIR

# A column, or an entry of a flattened list, and the fields in it: `source.raw_data:content:topics`, `topic.value:name`.
EXPRESSION = r"(?P<name>\b\w+\.value\b|(?:\b\w+\.)?\b\w+)(?P<fields>(?:(?<!:):\w+|\[\d+\])*)"
FLATTEN = re.compile(rf"flatten\(input => {EXPRESSION}\) as (?P<alias>\w+)")
ALIAS = re.compile(rf"{EXPRESSION} as (?P<alias>\w+)")
# CTEs and the parts of a UNION: aliases of flattened lists are valid within one of them.
END_OF_QUERY = re.compile(r"\n\)|\bunion all\b|\{% endmacro %\}")
MACRO = re.compile(r"\{% macro (\w+)\(.*?\) %\}(.*?\{% endmacro %\})", re.DOTALL)

Paths = defaultdict[str, set[str]]


def staging_models() -> dict[str, str]:
    """Return the text of each staging model of Gong's records, by name."""
    return {
        file.stem: file.read_text("utf-8") for file in PROJECT_DIR.glob("models/staging/*/stg_gong_*.sql")
    }


def raw_table(model: str) -> str:
    """Return the raw table that a model reads, by its text."""
    (table,) = set(re.findall(r"source\('gong', '(\w+)'\)", model))
    return str(table).upper()


def fields_read(model: str) -> set[str]:
    """Return the paths of the fields, with `[]` for an entry of a list."""
    queries = END_OF_QUERY.split(plain_sql(model))
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
        if match["fields"] and "ref(" not in query  # columns of another model
    ]
    assert all(fields), "a field of no column of the raw table"
    return set().union(*fields)


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


def plain_sql(model: str) -> str:
    """Return the SQL without Jinja, followed by the macros that query a relation."""
    macros = dict(
        macro for file in PROJECT_DIR.glob("macros/*.sql") for macro in MACRO.findall(file.read_text())
    )
    used = [text for name, text in macros.items() if f"{{{{ {name}('" in model and "lateral flatten" in text]
    sql = "\n)\n".join([model, *used])
    sql = re.sub(r"\{\{ crm_field_name\('(\w+)'\) \}\}", r"\1.value:name", sql)
    sql = sql.replace("{{ relation }}.", "")
    return re.sub(r"\{\{ json_\w+\('([^']+)'\) \}\}", r"\1", sql)


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
