"""What a run sent to Cortex, as metadata of the models that sent it."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from gong_assets.warehouse.connection import Warehouse
from gong_assets.warehouse.queries import cortex_batches

_GROUP = "cortex"
_COLUMNS = {
    "FUNCTION_NAME": "string",
    "STATUS": "string",
    "CALLS": "int",
    "TOKENS": "int",
    "ESTIMATED_CREDITS": "float",
    "ESTIMATED_DOLLARS": "float",
}


def with_cortex_costs(events: Iterator[Any], models: set[str], warehouse: Warehouse) -> Iterator[Any]:
    """The events, those of `models` with the calls, tokens, estimated credits and dollars of this run by function.

    A model's event comes after its post-hook, which sends its texts: see `macros/cortex_sending.sql`. The run is the one of the
    warehouse's query tag.
    """
    for event in events:
        name = event.asset_key.path[-1] if isinstance(event, dg.AssetMaterialization) else _output_name(event)
        if name in models:
            batches = warehouse.query(cortex_batches(), (warehouse.query_tag, name))
            event = event.with_metadata({**event.metadata, **cost_metadata(batches)})
        yield event


def cost_metadata(batches: list[dict[str, Any]]) -> dict[str, dg.MetadataValue]:
    """Of rows of `warehouse.queries.cortex_batches`, as Dagster shows it.

    Costs are those of what was sent, answered or not. What the token budget left for another run has an entry of its own, if
    there is any.
    """
    sent = [row for row in batches if row["STATUS"] in ("Sent", "Answered")]
    left = [row for row in batches if row["STATUS"] == "Over Budget"]
    metadata: dict[str, dg.MetadataValue] = {
        f"{_GROUP}/calls": dg.MetadataValue.int(_sum(sent, "CALLS")),
        f"{_GROUP}/tokens": dg.MetadataValue.int(_sum(sent, "TOKENS")),
        f"{_GROUP}/estimated_credits": dg.MetadataValue.float(_total(sent, "ESTIMATED_CREDITS")),
        f"{_GROUP}/estimated_dollars": dg.MetadataValue.float(_total(sent, "ESTIMATED_DOLLARS")),
    }
    if batches:
        metadata[f"{_GROUP}/by_function"] = dg.MetadataValue.table(
            [dg.TableRecord({column.lower(): row[column] for column in _COLUMNS}) for row in batches],
            schema=dg.TableSchema([dg.TableColumn(name.lower(), type_) for name, type_ in _COLUMNS.items()]),
        )
    if left:
        metadata[f"{_GROUP}/left_over_budget"] = dg.MetadataValue.text(
            f"{_sum(left, 'CALLS')} calls of about {_sum(left, 'TOKENS')} tokens, ${_total(left, 'ESTIMATED_DOLLARS'):.2f}: "
            "a run over the same days sends them"
        )
    return metadata


def _output_name(event: Any) -> str | None:
    return str(event.output_name) if isinstance(event, dg.Output) else None


def _sum(rows: list[dict[str, Any]], column: str) -> int:
    return sum(int(row[column]) for row in rows)


def _total(rows: list[dict[str, Any]], column: str) -> float:
    """0 for functions without a price."""
    return float(sum(row[column] or 0 for row in rows))
