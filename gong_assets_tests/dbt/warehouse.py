"""Raw tables as declared by the landing code, filled and read with the real connector."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from snowflake.connector import DictCursor, SnowflakeConnection

from gong_assets.ingestion.streams import RAW_STREAMS, RAW_TABLES
from gong_assets.warehouse.tables import CALLS, TRANSCRIPTS, RawTable, create_raw_tables
from gong_assets_tests.dbt import more_records, records
from gong_assets_tests.dbt.records import Record

INGESTED_AT = datetime(2026, 11, 5, 6, 0)

Row = dict[str, Any]
# Rows by key, for each table.
Tables = dict[str, dict[Any, Row]]


def staging_model(table: RawTable) -> str:
    """Return the model with one row for each record of a raw table."""
    return f"stg_{table.asset_name.removesuffix('_raw')}"


KEYS = {
    **{staging_model(table): table.key.name for table in RAW_TABLES},
    "stg_gong_call_participants": "PARTICIPANT_ID",
    "stg_gong_call_transcripts": "TRANSCRIPT_ID",
    "stg_gong_call_topics": "TOPIC_ID",
    "stg_gong_call_tracker_occurrences": "OCCURRENCE_ID",
    "stg_gong_call_crm_links": "CRM_LINK_ID",
    "stg_gong_call_comments": "COMMENT_ID",
    "stg_gong_tracker_keywords": "TRACKER_KEYWORD_ID",
    "stg_gong_scorecard_questions": "SCORECARD_QUESTION_ID",
    "stg_gong_scorecard_answers": "SCORECARD_ANSWER_ID",
    "stg_hubspot_deals": "DEAL_ID",
    "stg_hubspot_deal_stages": "STAGE_ID",
    "stg_hubspot_contacts": "CONTACT_ID",
    "stg_hubspot_companies": "COMPANY_ID",
    "stg_hubspot_merged_records": "MERGED_RECORD_ID",
    "cortex_gong_calls": "CALL_ID",
    "cortex_gong_call_transcripts": "TRANSCRIPT_ID",
    "cortex_gong_call_insights": "CALL_ID",
    "int_gong_call_details": "CALL_ID",
    "int_gong_users": "USER_ID",
    "int_gong_call_kinds": "CALL_ID",
    "int_gong_call_risks": "RISK_ID",
    "int_gong_call_risk_lists": "CALL_ID",
    "vw_searchable_segments": "TRANSCRIPT_ID",
    "int_gong_dialogues": "CALL_ID",
    "int_gong_dialogue_lines": "LINE_ID",
    "int_gong_call_crm_links": "CALL_CRM_LINK_ID",
    "int_gong_call_deals": "CALL_DEAL_ID",
    "int_gong_customer_addresses": "CUSTOMER_ADDRESS_ID",
    "int_gong_inferred_records": "CALL_ID",
    "vw_enriched_gong_calls": "CALL_ID",
    "vw_enriched_gong_call_transcripts": "TRANSCRIPT_ID",
    "vw_gong_call_risks": "RISK_ID",
    "vw_sales_performance_analysis": "PERFORMANCE_ID",
    "vw_coaching_opportunities": "CALL_ID",
    "vw_deal_calls": "DEAL_CALL_ID",
    "vw_directory": "DIRECTORY_ID",
    "vw_deal_risk": "HUBSPOT_DEAL_ID",
    "vw_account_timeline": "EVENT_ID",
    "vw_gong_ingestion_status": "CALL_ID",
    "vw_gong_ingestion_completeness": "CALL_DATE",
    "vw_calls_without_transcripts": "CALL_ID",
    "vw_cortex_status": "CALL_DATE",
    "vw_cortex_costs": "COST_ID",
    "vw_gong_landings": "TABLE_NAME",
    "vw_pipeline_health": "HEALTH_WINDOW",
}

_HUBSPOT_SHARE = (
    "create database if not exists hubspot_share",
    "create schema if not exists hubspot_share.v2_daily",
    """create or replace table hubspot_share.v2_daily.objects_deals as
    select column1 as objectid, column2 as property_dealname, column3 as property_dealstage,
        'default' as property_pipeline,
        column4::number(38, 2) as property_amount, column5::timestamp_ntz as property_closedate,
        '77' as property_hubspot_owner_id, '2026-11-01'::timestamp_ntz as updatedat
    from values (8070190, 'Renewal 2027', 'closedwon', 15000.5, '2026-11-12 17:00:00'),
                (8070300, 'Far away', '8070191', 1, '2099-01-01 00:00:00'),
                (8070301, 'Forgotten', '8070191', 1, '2020-01-01 00:00:00')""",
    """create or replace table hubspot_share.v2_daily.objects_contacts as
    select 8801 as objectid, 'Carl' as property_firstname, 'Customer' as property_lastname,
        'Carl@Customer.example' as property_email, 'CTO' as property_jobtitle,
            '2026-11-01'::timestamp_ntz as updatedat""",
    """create or replace table hubspot_share.v2_daily.objects_companies as
    select 555 as objectid, 'Customer Limited' as property_name, 250 as property_numberofemployees,
        2000000 as property_annualrevenue""",
    """create or replace table hubspot_share.v2_daily.owners as
    select 77 as ownerid, 'Olga@Seller.example' as email, 'Olga' as firstname, 'Owner' as lastname""",
    """create or replace table hubspot_share.v2_daily.pipelines as
    select 'default' as pipelineid, 'Sales Pipeline' as label""",
    """create or replace table hubspot_share.v2_daily.pipeline_stages as
    select 'default' as pipelineid, column1 as stageid, column2 as label
    from values ('closedwon', 'Closed Won'), ('8070191', 'Contract Sent')""",
    """create or replace table hubspot_share.v2_daily.associations_deals_to_companies as
    select 8070190 as deal_objectid, column1 as company_objectid, column2 as ismainassociationdefinition
    from values (111, false), (555, true)""",
    # associations_deals_to_contacts is not shared.
)


@dataclass(frozen=True)
class Warehouse:
    connection: SnowflakeConnection
    arguments: Mapping[str, Any] = field(default_factory=dict)

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        with self.connection.cursor(DictCursor) as cursor:
            cursor.execute(sql, parameters or None)
            return [dict(row) for row in cursor.fetchall()]

    def rows(self, table: str, key: str) -> dict[Any, Row]:
        """Return all rows of a table by key, which must be unique."""
        rows = self.query(f"select * from {table}")
        by_key = {row[key]: row for row in rows}
        assert len(by_key) == len(rows), f"{key} is not unique in {table}"
        return by_key

    def tables(self) -> Tables:
        """Return all tables and views of the models."""
        return {name: self.rows(name, key) for name, key in KEYS.items()}

    def share_hubspot(self) -> None:
        """Create a HubSpot share without one of its tables and several columns."""
        for statement in _HUBSPOT_SHARE:
            self.query(statement)
        self.query("use schema sophia_ai.gong_data")

    def land_calls(self, calls: Iterable[tuple[date, Record, str | None]]) -> None:
        for call_date, call, error in calls:
            self._land(CALLS, call["metaData"]["id"], call, call_date, error)

    def land_transcripts(self, transcripts: Iterable[tuple[date, Record]]) -> None:
        for call_date, transcript in transcripts:
            self._land(TRANSCRIPTS, transcript["callId"], transcript, call_date)

    def land_users(self, users: Iterable[Record]) -> None:
        (table,) = (table for table in RAW_TABLES if table.name == "GONG_USERS_RAW")
        for user in users:
            self._land(table, user["id"], user)

    def delete_call(self, call_id: str) -> None:
        """Delete a call and its transcript, like a read of Gong after the call was deleted."""
        for table in (CALLS, TRANSCRIPTS):
            self.query(f"delete from {table.name} where call_id = %s", (call_id,))

    def land_everything(self) -> None:
        """Recreate the raw tables with the test records, and an invalid record in each of them."""
        for table in RAW_TABLES:
            self.query(f"drop table if exists {table.name}")
        create_raw_tables(self.connection, RAW_TABLES)
        self.land_calls(records.calls())
        self.land_transcripts(records.transcripts())
        for table, key, record, day, error in self._other_records():
            self._land(table, key, record, day, error)

    def _other_records(self) -> Iterator[tuple[RawTable, str, Record, date | None, str | None]]:
        tables = {table.name: table for table in RAW_TABLES}
        for user in records.users():
            yield tables["GONG_USERS_RAW"], user["id"], user, None, None
        for day, review, error in more_records.answered_scorecards():
            yield tables["GONG_ANSWERED_SCORECARDS_RAW"], review["answeredScorecardId"], review, day, error
        for key, library_call in more_records.calls_in_library():
            yield tables["GONG_LIBRARY_CALLS_RAW"], key, library_call, None, None
        for name, by_day in (
            ("GONG_INTERACTION_STATS_RAW", more_records.interaction_stats()),
            ("GONG_USER_ACTIVITY_RAW", more_records.user_activity()),
        ):
            for day, of_user in by_day:
                yield tables[name], f"{day}/{of_user['userId']}", of_user, day, None
        for stream in RAW_STREAMS:
            for record in more_records.LISTS.get(stream.endpoint.path, []):
                record_id = stream.endpoint.parse(json.dumps(record).encode()).id
                yield stream.table, str(record_id), record, None, None
            if stream.table not in (CALLS, TRANSCRIPTS, tables["GONG_ANSWERED_SCORECARDS_RAW"]):
                yield stream.table, more_records.BROKEN, {}, records.MONDAY, "id: Field required"

    def _land(
        self, table: RawTable, key: str, record: Record, day: date | None = None, error: str | None = None
    ) -> None:
        self.query(f"delete from {table.name} where {table.key.name} = %s", (key,))
        partition = f", {table.partition.name}" if table.partition else ""
        self.query(
            f"insert into {table.name} "
            f"({table.key.name}, processing_error, {table.payload.name}, ingested_at, content_hash, source"
            f"{partition}) select %s, %s, parse_json(%s), %s, %s, 'api'{', %s' if partition else ''}",
            (key, error, *_content(record), *((day,) if partition else ())),
        )

    def cortex_usage(self) -> list[tuple[str, int]]:
        """Return (function, input tokens) of each Cortex call so far, oldest first."""
        rows = self.query(
            "select function_name, metrics "
            "from snowflake.account_usage.cortex_ai_functions_usage_history "
            "order by start_time, function_name"
        )
        return [(row["FUNCTION_NAME"], json.loads(row["METRICS"])[0]["value"]) for row in rows]


def _content(record: Record) -> tuple[str, datetime, str]:
    text = json.dumps(record, ensure_ascii=False)
    return text, INGESTED_AT, hashlib.sha256(text.encode()).hexdigest()
