"""The declared models with the columns, descriptions, keys and relationships of dbt's manifest."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from gong_assets.warehouse.agent_objects.declaration import SemanticModel, declared_models

_FIGURES = ("number", "float")
_OTHER_TYPES = ("varchar", "boolean", "date", "timestamp_ntz", "timestamp_ltz", "array")


@dataclass(frozen=True)
class Column:
    """A column of a model.

    Attributes:
        is_figure: whether it is a fact, and not a dimension.
        is_list: an array, which the semantic view shows as text.
        is_personal: whether masking policies apply to it.
    """

    name: str
    comment: str
    is_figure: bool
    is_list: bool
    is_personal: bool


@dataclass(frozen=True)
class Relationship:
    """Rows of a model that refer to one row of another one, by one column each."""

    model: str
    column: str
    to_model: str
    to_column: str


@dataclass(frozen=True)
class Model:
    """A declared model with its description.

    Attributes:
        columns: those that the semantic view may show.
        withheld: names of those that it must not show.
    """

    declared: SemanticModel
    comment: str
    key: str
    columns: tuple[Column, ...]
    withheld: frozenset[str]

    @property
    def name(self) -> str:
        return self.declared.name.upper()

    @cached_property
    def lists(self) -> frozenset[str]:
        return frozenset(column.name for column in self.columns if column.is_list)


class SemanticModels:
    """The models that a semantic view has.

    Args:
        manifest: dbt's manifest.
        personal_data: show the columns to which masking policies apply.
        private_calls: private calls are landed.
    """

    def __init__(self, manifest: Mapping[str, Any], *, personal_data: bool, private_calls: bool) -> None:
        nodes = manifest["nodes"].values()
        self._nodes = {node["name"]: node for node in nodes if node["resource_type"] == "model"}
        self._tests = [
            (node["attached_node"].rpartition(".")[2], node["test_metadata"])
            for node in nodes
            if node["resource_type"] == "test" and node.get("attached_node") and node.get("test_metadata")
        ]
        self._personal_data = personal_data
        self._declared = declared_models(private_calls=private_calls)

    @cached_property
    def models(self) -> tuple[Model, ...]:
        return tuple(map(self._model, self._declared))

    @cached_property
    def relationships(self) -> tuple[Relationship, ...]:
        """Relationships that dbt tests, between models of the semantic view."""
        keys = {
            staged: model
            for model in self.models
            for staged in (model.declared.name, model.declared.rows_of)
            if staged
        }
        return tuple(
            Relationship(model.name, arguments["column_name"].upper(), to.name, to.key)
            for model in self.models
            for arguments in self._tests_of(model.declared.name, "relationships")
            if (to := keys.get(arguments["to"].split("'")[1])) and arguments["field"].upper() == to.key
        )

    def _tests_of(self, model: str, name: str) -> Iterator[Mapping[str, Any]]:
        for tested, metadata in self._tests:
            if tested == model and metadata["name"] == name:
                yield metadata["kwargs"]

    def _model(self, declared: SemanticModel) -> Model:
        node = self._nodes[declared.name]
        found = [self._column(declared.name, each) for each in node["columns"].values()]
        shown = [each for each in found if each is not None and self._is_shown(declared, each)]
        unique = {arguments["column_name"] for arguments in self._tests_of(declared.name, "unique")}
        not_null = {arguments["column_name"] for arguments in self._tests_of(declared.name, "not_null")}
        (key,) = unique & not_null
        names = {name.upper() for name in node["columns"]}
        return Model(
            declared,
            _one_line(node["description"]),
            key.upper(),
            tuple(shown),
            frozenset(names - {column.name for column in shown}),
        )

    def _is_shown(self, declared: SemanticModel, column: Column) -> bool:
        # A column by which rows are excluded has one value in the rows that are left.
        is_condition = column.name in re.findall(r"\w+", declared.public_rows or "")
        return not is_condition and (self._personal_data or not column.is_personal)

    def _column(self, model: str, column: Mapping[str, Any]) -> Column | None:
        """Return the column, or None if its type has no place in a semantic view."""
        kind = column["data_type"].partition("(")[0].lower()
        if kind not in (*_FIGURES, *_OTHER_TYPES):
            return None
        values = [
            value
            for arguments in self._tests_of(model, "accepted_values")
            if arguments["column_name"] == column["name"]
            for value in arguments["values"]
        ]
        comment = _one_line(column["description"])
        return Column(
            column["name"].upper(),
            f"{comment} Values: {', '.join(map(str, values))}." if values else comment,
            is_figure=kind in _FIGURES,
            is_list=kind == "array",
            is_personal="personal_data" in column["config"]["meta"],
        )


def _one_line(text: str) -> str:
    return " ".join(text.split())
