"""Calls, tokens and estimated cost of a run's Cortex requests, as metadata of the models that sent them."""

from typing import Any

import dagster as dg

_GROUP = "cortex"
_COLUMNS = {
    "FUNCTION_NAME": "string",
    "STATUS": "string",
    "CALLS": "int",
    "TOKENS": "int",
    "ESTIMATED_CREDITS": "float",
    "ESTIMATED_DOLLARS": "float",
}


def cost_metadata(batches: list[dict[str, Any]]) -> dict[str, dg.MetadataValue]:
    """Return metadata for rows of `warehouse.queries.cortex_batches`.

    Costs include every batch that was sent, with or without an answer. Batches that exceeded the token budget
    are listed separately.
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
            f"{_sum(left, 'CALLS')} calls of about {_sum(left, 'TOKENS')} tokens, "
            f"${_total(left, 'ESTIMATED_DOLLARS'):.2f}: the next run over the same days sends them"
        )
    return metadata


def _sum(rows: list[dict[str, Any]], column: str) -> int:
    return sum(int(row[column]) for row in rows)


def _total(rows: list[dict[str, Any]], column: str) -> float:
    """Return the sum; functions without a price count as 0."""
    return float(sum(row[column] or 0 for row in rows))
