"""Calls, tokens and estimated cost of a run's Cortex requests, as metadata of the models that sent them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import dagster as dg

from gong_assets.warehouse.connection import fetch
from gong_assets.warehouse.queries import cortex_batches, unanswered_batches

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


@dataclass(frozen=True)
class CortexBatches:
    """The batches that one run sent to Cortex (see `macros/cortex_batches.sql`).

    Attributes:
        query_tag: tag of the run's statements, by which its batches are known.
    """

    connection: SnowflakeConnection
    query_tag: str

    def cost_metadata(self, model: str) -> dict[str, dg.MetadataValue]:
        """Return the costs of a model's texts. Its post-hook has sent them when its event arrives."""
        return cost_metadata(fetch(self.connection, cortex_batches(), (self.query_tag, model)))

    def unanswered(self) -> int:
        """Return the number of batches that Cortex did not answer."""
        from snowflake.connector.errors import ProgrammingError

        try:
            return int(fetch(self.connection, unanswered_batches(), (self.query_tag,))[0]["BATCHES"])
        except ProgrammingError:
            return 0  # The table does not exist until the first texts are sent.


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
