"""The local stand-in has the same embedding models as the dbt project."""

from __future__ import annotations

import pytest

from gong_assets.local.cortex import embedding
from gong_assets.warehouse.embedding_models import embedding_models


def test_the_stand_in_has_exactly_the_models_of_the_dbt_project() -> None:
    assert embedding.MODELS.keys() == embedding_models().keys()


@pytest.mark.parametrize("name", embedding_models())
def test_each_stand_in_model_has_the_same_dimension_window_and_prefixes(name: str) -> None:
    model, stand_in = embedding_models()[name], embedding.MODELS[name]
    assert (stand_in.dimension, stand_in.max_tokens) == (model.dimension, model.max_tokens)
    assert set(stand_in.prefixes) == {model.passage_prefix, model.query_prefix} - {""}
