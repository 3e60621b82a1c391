"""Personal data and private calls in dbt's models, as the `meta` of their .yml files says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

MODELS = Path(__file__).parents[1] / "dbt" / "models"


@dataclass(frozen=True)
class GovernedModel:
    """What is attached to the table or view of a model.

    Attributes:
        tags: value of the tag by column, of columns with personal data.
        row_access: name of the row access policy, and the columns that it is called with.
    """

    name: str
    tags: Mapping[str, str] = field(default_factory=dict)
    row_access: tuple[str, tuple[str, ...]] | None = None


@cache
def governed_models() -> Mapping[str, GovernedModel]:
    """Return the models with personal data or private calls by their name in upper case."""
    models = (_governed(model) for file in sorted(MODELS.rglob("*.yml")) for model in _models_of(file))
    return {model.name: model for model in models if model.tags or model.row_access}


def _models_of(file: Path) -> list[dict[str, Any]]:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    content = yaml.load(file.read_text("utf-8"), loader) or {}  # noqa: S506
    return list(content.get("models") or [])


def _governed(model: Mapping[str, Any]) -> GovernedModel:
    tags = {
        column["name"].upper(): value
        for column in model.get("columns") or []
        if (value := _meta(column).get("personal_data"))
    }
    access = _meta(model).get("row_access")
    row_access = (access["policy"].upper(), tuple(map(str.upper, access["columns"]))) if access else None
    return GovernedModel(model["name"].upper(), tags, row_access)


def _meta(node: Mapping[str, Any]) -> Mapping[str, Any]:
    meta: Mapping[str, Any] = (node.get("config") or {}).get("meta") or {}
    return meta
