"""Cortex's embedding models: the var `embedding_models` of the dbt project, for Python."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from gong_assets.settings.dbt_vars import merged_vars


@dataclass(frozen=True)
class EmbeddingModel:
    """An embedding model.

    Attributes:
        dimension: length of its vectors.
        max_tokens: its context window.
        passage_prefix: text to put before a passage, by the model card.
        query_prefix: text to put before a query.
        embeds_search_queries: whether Cortex Search can embed queries with it.
    """

    dimension: int
    max_tokens: int
    passage_prefix: str = ""
    query_prefix: str = ""
    embeds_search_queries: bool = False


@cache
def embedding_models(vars_file: Path | None = None) -> Mapping[str, EmbeddingModel]:
    """Return the embedding models by name. Without a file of vars, that of the environment is read."""
    models = merged_vars(vars_file)["embedding_models"]
    return {name: EmbeddingModel(**fields) for name, fields in models.items()}
