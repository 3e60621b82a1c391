"""The raw tables as the landing code declares them, filled and read over the real connector."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from snowflake.connector import DictCursor, SnowflakeConnection

from gong_assets.warehouse.tables import CALLS, RAW_TABLES, TRANSCRIPTS, USERS
from gong_assets_tests.dbt import records
from gong_assets_tests.dbt.records import Record

INGESTED_AT = datetime(2026, 11, 5, 6, 0)


@dataclass(frozen=True)
class Warehouse:
    connection: SnowflakeConnection

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[dict[str, Any]]:
        with self.connection.cursor(DictCursor) as cursor:
            cursor.execute(sql, parameters or None)
            return [dict(row) for row in cursor.fetchall()]

    def rows(self, table: str, key: str) -> dict[str, dict[str, Any]]:
        """All rows of a table by their key, which must be unique."""
        rows = self.query(f"select * from {table}")
        by_key = {row[key]: row for row in rows}
        assert len(by_key) == len(rows), f"{key} is not unique in {table}"
        return by_key

    def land_calls(self, calls: Iterable[tuple[date, Record, str | None]]) -> None:
        for call_date, call, error in calls:
            self._land(CALLS.name, CALLS.payload.name, call["metaData"]["id"], call, call_date, error)

    def land_transcripts(self, transcripts: Iterable[tuple[date, Record]]) -> None:
        for call_date, transcript in transcripts:
            self._land(TRANSCRIPTS.name, TRANSCRIPTS.payload.name, transcript["callId"], transcript, call_date, None)

    def land_everything(self) -> None:
        """The raw tables anew, with what records.py has."""
        for table in RAW_TABLES:
            self.query(f"drop table if exists {table.name}")
            self.query(table.create_statement())
        self.land_calls(records.calls())
        self.land_transcripts(records.transcripts())
        for user in records.users():
            self.query(
                f"insert into {USERS.name} (user_id, raw_data, ingested_at, content_hash) select %s, parse_json(%s), %s, %s",
                (user["id"], *_content(user)),
            )

    def _land(
        self, table: str, payload: str, call_id: str, record: Record, call_date: date, error: str | None
    ) -> None:
        self.query(f"delete from {table} where call_id = %s", (call_id,))
        self.query(
            f"insert into {table} (call_id, call_date, processing_error, {payload}, ingested_at, content_hash) "
            "select %s, %s, %s, parse_json(%s), %s, %s",
            (call_id, call_date, error, *_content(record)),
        )

    def cortex_calls(self) -> dict[str, int]:
        """How many texts have been sent to each Cortex function up to now."""
        rows = self.query(
            "select upper(function_name) as name, count(*) as queries "
            "from snowflake.account_usage.cortex_ai_functions_usage_history group by 1"
        )
        return {row["NAME"]: row["QUERIES"] for row in rows}


def _content(record: Record) -> tuple[str, datetime, str]:
    text = json.dumps(record, ensure_ascii=False)
    return text, INGESTED_AT, hashlib.sha256(text.encode()).hexdigest()
