"""The code location that `workspace.yaml` and `[tool.dagster]` name."""

from gong_assets.defs.build import build_defs
from gong_assets.settings import load_settings

defs = build_defs(load_settings())
