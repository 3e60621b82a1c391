"""Which layer owns a table or view: the one that creates and replaces it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import yaml  # type: ignore[import-untyped]

from gong_assets.provisioning.governed_models import MODELS
from gong_assets.provisioning.objects import Layer


@cache
def owning_layers() -> Mapping[str, Layer]:
    """Return the layer by the name of each raw table and dbt model, in upper case."""
    models = {file.stem.upper(): Layer.TRANSFORMER for file in MODELS.rglob("*.sql")}
    (source,) = yaml.safe_load((MODELS / "staging" / "src_gong.yml").read_text("utf-8"))["sources"]
    return {**models, **{str(table["name"]).upper(): Layer.LOADER for table in source["tables"]}}
