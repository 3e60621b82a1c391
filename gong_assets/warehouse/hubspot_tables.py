"""Tables of HubSpot by shape: the sources of the dbt project, for Python."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml  # type: ignore[import-untyped]

_SOURCES = Path(__file__).parents[1] / "dbt" / "models" / "staging" / "src_hubspot.yml"


@dataclass(frozen=True)
class HubSpotTable:
    """A table that one or more shapes have; see `src_hubspot.yml`."""

    name: str
    shapes: tuple[str, ...]
    optional: bool = False
    has_labels: bool = False


@cache
def hubspot_tables() -> tuple[HubSpotTable, ...]:
    """Return all tables, in the order of the dbt sources."""
    (source,) = yaml.safe_load(_SOURCES.read_text("utf-8"))["sources"]
    return tuple(
        HubSpotTable(
            table["name"].upper(),
            shapes=tuple(meta["shapes"]),
            optional=meta.get("optional", False),
            has_labels=meta.get("has_labels", False),
        )
        for table in source["tables"]
        for meta in [table["config"]["meta"]]
    )


def required_tables() -> Mapping[str, tuple[str, ...]]:
    """Return the names of the tables that each shape needs."""
    return {
        shape: tuple(table.name for table in hubspot_tables() if shape in table.shapes and not table.optional)
        for shape in dict.fromkeys(shape for table in hubspot_tables() for shape in table.shapes)
    }


def stage_label_tables() -> Mapping[str, str]:
    """Return the table with the stage labels, for the shapes whose deals have stage ids."""
    return {shape: table.name for table in hubspot_tables() if table.has_labels for shape in table.shapes}
