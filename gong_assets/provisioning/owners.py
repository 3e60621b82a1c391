"""Which layer owns a table or view: the one that creates and replaces it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from gong_assets.ingestion.streams import RAW_TABLES
from gong_assets.provisioning.governed_models import MODELS
from gong_assets.provisioning.objects import Layer


@cache
def owning_layers() -> Mapping[str, Layer]:
    """Return the layer by the name of each raw table and dbt model, in upper case."""
    models = {file.stem.upper(): Layer.TRANSFORMER for file in MODELS.rglob("*.sql")}
    return {**models, **{table.name: Layer.LOADER for table in RAW_TABLES}}
