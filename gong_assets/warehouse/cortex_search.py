"""The Cortex Search service over the segments, in SQL. Snowflake only: no other server has such an object.

https://docs.snowflake.com/en/sql-reference/sql/create-cortex-search

The service reads tables, not views: a view that dbt replaces at each build would have it indexed anew each time. Its vectors
are those that the graph has paid for, so that indexing sends no text to a model.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from gong_assets.warehouse.connection import fetch
from gong_assets.warehouse.embedding_models import embedding_models

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection

NAME = "GONG_CALL_SEARCH"

# How far the service may be behind its tables. It must be less than their retention, which is a day for dbt's tables.
TARGET_LAG = "1 hour"

# The example of https://docs.snowflake.com/en/user-guide/snowflake-cortex/cortex-search/cortex-search-costs. Text and vectors
# count, of 4 bytes a number.
CREDITS_PER_GB_MONTH = 6.3

TABLES = ("CORTEX_GONG_CALL_TRANSCRIPTS", "STG_GONG_CALL_TRANSCRIPTS", "STG_GONG_CALLS")
REDACTED_TABLE = "CORTEX_GONG_REDACTED_TRANSCRIPTS"

ATTRIBUTES = (
    "CALL_ID",
    "CALL_DATE",
    "SPEAKER_TYPE",
    "PRIMARY_USER_ID",
    "PRIMARY_USER_NAME",
    "HUBSPOT_DEAL_ID",
    "HUBSPOT_COMPANY_ID",
)

_COMMENT = "Made by gong_assets, definition "

Change = Literal["created", "replaced", "kept"]


@dataclass(frozen=True)
class SearchService:
    """What the service is to be.

    Args:
        warehouse: refreshes the index; Snowflake advises one of its own, no larger than MEDIUM.
        embedding_model: the model of the vectors that are indexed; those of another one cannot be compared with them.
        redacted: whether the text is the redacted one, and the staged one is in no index.
    """

    warehouse: str
    embedding_model: str
    redacted: bool

    @property
    def tables(self) -> tuple[str, ...]:
        return (*TABLES, REDACTED_TABLE) if self.redacted else TABLES

    @property
    def source(self) -> str:
        """The rows that are indexed, as a query that Snowflake can refresh incrementally: inner joins and plain conditions.

        Owner's rights apply to whoever searches, so that private calls, the titles of calls and the names of customers are
        left out: a reader finds the rest by TRANSCRIPT_ID in the views, with rights of his own.
        """
        text = "redacted.REDACTED_TEXT" if self.redacted else "staged.TRANSCRIPT_TEXT"
        redacted = (
            f"INNER JOIN {REDACTED_TABLE} AS redacted\n"
            "    ON embedded.TRANSCRIPT_ID = redacted.TRANSCRIPT_ID AND embedded.CONTENT_HASH = redacted.CONTENT_HASH\n"
        )
        return (
            "SELECT\n"
            "    embedded.TRANSCRIPT_ID,\n"
            f"    {text} AS TRANSCRIPT_TEXT,\n"
            "    embedded.TRANSCRIPT_EMBEDDING,\n"
            "    embedded.CALL_ID,\n"
            "    embedded.CALL_DATE,\n"
            "    staged.SPEAKER_TYPE,\n"
            "    staged.START_TIME_SECONDS,\n"
            "    calls.PRIMARY_USER_ID,\n"
            "    calls.PRIMARY_USER_NAME,\n"
            "    calls.HUBSPOT_DEAL_ID,\n"
            "    calls.HUBSPOT_COMPANY_ID\n"
            "FROM CORTEX_GONG_CALL_TRANSCRIPTS AS embedded\n"
            "INNER JOIN STG_GONG_CALL_TRANSCRIPTS AS staged\n"
            "    ON embedded.TRANSCRIPT_ID = staged.TRANSCRIPT_ID AND embedded.CONTENT_HASH = staged.CONTENT_HASH\n"
            "INNER JOIN STG_GONG_CALLS AS calls\n"
            "    ON embedded.CALL_ID = calls.CALL_ID\n"
            f"{redacted if self.redacted else ''}"
            f"WHERE embedded.EMBEDDING_MODEL = {_literal(self.embedding_model)}\n"
            "    AND embedded.TRANSCRIPT_EMBEDDING IS NOT NULL\n"
            f"    AND {text} IS NOT NULL\n"
            "    AND NOT calls.IS_PRIVATE"
        )

    @property
    def definition(self) -> str:
        """What follows CREATE CORTEX SEARCH SERVICE, with a hash of itself as its comment."""
        return self._definition(_COMMENT + self.hash)

    @property
    def hash(self) -> str:
        return hashlib.sha256(self._definition("").encode()).hexdigest()[:16]

    def _definition(self, comment: str) -> str:
        model = self.embedding_model
        known = embedding_models().get(model)
        # Without a query model, the caller embeds the query and sends its vector.
        query_model = f" (query_model = {_literal(model)})" if known and known.embeds_search_queries else ""
        return (
            f"{NAME}\n"
            "TEXT INDEXES TRANSCRIPT_TEXT\n"
            f"VECTOR INDEXES TRANSCRIPT_EMBEDDING{query_model}\n"
            "PRIMARY KEY (TRANSCRIPT_ID)\n"
            f"ATTRIBUTES {', '.join(ATTRIBUTES)}\n"
            f"WAREHOUSE = {_identifier(self.warehouse)}\n"
            f"TARGET_LAG = '{TARGET_LAG}'\n"
            # Without it Snowflake would fall back to a full refresh, silently.
            "REFRESH_MODE = INCREMENTAL\n"
            f"COMMENT = {_literal(comment)}\n"
            f"AS\n{self.source}"
        )


def newest_embedding_model(connection: SnowflakeConnection) -> str | None:
    """The model of the latest embedding; None if there is none yet."""
    rows = fetch(
        connection,
        "SELECT EMBEDDING_MODEL FROM CORTEX_GONG_CALL_TRANSCRIPTS WHERE TRANSCRIPT_EMBEDDING IS NOT NULL "
        "ORDER BY CORTEX_PROCESSED_AT DESC LIMIT 1",
    )
    return str(rows[0]["EMBEDDING_MODEL"]) if rows else None


def apply(connection: SnowflakeConnection, service: SearchService) -> Change:
    """Make the service what it is to be. One that is it already is left as it is: replacing it builds its index anew.

    No IF NOT EXISTS, which the form with several indexes does not have: a service of another role's that this role cannot see
    is an error, and not taken for this one.
    """
    before = existing(connection)
    with connection.cursor() as cursor:
        for table in service.tables:
            # Each time, as a table that dbt built anew has lost it.
            cursor.execute(f"ALTER TABLE {table} SET CHANGE_TRACKING = TRUE")
        if before is None:
            cursor.execute(f"CREATE CORTEX SEARCH SERVICE {service.definition}")
            return "created"
        if before.get("comment") != _COMMENT + service.hash:
            cursor.execute(f"CREATE OR REPLACE CORTEX SEARCH SERVICE {service.definition}")
            return "replaced"
    return "kept"


def existing(connection: SnowflakeConnection) -> dict[str, Any] | None:
    """What Snowflake says of the service, by column in lower case; None if there is none."""
    for row in fetch(connection, f"SHOW CORTEX SEARCH SERVICES LIKE '{NAME}' IN SCHEMA"):
        named = {column.lower(): value for column, value in row.items()}
        if named["name"] == NAME:  # `_` is a wildcard of LIKE.
            return named
    return None


def source_size(connection: SnowflakeConnection, service: SearchService) -> tuple[int, int]:
    """The rows that are indexed, and about how many bytes of text (of a byte a character) and vectors."""
    (row,) = fetch(
        connection,
        "SELECT COUNT(*) AS ROW_COUNT, "
        "COALESCE(SUM(LENGTH(TRANSCRIPT_TEXT) + 4 * ARRAY_SIZE(TRANSCRIPT_EMBEDDING::ARRAY)), 0) AS BYTES "
        f"FROM (\n{service.source}\n) AS indexed",
    )
    return int(row["ROW_COUNT"]), int(row["BYTES"])


def _literal(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"


def _identifier(name: str) -> str:
    if re.fullmatch(r'[A-Za-z_][\w$]*|"(?:[^"]|"")+"', name):
        return name
    escaped = name.replace('"', '""')
    return f'"{escaped}"'
