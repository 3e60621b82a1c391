"""Code versions of the dbt models: hashes of all that the SQL of a model is made of.

A model whose code version differs from the one of its last materialization has to be built again.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

# dbt's own macros belong to the version of dbt, with which no model changes its meaning.
_OWN_PACKAGE = "gong_assets"
_VARIABLE = re.compile(r"\b(var|env_var)\(\s*['\"](\w+)['\"]")
_CONFIG = ("materialized", "on_schema_change", "incremental_strategy", "pre-hook", "post-hook", "tags")


class CodeVersions:
    """Code versions of the models of a manifest.

    Args:
        manifest: dbt's manifest.
        variables: values of the project's vars, with those that the settings replace.
        environment: values of the environment variables that the project reads when it is parsed.
    """

    def __init__(
        self, manifest: Mapping[str, Any], variables: Mapping[str, Any], environment: Mapping[str, str]
    ) -> None:
        self._nodes = manifest["nodes"]
        self._sources = manifest["sources"]
        self._macros = manifest["macros"]
        self._values = {"var": variables, "env_var": environment}
        self._macros_of = cache(self._all_macros)

    def of_model(self, properties: Mapping[str, Any]) -> str:
        """Return the hash of a model: its SQL, columns and config, and the macros and variables in them."""
        macros = sorted(
            {name for used in properties["depends_on"]["macros"] for name in self._macros_of(used)}
        )
        config = {name: properties["config"].get(name) for name in _CONFIG}
        texts = [
            properties["raw_code"],
            json.dumps(config, sort_keys=True, default=str),
            *(self._macros[name]["macro_sql"] for name in macros),
        ]
        parts = [
            *texts,
            *self._variables_in(texts),
            *self._columns(properties),
            properties["relation_name"],
            *(self._relation(name) for name in properties["depends_on"]["nodes"]),
        ]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]

    def _all_macros(self, name: str) -> frozenset[str]:
        """Return a macro of this project, and those that it calls."""
        found: set[str] = set()
        pending = [name]
        while pending:
            current = pending.pop()
            if current in found or not current.startswith(f"macro.{_OWN_PACKAGE}."):
                continue
            found.add(current)
            pending.extend(self._macros[current]["depends_on"]["macros"])
        return frozenset(found)

    def _variables_in(self, texts: list[str]) -> Iterator[str]:
        used = {match.groups() for text in texts for match in _VARIABLE.finditer(text)}
        for kind, name in sorted(used):
            if name in self._values[kind]:
                yield f"{name}={json.dumps(self._values[kind][name], sort_keys=True, default=str)}"

    def _columns(self, properties: Mapping[str, Any]) -> Iterator[str]:
        """Yield the columns. Descriptions are comments of the columns, which only a view has in its SQL."""
        is_view = properties["config"]["materialized"] == "view"
        for column in properties["columns"].values():
            yield f"{column['name']} {column['data_type']} {column['constraints']}"
            if is_view:
                yield column["description"]

    def _relation(self, unique_id: str) -> str:
        return str((self._nodes.get(unique_id) or self._sources[unique_id])["relation_name"])
