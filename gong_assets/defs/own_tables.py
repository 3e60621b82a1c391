"""Names of the tables of the graph, for what has to reach all of them."""

from pathlib import Path

from gong_assets.cortex.tables import ANSWERS, ATTEMPTS
from gong_assets.defs.dbt.project import PROJECT_DIR

_LAYERS = ("staging", "cortex", "enriched")


def model_tables() -> list[str]:
    """Return the tables of the models and of Cortex's answers, in the order of the data flow.

    All models are listed, also those that the settings disable: their tables may be of an earlier time. Views
    are listed too.
    """
    models = [
        file.stem.upper()
        for layer in _LAYERS
        for file in sorted(Path(PROJECT_DIR, "models", layer).rglob("*.sql"))
    ]
    return [*models, ANSWERS, ATTEMPTS]
