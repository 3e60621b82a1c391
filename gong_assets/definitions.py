"""The code location that `workspace.yaml`, `[tool.dagster]` and `[tool.dg]` name."""

import dagster as dg

from gong_assets.defs.build import build_defs
from gong_assets.settings import load_settings

# Steps run one after another. A process for each step would import everything again, in about 10 s.
defs = dg.Definitions.merge(build_defs(load_settings()), dg.Definitions(executor=dg.in_process_executor))
