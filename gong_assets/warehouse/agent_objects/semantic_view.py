"""The semantic view: its statement, and the queries that it has as verified ones.

https://docs.snowflake.com/en/sql-reference/sql/create-semantic-view

Each model is a logical table with the name of its view, given as a query that has the visible columns and
no private calls (https://docs.snowflake.com/en/user-guide/views-semantic/inline-view). So a query of the
cookbook is valid over the logical tables too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml  # type: ignore[import-untyped]

from gong_assets.warehouse.agent_objects.declaration import SEMANTIC_VIEW_COMMENT, SQL_INSTRUCTIONS
from gong_assets.warehouse.agent_objects.models import Column, Model, SemanticModels
from gong_assets.warehouse.literals import literal

NAME = "GONG_SEMANTIC_VIEW"
VERIFIED_QUERIES = Path(__file__).with_name("verified_queries.yml")

_SEPARATOR = ", "
# A list is text in the semantic view, joined in the way in which queries join it.
_JOINED_LIST = re.compile(r"ARRAY_TO_STRING\((?:\w+\.)?(\w+), '" + _SEPARATOR + r"'\)")
_WORD = re.compile(r"\b[A-Z][A-Z0-9_]*\b")


@dataclass(frozen=True)
class VerifiedQuery:
    """A question with its tested query."""

    question: str
    sql: str

    @property
    def name(self) -> str:
        return re.sub(r"\W+", "_", self.question.strip("?")).upper()


@dataclass(frozen=True)
class SemanticView:
    """Desired state of the semantic view.

    Attributes:
        place: database and schema of the views and of the semantic view.
    """

    place: str
    semantic_models: SemanticModels

    kind = "SEMANTIC VIEW"
    name = NAME

    @property
    def models(self) -> tuple[Model, ...]:
        return self.semantic_models.models

    def logical_table(self, model: Model) -> str:
        """Return the query of a logical table: the rows and columns that readers may see."""
        columns = ", ".join(
            f"ARRAY_TO_STRING({column.name}, '{_SEPARATOR}') AS {column.name}"
            if column.is_list
            else column.name
            for column in model.columns
        )
        condition = f" WHERE {model.declared.public_rows}" if model.declared.public_rows else ""
        return f"SELECT {columns} FROM {self.place}.{model.name}{condition}"

    def verified_queries(self) -> tuple[VerifiedQuery, ...]:
        """Return the queries of which the semantic view has all tables and columns."""
        known = {model.name: model for model in self.models}
        found = []
        for query in cookbook_queries():
            words = set(_WORD.findall(query.sql))
            tables = {word for word in words if word.startswith("VW_")}
            withheld = {name for table in tables & known.keys() for name in known[table].withheld}
            if tables <= known.keys() and not words & withheld:
                found.append(VerifiedQuery(query.question, _JOINED_LIST.sub(r"\1", query.sql)))
        return tuple(found)

    def definition(self, comment: str) -> str:
        """Return the text after CREATE SEMANTIC VIEW."""
        clauses = [
            f"{self.place}.{NAME}",
            _clause("TABLES", map(self._table, self.models)),
            _clause("RELATIONSHIPS", self._relationships()),
            _clause("FACTS", self._columns(are_figures=True)),
            _clause("DIMENSIONS", self._columns(are_figures=False)),
            _clause("METRICS", self._metrics()),
            f"COMMENT = {literal(f'{SEMANTIC_VIEW_COMMENT} {comment}'.strip())}",
            f"AI_SQL_GENERATION {literal(SQL_INSTRUCTIONS)}",
            _clause("AI_VERIFIED_QUERIES", map(_verified, self.verified_queries())),
            "COPY GRANTS",
        ]
        return "\n".join(filter(None, clauses))

    def _table(self, model: Model) -> str:
        return (
            f"{model.name} AS ({self.logical_table(model)})\n        PRIMARY KEY ({model.key})"
            f"{_synonyms(model.declared.synonyms)}\n        COMMENT = {literal(model.comment)}"
        )

    def _relationships(self) -> Iterator[str]:
        for each in self.semantic_models.relationships:
            name = f"{each.model}_{each.column}"
            yield f"{name} AS {each.model} ({each.column}) REFERENCES {each.to_model} ({each.to_column})"

    def _columns(self, *, are_figures: bool) -> Iterator[str]:
        for model in self.models:
            for column in model.columns:
                if column.is_figure == are_figures:
                    yield self._expression(model, column)

    def _expression(self, model: Model, column: Column) -> str:
        synonyms = _synonyms(model.declared.column_synonyms.get(column.name, ()))
        comment = literal(column.comment)
        return f"{model.name}.{column.name} AS {column.name}{synonyms}\n        COMMENT = {comment}"

    def _metrics(self) -> Iterator[str]:
        for model in self.models:
            for metric in model.declared.metrics:
                yield (
                    f"{model.name}.{metric.name} AS {metric.expression}{_synonyms(metric.synonyms)}"
                    f"\n        COMMENT = {literal(metric.comment)}"
                )


@cache
def cookbook_queries() -> tuple[VerifiedQuery, ...]:
    """Return the declared queries of docs/cookbook.md."""
    return tuple(VerifiedQuery(**each) for each in yaml.safe_load(VERIFIED_QUERIES.read_text("utf-8")))


def _clause(keyword: str, entries: Iterable[str]) -> str:
    listed = ",\n".join(f"    {entry}" for entry in entries)
    return f"{keyword} (\n{listed}\n)" if listed else ""


def _synonyms(synonyms: Iterable[str]) -> str:
    listed = ", ".join(map(literal, synonyms))
    return f"\n        WITH SYNONYMS = ({listed})" if listed else ""


def _verified(query: VerifiedQuery) -> str:
    return (
        f"{query.name} AS (\n        QUESTION {literal(query.question)}\n        ONBOARDING_QUESTION TRUE\n"
        f"        SQL {literal(query.sql)}\n    )"
    )
