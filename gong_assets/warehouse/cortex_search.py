"""Cortex Search service over the call segments. Available on Snowflake only.

https://docs.snowflake.com/en/sql-reference/sql/create-cortex-search

The service reads tables instead of views, because dbt replaces views at each build, which would rebuild the
index. It indexes the vectors that the graph has already paid for, so indexing sends no text to a model.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from gong_assets.warehouse.connection import fetch
from gong_assets.warehouse.embedding_models import embedding_models
from gong_assets.warehouse.literals import identifier, literal

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection

NAME = "GONG_CALL_SEARCH"

# Maximum delay of the index behind its tables. It must be shorter than the tables' retention: one day.
TARGET_LAG = "1 hour"

# Price of the indexed data, text and vectors (4 bytes per number), from the example in
# https://docs.snowflake.com/en/user-guide/snowflake-cortex/cortex-search/cortex-search-costs.
CREDITS_PER_GB_MONTH = 6.3

TABLES = (
    "CORTEX_GONG_CALL_TRANSCRIPTS",
    "STG_GONG_CALL_TRANSCRIPTS",
    "STG_GONG_CALLS",
    "STG_GONG_USERS",
    "STG_HUBSPOT_MERGED_RECORDS",
)
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

# The host as a user, and the records into which the deal and the company of the call were merged, as in the
# views. STG_GONG_USERS is rebuilt if Gong's users changed. Each rebuild of INT_GONG_USERS, after every change
# of a call, would index all rows again.
_PRESENT_RECORDS = """\
LEFT JOIN STG_GONG_USERS AS users
    ON calls.PRIMARY_USER_ID = users.USER_ID
LEFT JOIN STG_HUBSPOT_MERGED_RECORDS AS deals
    ON 'opportunity_' || calls.HUBSPOT_DEAL_ID = deals.MERGED_RECORD_ID
LEFT JOIN STG_HUBSPOT_MERGED_RECORDS AS companies
    ON 'account_' || calls.HUBSPOT_COMPANY_ID = companies.MERGED_RECORD_ID
"""

# Part of the service in the account: changing this text replaces the service once.
_COMMENT = "Made by gong_assets, definition "

Change = Literal["created", "replaced", "kept"]


@dataclass(frozen=True)
class SearchService:
    """Desired state of the service.

    Attributes:
        warehouse: refreshes the index. Snowflake recommends a dedicated one, no larger than MEDIUM.
        embedding_model: model of the indexed vectors. Vectors of different models cannot be compared.
        redacted: index the redacted text instead of the staged text.
        vars_file: file of the dbt vars, which declare the models; None for that of the environment.
    """

    warehouse: str
    embedding_model: str
    redacted: bool
    vars_file: Path | None = None

    @property
    def tables(self) -> tuple[str, ...]:
        return (*TABLES, REDACTED_TABLE) if self.redacted else TABLES

    @property
    def source(self) -> str:
        """Query for the indexed rows.

        It has only equality joins and simple conditions, so that Snowflake can refresh it incrementally.
        Searches run with owner's rights, so private calls, call titles and customer names are excluded.
        Readers can look them up in the views by TRANSCRIPT_ID, with their own rights.
        """
        text = "redacted.REDACTED_TEXT" if self.redacted else "staged.TRANSCRIPT_TEXT"
        redacted = (
            f"INNER JOIN {REDACTED_TABLE} AS redacted\n"
            "    ON embedded.TRANSCRIPT_ID = redacted.TRANSCRIPT_ID "
            "AND embedded.CONTENT_HASH = redacted.CONTENT_HASH\n"
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
            "    COALESCE(users.FULL_NAME, calls.PRIMARY_USER_NAME) AS PRIMARY_USER_NAME,\n"
            "    COALESCE(deals.SURVIVOR_ID, calls.HUBSPOT_DEAL_ID) AS HUBSPOT_DEAL_ID,\n"
            "    COALESCE(companies.SURVIVOR_ID, calls.HUBSPOT_COMPANY_ID) AS HUBSPOT_COMPANY_ID\n"
            "FROM CORTEX_GONG_CALL_TRANSCRIPTS AS embedded\n"
            "INNER JOIN STG_GONG_CALL_TRANSCRIPTS AS staged\n"
            "    ON embedded.TRANSCRIPT_ID = staged.TRANSCRIPT_ID "
            "AND embedded.CONTENT_HASH = staged.CONTENT_HASH\n"
            "INNER JOIN STG_GONG_CALLS AS calls\n"
            "    ON embedded.CALL_ID = calls.CALL_ID\n"
            f"{_PRESENT_RECORDS}"
            f"{redacted if self.redacted else ''}"
            f"WHERE embedded.EMBEDDING_MODEL = {literal(self.embedding_model)}\n"
            "    AND embedded.TRANSCRIPT_EMBEDDING IS NOT NULL\n"
            f"    AND {text} IS NOT NULL\n"
            "    AND NOT calls.IS_PRIVATE"
        )

    @property
    def definition(self) -> str:
        """The text after CREATE CORTEX SEARCH SERVICE. Its comment contains the hash of the definition."""
        return self._definition(_COMMENT + self.hash)

    @property
    def hash(self) -> str:
        return hashlib.sha256(self._definition("").encode()).hexdigest()[:16]

    def _definition(self, comment: str) -> str:
        model = self.embedding_model
        known = embedding_models(self.vars_file).get(model)
        # Without a query model, the caller embeds the query and sends its vector.
        query_model = f" (query_model = {literal(model)})" if known and known.embeds_search_queries else ""
        return (
            f"{NAME}\n"
            "TEXT INDEXES TRANSCRIPT_TEXT\n"
            f"VECTOR INDEXES TRANSCRIPT_EMBEDDING{query_model}\n"
            "PRIMARY KEY (TRANSCRIPT_ID)\n"
            f"ATTRIBUTES {', '.join(ATTRIBUTES)}\n"
            f"WAREHOUSE = {identifier(self.warehouse)}\n"
            f"TARGET_LAG = '{TARGET_LAG}'\n"
            # Without this, Snowflake could silently fall back to full refreshes.
            "REFRESH_MODE = INCREMENTAL\n"
            f"COMMENT = {literal(comment)}\n"
            f"AS\n{self.source}"
        )


def newest_embedding_model(connection: SnowflakeConnection) -> str | None:
    """Return the model of the latest embedding, or None if there are no embeddings yet."""
    rows = fetch(
        connection,
        # A row has a model if it has an embedding, which need not be read.
        "SELECT EMBEDDING_MODEL FROM CORTEX_GONG_CALL_TRANSCRIPTS WHERE EMBEDDING_MODEL IS NOT NULL "
        "ORDER BY CORTEX_PROCESSED_AT DESC NULLS LAST, EMBEDDING_MODEL LIMIT 1",
    )
    return str(rows[0]["EMBEDDING_MODEL"]) if rows else None


def apply(connection: SnowflakeConnection, service: SearchService) -> Change:
    """Create the service, or replace it if its definition changed. Replacing it rebuilds the whole index.

    CREATE has no IF NOT EXISTS in the form with several indexes. If another role owns a service of this name
    that this role cannot see, the statement fails.
    """
    before = existing(connection)
    with connection.cursor() as cursor:
        for table in service.tables:
            # Always, because a table that dbt rebuilt has lost it.
            cursor.execute(f"ALTER TABLE {table} SET CHANGE_TRACKING = TRUE")
        if before is None:
            cursor.execute(f"CREATE CORTEX SEARCH SERVICE {service.definition}")
            return "created"
        if before.get("comment") != _COMMENT + service.hash:
            cursor.execute(f"CREATE OR REPLACE CORTEX SEARCH SERVICE {service.definition}")
            return "replaced"
    return "kept"


def existing(connection: SnowflakeConnection) -> dict[str, Any] | None:
    """Return the row of SHOW CORTEX SEARCH SERVICES for the service, by lower-case column, or None."""
    for row in fetch(connection, f"SHOW CORTEX SEARCH SERVICES LIKE '{NAME}' IN SCHEMA"):
        named = {column.lower(): value for column, value in row.items()}
        if named["name"] == NAME:  # LIKE may match other names, because `_` is a wildcard.
            return named
    return None


def source_size(connection: SnowflakeConnection, service: SearchService) -> tuple[int, int]:
    """Return the number of indexed rows, and the bytes of their vectors and text (one byte per character)."""
    (row,) = fetch(
        connection,
        "SELECT COUNT(*) AS ROW_COUNT, "
        "COALESCE(SUM(LENGTH(TRANSCRIPT_TEXT) + 4 * ARRAY_SIZE(TRANSCRIPT_EMBEDDING::ARRAY)), 0) AS BYTES "
        f"FROM (\n{service.source}\n) AS indexed",
    )
    return int(row["ROW_COUNT"]), int(row["BYTES"])
