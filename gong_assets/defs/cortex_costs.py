"""Calls, tokens and estimated cost of a run's Cortex requests, as metadata of its enrichments."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

import dagster as dg

from gong_assets.cortex.enrichments import Enrichment
from gong_assets.warehouse.connection import fetch
from gong_assets.warehouse.queries import answered_texts_by_day, cortex_batches

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection

_GROUP = "cortex"
_COLUMNS = {
    "FUNCTION_NAME": "string",
    "STATUS": "string",
    "CALLS": "int",
    "TOKENS": "int",
    "ESTIMATED_CREDITS": "float",
    "ESTIMATED_DOLLARS": "float",
}


def add_costs(
    context: dg.AssetExecutionContext,
    connection: SnowflakeConnection,
    enrichment: Enrichment,
    run_key: str,
    *,
    has_batches: bool,
) -> None:
    """Add the costs of the run's texts to the days of an enrichment.

    Args:
        has_batches: False if the run planned no batch, so that the warehouse need not be queried.
    """
    of_run = (run_key, enrichment.model)
    batches = fetch(connection, cortex_batches(), of_run) if has_batches else []
    texts = fetch(connection, answered_texts_by_day(), (enrichment.name, *of_run)) if batches else []
    by_day = {row["DAY"]: int(row["TEXTS"]) for row in texts}
    add_costs_by_day(context, context.asset_key, batches, by_day)


def add_costs_by_day(
    context: dg.AssetExecutionContext,
    asset_key: dg.AssetKey,
    batches: list[dict[str, Any]],
    texts: Mapping[date, int],
) -> None:
    """Add the costs of the run to the metadata of each of its partitions.

    A batch has texts of several days, so each day gets the share of its answered texts. If none was answered,
    all days get the same share.

    Args:
        batches: rows of `warehouse.queries.cortex_batches`.
        texts: number of answered texts by day.
    """
    partitions = list(context.partition_keys)
    total = sum(texts.get(date.fromisoformat(partition), 0) for partition in partitions)
    for partition in partitions:
        share = texts.get(date.fromisoformat(partition), 0) / total if total else 1 / len(partitions)
        metadata = cost_metadata([_scaled(row, share) for row in batches])
        context.add_asset_metadata(metadata, asset_key=asset_key, partition_key=partition)


def _scaled(row: dict[str, Any], share: float) -> dict[str, Any]:
    counts = {name: round(int(row[name]) * share) for name in ("CALLS", "TOKENS")}
    costs = {name: (row[name] or 0) * share for name in ("ESTIMATED_CREDITS", "ESTIMATED_DOLLARS")}
    return {**row, **counts, **costs}


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
