"""Names and descriptions of dbt's data tests, as Dagster shows them on the model that is tested."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def data_tests(manifest: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the nodes of the data tests."""
    return (node for node in manifest["nodes"].values() if node["resource_type"] == "test")


def dbt_test_names(manifest: Mapping[str, Any]) -> dict[str, str]:
    """Return dbt's name of each test by its unique ID."""
    return {test["unique_id"]: test["name"] for test in data_tests(manifest)}


def describe_checks(manifest: Mapping[str, Any]) -> None:
    """Replace the names of the generic tests in the manifest by short ones, and describe each test.

    dbt's names have to be unique in the project, so they contain the model and a hash. dagster-dbt reads the
    name and the description of a check from here.
    """
    for test in data_tests(manifest):
        generic = test.get("test_metadata")
        if generic is None:
            test["meta"] = {"description": test["description"], **test.get("meta", {})}
            continue
        column = test.get("column_name") or generic["kwargs"].get("column_name") or ""
        name, text = _short_name_and_text(generic["name"], column.lower(), generic["kwargs"])
        test["name"] = name
        test["meta"] = {"description": _with_condition(text, test["config"].get("where")), **test["meta"]}


def _short_name_and_text(kind: str, column: str, arguments: Mapping[str, Any]) -> tuple[str, str]:
    shown = column.upper()
    if kind == "not_null":
        return f"{column}_not_null", f"{shown} is not NULL."
    if kind == "unique":
        return f"{column}_unique", f"No two rows have the same {shown}."
    if kind == "accepted_values":
        values = ", ".join(str(value) for value in arguments["values"])
        return f"{column}_accepted_values", f"{shown} is NULL or one of: {values}."
    if kind == "relationships":
        parent = str(arguments["to"]).split("'")[1]
        text = f"Each {shown} is a {arguments['field'].upper()} of {parent.upper()}."
        return f"{column}_in_{parent}", text
    if kind == "within":
        low, high = arguments["low"], arguments["high"]
        return f"{column}_within_{_word(low)}_{_word(high)}", f"{shown} is NULL or from {low} to {high}."
    raise ValueError(f"test {kind!r} has no description: add it to gong_assets/defs/dbt/check_names.py")


def _word(number: Any) -> str:
    return str(number).replace("-", "minus_").replace(".", "_").lower()


def _with_condition(text: str, where: str | None) -> str:
    return f"{text[:-1]}, of rows with: {' '.join(where.split())}." if where else text
