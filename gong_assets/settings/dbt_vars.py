"""The vars of the dbt project, with the values that a company sets in the file GONG_DBT_VARS_FILE.

dbt, the graph and the agents read the same merged values. A var that is a mapping, such as the prices, is
merged key by key; any other value is replaced.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from datetime import date
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import available_timezones

import yaml  # type: ignore[import-untyped]

from gong_assets.settings.dbt_var_ranges import Range, declared_ranges, order_problems

FILE_VARIABLE = "GONG_DBT_VARS_FILE"

_DBT_PROJECT = Path(__file__).parents[1] / "dbt" / "dbt_project.yml"
_CHOICES: Mapping[str, tuple[str, ...]] = {
    "cortex_family": ("current", "legacy"),
    "cortex_sentiment_function": ("sentiment", "ai_sentiment"),
}
# A value of each field of an embedding model. The other fields are optional.
_MODEL_FIELDS = {
    "dimension": 768,
    "max_tokens": 512,
    "passage_prefix": "",
    "query_prefix": "",
    "embeds_search_queries": False,
}
# 4096 is the longest VECTOR of Snowflake.
_MODEL_RANGES = {"dimension": Range(1, 4096, is_whole=True), "max_tokens": Range(1, is_whole=True)}
_PRICE_RANGE = Range(0)


class DbtVarsError(ValueError):
    """The file with the vars cannot be used. The message has one line for each problem."""


@cache
def default_vars() -> Mapping[str, Any]:
    """Return the vars of `dbt_project.yml`."""
    return dict(yaml.safe_load(_DBT_PROJECT.read_text("utf-8"))["vars"])


@cache
def var_ranges() -> Mapping[str, Range]:
    """Return the range of each var that is a number."""
    return declared_ranges(_DBT_PROJECT.read_text("utf-8"))


def changed_vars(file: Path | None) -> dict[str, Any]:
    """Return the vars that the file sets, with the keys that their mappings keep; none without a file.

    Raises:
        DbtVarsError: the file cannot be read, or sets an unknown var or an invalid value.
    """
    values = _read(file) if file is not None else {}
    if problems := list(_problems(values)):
        raise DbtVarsError("\n".join(f"{file}: {problem}" for problem in problems))
    defaults = default_vars()
    return {
        name: {**defaults[name], **value} if isinstance(value, Mapping) else value
        for name, value in values.items()
    }


def merged_vars(file: Path | None = None) -> dict[str, Any]:
    """Return all vars. Without an argument the file is that of the environment.

    Raises:
        DbtVarsError: see `changed_vars`.
    """
    if file is None and (name := os.environ.get(FILE_VARIABLE)):
        file = Path(name).expanduser()
    return {**default_vars(), **changed_vars(file)}


def _read(file: Path) -> dict[str, Any]:
    try:
        values = yaml.safe_load(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise DbtVarsError(f"{file} cannot be read: {' '.join(str(error).split())}") from error
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise DbtVarsError(f"{file} must have a line `name: value` for each var")
    return values


def _problems(values: Mapping[Any, Any]) -> Iterator[str]:
    defaults = default_vars()
    for name, value in values.items():
        if name not in defaults:
            near = get_close_matches(str(name), defaults, n=1)
            yield f"{name} is not a var" + (f"; did you mean {near[0]}?" if near else "")
        elif problem := _value_problem(value, defaults[name], var_ranges().get(name)):
            yield f"{name} {problem}"
        elif name in _CHOICES and value not in _CHOICES[name]:
            yield f"{name} is {value!r}; it must be one of: {', '.join(_CHOICES[name])}"
        elif name == "company_timezone" and value not in available_timezones():
            yield f"{name} is {value!r}; it must be a time zone such as Europe/Berlin"
        elif name == "home_currency" and not re.fullmatch("([A-Za-z]{3})?", value):
            yield f"{name} is {value!r}; it must be a code of three letters, such as EUR"
    yield from order_problems(values, defaults)
    yield from _price_problems(values.get("cortex_prices"))
    yield from _model_problems(values)


def _model_problems(values: Mapping[Any, Any]) -> Iterator[str]:
    """Yield what is wrong with the added embedding models, and with the choice of one."""
    defaults = default_vars()
    added = values.get("embedding_models")
    added = added if isinstance(added, dict) else {}
    for name, fields in added.items():
        if not isinstance(fields, dict) or not _MODEL_RANGES.keys() <= fields.keys():
            yield f"embedding_models ({name}) needs dimension and max_tokens"
            continue
        for field, value in fields.items():
            if field not in _MODEL_FIELDS:
                yield f"embedding_models ({name}): {field} is not one of: {', '.join(_MODEL_FIELDS)}"
            elif problem := _value_problem(value, _MODEL_FIELDS[field], _MODEL_RANGES.get(field)):
                yield f"embedding_models ({name}): {field} {problem}"
    models = {**defaults["embedding_models"], **added}
    model = values.get("embedding_model", defaults["embedding_model"])
    if isinstance(model, str) and model not in models:
        yield f"embedding_model is {model!r}; it must be one of: {', '.join(models)}"


def valid_timezone(name: str) -> str:
    """Return the name of a time zone, or raise a ValueError if there is no such zone."""
    if name not in available_timezones():
        raise ValueError(f"unknown time zone {name!r}; use a name such as Europe/Berlin")
    return name


def _price_problems(prices: Any) -> Iterator[str]:
    """Yield what is wrong with prices: each has a number, its source and its date."""
    for name, fields in prices.items() if isinstance(prices, dict) else ():
        entry = fields if isinstance(fields, dict) else {}
        price = entry.get("credits_per_million_tokens")
        if _type_problem(price, 1.0) or not isinstance(entry.get("table"), str):
            yield f"cortex_prices ({name}) needs credits_per_million_tokens, a number, and table"
            continue
        if problem := _value_problem(price, 1.0, _PRICE_RANGE):
            yield f"cortex_prices ({name}): credits_per_million_tokens {problem}"
        try:
            date.fromisoformat(entry["as_of"])
        except (KeyError, TypeError, ValueError):
            yield f"cortex_prices ({name}) needs as_of, a day in quotes such as '2026-11-22'"


def _value_problem(value: Any, example: Any, allowed: Range | None) -> str | None:
    """Return what is wrong with a value: it has to be of the type of the example, and in the range."""
    if problem := _type_problem(value, example):
        return problem
    return None if allowed is None or value in allowed else f"is {value!r}; it must be {allowed}"


def _type_problem(value: Any, default: Any) -> str | None:
    """Return what is wrong with the type of a value: it has to be that of the default."""
    if isinstance(default, bool):
        return None if isinstance(value, bool) else f"must be true or false, not {value!r}"
    if isinstance(default, str):
        return None if isinstance(value, str) else f"must be text; put {value!r} in quotes"
    if isinstance(default, int | float):
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return None if is_number else f"must be a number, not {value!r}"
    if isinstance(default, list):
        is_list = isinstance(value, list) and all(isinstance(each, str) for each in value)
        return None if is_list else f"must be a list of texts, not {value!r}"
    if not isinstance(value, dict):
        return f"must have a line `key: value` for each entry, not {value!r}"
    # A new key has no default of its own: its value is of the type of the others.
    examples = {key: default.get(key, next(iter(default.values()))) for key in value}
    for key, example in examples.items():
        if not isinstance(example, dict) and (problem := _type_problem(value[key], example)):
            return f"({key}) {problem}"
    return None
