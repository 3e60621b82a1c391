"""Landing from the tables of Airbyte, Fivetran and Gong's share: what lands, stays, and is deleted."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from dataclasses import replace as replace_fields
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from gong_assets.dates import DateRange
from gong_assets.gong.records import read_call
from gong_assets.ingestion.sources import to_row
from gong_assets.ingestion.spool import Spool
from gong_assets.ingestion.streams import RAW_TABLES
from gong_assets.warehouse.connection import Warehouse
from gong_assets.warehouse.errors import DeletionGuardError
from gong_assets.warehouse.landing import replace
from gong_assets.warehouse.landing_counts import Landed
from gong_assets.warehouse.pending_changes import pending_changes
from gong_assets.warehouse.sources.adoption import (
    Adopted,
    Selection,
    adopt,
    calls_without_transcripts,
    changed_days,
    first_day,
    newest_extraction,
)
from gong_assets.warehouse.sources.airbyte import RAW_SCHEMA, Airbyte, TableForm
from gong_assets.warehouse.sources.audit import delete_calls
from gong_assets.warehouse.sources.data_cloud import DataCloud
from gong_assets.warehouse.sources.fivetran import Fivetran
from gong_assets.warehouse.sources.source import AdoptedSource, read_location
from gong_assets.warehouse.tables import CALLS, TRANSCRIPTS, RawTable
from gong_assets_tests.warehouse.sources import airbyte_tables, data_cloud_tables, fivetran_tables
from gong_assets_tests.warehouse.sources.records import call, tenant

pytestmark = pytest.mark.extended

MONDAY, TUESDAY = date(2026, 3, 2), date(2026, 3, 3)
DAYS = DateRange.inclusive(MONDAY, TUESDAY)
SYNCED = datetime(2026, 3, 4, 6, tzinfo=UTC)
LATER = SYNCED + timedelta(days=1)
LONG_ID = "15746756721042826257"  # More than 63 bits.
ONE = call("1001", "2026-03-02T09:00:00+01:00")
TWO = call("1002", "2026-03-03T09:00:00Z")
LONG = call(LONG_ID, "2026-03-02T23:30:00-02:00")  # A Tuesday in UTC.


class Connector:
    """A schema that a product writes to, and its adoption in the schema of the warehouse."""

    def __init__(self, warehouse: Warehouse) -> None:
        self.warehouse = warehouse
        self.schema = f"SOURCE_{uuid.uuid4().hex[:8].upper()}"
        self.form: TableForm = "typed"
        self.product: type[Any] = Airbyte

    def source(self) -> AdoptedSource:
        with self.warehouse.connect() as connection:
            schema = RAW_SCHEMA if self.form == "raw" else self.schema
            location = read_location(connection, self.warehouse.arguments["database"], schema)
        if self.product is Airbyte:
            return Airbyte(location, form=self.form, namespace=self.schema)
        source: AdoptedSource = self.product(location)
        return source

    def sync(self, stream: str, *records: dict[str, Any], at: datetime = SYNCED, **options: Any) -> None:
        airbyte_tables.write_typed(self.warehouse, self.schema, stream, records, at, **options)

    def sync_calls(self, *calls: dict[str, Any], at: datetime = SYNCED, **options: Any) -> None:
        records = airbyte_tables.connector_records(tenant(*calls))
        for stream in ("extensiveCalls", "callTranscripts"):
            self.sync(stream, *records[stream], at=at, **options if stream == "extensiveCalls" else {})

    def land(
        self, table: RawTable = CALLS, ranges: Sequence[DateRange] | None = (DAYS,), **options: Any
    ) -> Adopted:
        with self.warehouse.connect() as connection:
            return adopt(
                connection,
                self.source(),
                table,
                ranges=ranges,
                selection=options.pop("selection", Selection()),
                correlation_id=options.pop("run", "run-1"),
                **options,
            )

    def rows(self, table: RawTable = CALLS) -> dict[str, dict[str, Any]]:
        return {row[table.key.name]: row for row in self.warehouse.query(f"SELECT * FROM {table.name}")}

    def drop(self, *tables: str) -> None:
        with self.warehouse.connect() as connection, connection.cursor() as cursor:
            for table in tables:
                cursor.execute(f'DROP TABLE "{self.schema}"."{table}"')


@pytest.fixture
def airbyte(warehouse: Warehouse) -> Connector:
    return Connector(warehouse)


def land_from_api(warehouse: Warehouse, *calls: dict[str, Any]) -> Landed:
    """Land the calls as a read of the API over both days does."""
    spool = Spool()
    try:
        for each in calls:
            record = read_call(json.dumps(each, separators=(",", ":")).encode())
            assert record.started is not None
            spool.append(to_row(record, record.started.date()))
        spool.close()
        with warehouse.connect() as connection:
            return replace(connection, CALLS, spool, ranges=[DAYS], correlation_id="api")
    finally:
        spool.discard()


def test_calls_land_as_the_api_returns_them_with_the_time_of_their_extraction(airbyte: Connector) -> None:
    airbyte.sync_calls(ONE, LONG)
    adopted = airbyte.land()
    assert (adopted.landed.inserted, adopted.errors) == (2, 0)
    rows = airbyte.rows()
    assert {key: json.loads(row["RAW_DATA"]) for key, row in rows.items()} == {"1001": ONE, LONG_ID: LONG}
    row = rows[LONG_ID]
    assert (row["CALL_DATE"], row["SOURCE"], row["INGESTED_AT"]) == (TUESDAY, "airbyte", SYNCED)
    assert airbyte.land(TRANSCRIPTS).landed.inserted == 2
    assert airbyte.rows(TRANSCRIPTS)[LONG_ID]["CALL_DATE"] == TUESDAY


def test_landing_again_changes_nothing_although_media_links_differ(airbyte: Connector) -> None:
    airbyte.sync_calls(ONE)
    airbyte.land()
    airbyte.sync_calls(ONE, at=LATER)  # An append: a second version of the same call, with other links.
    again = airbyte.land(run="run-2").landed
    assert (again.inserted, again.deleted, again.unchanged) == (0, 0, 1)
    assert airbyte.rows()["1001"]["INGESTED_AT"] == SYNCED


def test_of_appended_versions_the_newest_lands_on_its_day_only(airbyte: Connector) -> None:
    moved = call("1001", "2026-03-03T09:00:00Z", title="Moved")
    airbyte.sync_calls(moved, at=LATER)
    airbyte.sync_calls(ONE)
    airbyte.land(ranges=[DateRange.single(MONDAY)])
    assert airbyte.rows() == {}
    airbyte.land(ranges=[DateRange.single(TUESDAY)])
    (row,) = airbyte.rows().values()
    assert (row["CALL_DATE"], json.loads(row["RAW_DATA"])["metaData"]["title"]) == (TUESDAY, "Moved")


def test_a_call_that_moved_leaves_its_old_day_without_a_confirmation(airbyte: Connector) -> None:
    airbyte.sync_calls(ONE)
    airbyte.land()
    airbyte.sync_calls(call("1001", "2026-03-03T09:00:00Z"), at=LATER)
    airbyte.land(ranges=[DateRange.single(MONDAY)], max_deleted_fraction=0.1)
    assert airbyte.rows() == {}


def test_an_overwritten_table_deletes_calls_under_the_guard(airbyte: Connector) -> None:
    airbyte.sync_calls(ONE, TWO, LONG)
    airbyte.land()
    airbyte.drop("EXTENSIVECALLS")
    airbyte.sync_calls(ONE, at=LATER)
    with pytest.raises(DeletionGuardError):
        airbyte.land(max_deleted_fraction=0.5)
    assert len(airbyte.rows()) == 3
    assert airbyte.land().landed.deleted_keys == ("1002", LONG_ID)
    with airbyte.warehouse.connect() as connection:
        assert {change.day for change in pending_changes(connection)} == {MONDAY, TUESDAY}


def test_a_transcript_on_the_day_of_its_extraction_changes_the_day_of_its_call(airbyte: Connector) -> None:
    airbyte.sync_calls(ONE)
    airbyte.land()
    extracted = DateRange.single(SYNCED.date())
    late = {**tenant(ONE).transcripts[0], "started": None}

    def changed() -> set[date | None]:
        airbyte.warehouse.query("DELETE FROM GONG_PENDING_CHANGES")
        airbyte.land(TRANSCRIPTS, [extracted])
        with airbyte.warehouse.connect() as connection:
            return {change.day for change in pending_changes(connection)}

    airbyte.drop("CALLTRANSCRIPTS")
    airbyte.sync("callTranscripts", late)
    assert changed() == {MONDAY, extracted.start}
    assert changed() == set()
    airbyte.drop("CALLTRANSCRIPTS")
    airbyte.sync("callTranscripts")
    assert changed() == {MONDAY, extracted.start}


def test_a_transcript_on_the_day_of_its_extraction_stays_while_its_call_moves(airbyte: Connector) -> None:
    airbyte.sync_calls(ONE)
    airbyte.land()
    airbyte.drop("CALLTRANSCRIPTS")
    airbyte.sync("callTranscripts", {**tenant(ONE).transcripts[0], "started": None})
    airbyte.land(TRANSCRIPTS, [DateRange.single(SYNCED.date())])
    airbyte.sync_calls(call("1001", "2026-03-03T09:00:00Z"), at=LATER)
    airbyte.land(ranges=[DateRange.single(MONDAY)])
    assert airbyte.rows() == {}
    airbyte.land(ranges=[DateRange.single(TUESDAY)])
    assert {*airbyte.rows()} == {*airbyte.rows(TRANSCRIPTS)} == {"1001"}


def test_a_call_without_a_start_awaits_its_transcript_from_its_scheduled_start(airbyte: Connector) -> None:
    unstarted = call("1001", "2026-03-02T09:00:00Z", scheduled="2026-03-02T10:00:00+02:00")
    unstarted["metaData"]["started"] = None
    airbyte.sync_calls(unstarted)
    airbyte.land()
    with airbyte.warehouse.connect() as connection:
        ((_, start),) = calls_without_transcripts(connection, DAYS).values()
    assert start == datetime(2026, 3, 2, 8, tzinfo=UTC)


def test_a_value_that_the_destination_nulled_is_a_processing_error(airbyte: Connector) -> None:
    nulled = {"field": "content", "change": "NULLED", "reason": "DESTINATION_FIELD_SIZE_LIMITATION"}
    airbyte.sync_calls(ONE, changes=[nulled])
    unused = {"field": "media", "change": "NULLED", "reason": "DESTINATION_TYPECAST_ERROR"}
    airbyte.sync_calls(TWO, changes=[unused])
    assert airbyte.land().errors == 1
    rows = airbyte.rows()
    assert "content was changed by Airbyte" in rows["1001"]["PROCESSING_ERROR"]
    assert rows["1002"]["PROCESSING_ERROR"] is None


def test_a_nulled_id_never_falls_back_to_the_numeric_one(airbyte: Connector) -> None:
    airbyte.sync_calls(ONE, changes=[{"field": "metaData", "change": "NULLED", "reason": "R"}])
    airbyte.land()
    ((key, row),) = airbyte.rows().items()
    assert key.startswith("unidentified-")
    assert "metaData:id: missing" in row["PROCESSING_ERROR"]


@pytest.mark.parametrize("form", ["raw", "v1"])
def test_older_forms_of_airbytes_tables_land_the_same_rows(airbyte: Connector, form: TableForm) -> None:
    airbyte.form = form
    write = airbyte_tables.write_raw if form == "raw" else airbyte_tables.write_v1
    records = airbyte_tables.connector_records(tenant(ONE, LONG))
    for stream in ("extensiveCalls", "callTranscripts"):
        write(airbyte.warehouse, airbyte.schema, stream, records[stream], SYNCED)
    assert (airbyte.land().errors, airbyte.land(TRANSCRIPTS).errors) == (0, 0)
    found = {key: json.loads(row["RAW_DATA"]) for key, row in airbyte.rows().items()}
    assert found == {"1001": ONE, LONG_ID: LONG}


def test_without_extensive_calls_the_basic_fields_land(airbyte: Connector) -> None:
    airbyte.sync("calls", ONE["metaData"])
    airbyte.land()
    landed = json.loads(airbyte.rows()["1001"]["RAW_DATA"])
    assert landed.keys() == {"metaData"}
    assert landed["metaData"]["title"] == "Call 1001"
    assert any("extensiveCalls" in gap for gap in airbyte.source().gaps())


def test_a_connector_that_lost_a_call_does_not_delete_the_apis_row(airbyte: Connector) -> None:
    land_from_api(airbyte.warehouse, ONE, TWO)
    airbyte.sync_calls(ONE, at=datetime.now(UTC) + timedelta(hours=1))
    airbyte.land(max_deleted_fraction=0.0)
    assert airbyte.rows().keys() == {"1001", "1002"}
    assert airbyte.rows()["1002"]["SOURCE"] == "api"


def test_what_the_api_returned_later_than_the_extraction_stays(airbyte: Connector) -> None:
    airbyte.sync_calls(ONE)
    airbyte.land()
    land_from_api(airbyte.warehouse, call("1001", ONE["metaData"]["started"], title="Renamed"), TWO)
    airbyte.land()
    row = airbyte.rows()["1001"]
    assert (json.loads(row["RAW_DATA"])["metaData"]["title"], row["SOURCE"]) == ("Renamed", "api")


def test_changing_the_source_over_the_same_days_changes_no_row(airbyte: Connector) -> None:
    airbyte.sync_calls(ONE, TWO)
    airbyte.land()
    with airbyte.warehouse.connect() as connection, connection.cursor() as cursor:
        # On Snowflake the hash of an object that was stored differs from that of the API's bytes.
        cursor.execute("UPDATE GONG_CALLS_RAW SET CONTENT_HASH = 'of the values'")
        cursor.execute("DELETE FROM GONG_PENDING_CHANGES")
    landed = land_from_api(airbyte.warehouse, ONE, TWO)
    assert (landed.inserted, landed.deleted, landed.unchanged) == (0, 0, 2)
    assert {row["SOURCE"] for row in airbyte.rows().values()} == {"api"}
    with airbyte.warehouse.connect() as connection:
        assert pending_changes(connection) == []
    # And back, with the next sync.
    airbyte.sync_calls(ONE, TWO, at=datetime.now(UTC) + timedelta(hours=1))
    back = airbyte.land().landed
    assert (back.inserted, back.deleted, back.unchanged) == (0, 0, 2)


def test_a_call_that_the_audit_deleted_returns_only_if_it_is_extracted_again(airbyte: Connector) -> None:
    airbyte.sync_calls(ONE, TWO)
    for table in (CALLS, TRANSCRIPTS):
        airbyte.land(table)
    with airbyte.warehouse.connect() as connection:
        assert delete_calls(connection, ["1001"], "audit") == 2
    for table in (CALLS, TRANSCRIPTS):
        airbyte.land(table)
        assert airbyte.rows(table).keys() == {"1002"}
    airbyte.sync_calls(ONE, at=datetime.now(UTC) + timedelta(hours=1))
    airbyte.land()
    assert airbyte.rows().keys() == {"1001", "1002"}


def test_only_days_with_newer_extractions_are_changed_days(airbyte: Connector) -> None:
    airbyte.sync_calls(ONE, TWO)
    with airbyte.warehouse.connect() as connection:
        assert newest_extraction(connection, airbyte.source(), RAW_TABLES) == SYNCED
        assert changed_days(connection, airbyte.source(), RAW_TABLES, None) == [MONDAY, TUESDAY]
        assert changed_days(connection, airbyte.source(), RAW_TABLES, SYNCED) == []
        assert first_day(connection, airbyte.source()) == MONDAY
    airbyte.land()
    airbyte.sync("extensiveCalls", *airbyte_tables.connector_records(
        tenant(call("1001", "2026-03-05T09:00:00Z")))["extensiveCalls"], at=LATER)  # fmt: skip
    with airbyte.warehouse.connect() as connection:
        days = changed_days(connection, airbyte.source(), RAW_TABLES, SYNCED)
    assert days == [MONDAY, date(2026, 3, 5)]


@pytest.mark.parametrize("history", [False, True])
def test_fivetran_calls_without_deleted_and_private_ones(warehouse: Warehouse, history: bool) -> None:
    fivetran = Connector(warehouse)
    fivetran.product = Fivetran
    private = call("1003", "2026-03-02T12:00:00Z", private=True)
    rows = fivetran_tables.fivetran_rows(tenant(ONE, TWO, private))
    fivetran_tables.write_tenant(
        warehouse, fivetran.schema, rows, SYNCED, history=history, deleted_calls=frozenset({"1002"})
    )
    adopted = fivetran.land()
    assert (fivetran.rows().keys(), adopted.private) == ({"1001"}, 1)
    landed = json.loads(fivetran.rows()["1001"]["RAW_DATA"])
    assert landed["metaData"].keys() == ONE["metaData"].keys()
    assert landed["parties"][0]["methods"] == ["Attendee"]
    assert landed["interaction"]["questions"] == {"companyCount": 1, "nonCompanyCount": 2}
    assert fivetran.land(TRANSCRIPTS).landed.inserted == 1
    found = json.loads(fivetran.rows(TRANSCRIPTS)["1001"]["TRANSCRIPT_DATA"])
    assert found == tenant(ONE).transcripts[0]


def test_a_deletion_by_fivetran_needs_no_confirmation(warehouse: Warehouse) -> None:
    fivetran = Connector(warehouse)
    fivetran.product = Fivetran
    rows = fivetran_tables.fivetran_rows(tenant(ONE))
    fivetran_tables.write_tenant(warehouse, fivetran.schema, rows, SYNCED)
    fivetran.land()
    with warehouse.connect() as connection, connection.cursor() as cursor:
        cursor.execute(f'UPDATE "{fivetran.schema}"."CALL" SET "_FIVETRAN_DELETED" = TRUE')
    assert fivetran.land(max_deleted_fraction=0.0).landed.deleted_keys == ("1001",)


def test_a_changed_child_row_of_fivetran_changes_the_day_of_its_call(warehouse: Warehouse) -> None:
    fivetran = Connector(warehouse)
    fivetran.product = Fivetran
    rows = fivetran_tables.fivetran_rows(tenant(ONE, TWO))
    fivetran_tables.write_tenant(warehouse, fivetran.schema, rows, SYNCED)
    with warehouse.connect() as connection, connection.cursor() as cursor:
        cursor.execute(
            f'UPDATE "{fivetran.schema}"."CALL_PARTICIPANT" SET "NAME" = %s, "_FIVETRAN_SYNCED" = %s '
            'WHERE "CALL_ID" = %s',
            ("Anne", LATER.isoformat(), "1002"),
        )
        assert changed_days(connection, fivetran.source(), RAW_TABLES, SYNCED) == [TUESDAY]
    fivetran.land()
    assert fivetran.rows()["1002"]["INGESTED_AT"] == LATER


def test_the_order_of_fivetrans_rows_does_not_change_a_call(warehouse: Warehouse) -> None:
    fivetran = Connector(warehouse)
    fivetran.product = Fivetran
    said = [{"startTime": 1, "speakerId": speaker} for speaker in ("71", "72")]
    snippets = [{"snippet": text, "snippetStartTime": 1, "snippetEndTime": 2} for text in "ab"]
    tied = call("1001", "2026-03-02T09:00:00Z")
    tied["content"] |= {
        "pointsOfInterest": {"actionItems": snippets},
        "trackers": [
            {"id": tracker, "name": "Price", "type": "KEYWORD", "count": 2, "occurrences": said}
            for tracker in ("1", "2")
        ],
    }
    tied["interaction"]["interactionStats"] = [{"name": "Patience", "value": value} for value in (1, 2)]
    rows = fivetran_tables.fivetran_rows(tenant(tied))
    fivetran_tables.write_tenant(warehouse, fivetran.schema, rows, SYNCED)
    fivetran.land()
    fivetran.schema += "_AGAIN"
    rows = {name: each[::-1] for name, each in rows.items()}
    fivetran_tables.write_tenant(warehouse, fivetran.schema, rows, SYNCED)
    assert fivetran.land().landed.unchanged == 1


def test_a_review_of_fivetran_without_a_time_lands_with_an_error(warehouse: Warehouse) -> None:
    fivetran = Connector(warehouse)
    fivetran.product = Fivetran
    review = {"answeredScorecardId": "1", "callId": "1001", "reviewTime": None, "answers": []}
    rows = fivetran_tables.fivetran_rows(replace_fields(tenant(ONE), answered=[review]))
    fivetran_tables.write_tenant(warehouse, fivetran.schema, rows, SYNCED)
    reviews = next(table for table in RAW_TABLES if table.name == "GONG_ANSWERED_SCORECARDS_RAW")
    fivetran.land(reviews, [DateRange.single(SYNCED.date())])
    (row,) = fivetran.rows(reviews).values()
    assert row["PROCESSING_ERROR"] == "reviewTime: missing or unreadable"


def test_a_single_sentence_and_its_text_are_lists_of_one(warehouse: Warehouse) -> None:
    fivetran = Connector(warehouse)
    fivetran.product = Fivetran
    rows = fivetran_tables.fivetran_rows(tenant(ONE, TWO))
    first, second = rows["TRANSCRIPT"]
    first["sentence"] = first["sentence"][0]
    second["sentence"] = json.dumps(second["sentence"])
    fivetran_tables.write_tenant(warehouse, fivetran.schema, rows, SYNCED)
    fivetran.land(TRANSCRIPTS)
    found = {key: json.loads(row["TRANSCRIPT_DATA"]) for key, row in fivetran.rows(TRANSCRIPTS).items()}
    assert list(found.values()) == tenant(ONE, TWO).transcripts


def test_gongs_share_has_completed_calls_and_no_other_conversations(warehouse: Warehouse) -> None:
    share = Connector(warehouse)
    share.product = DataCloud
    rows = data_cloud_tables.data_cloud_rows(tenant(ONE, TWO, LONG))
    rows["CALLS"][1]["STATUS"] = "SCHEDULED"
    data_cloud_tables.write_tenant(warehouse, share.schema, rows, SYNCED)
    share.land()
    share.land(TRANSCRIPTS)
    assert share.rows().keys() == share.rows(TRANSCRIPTS).keys() == {"1001", LONG_ID}
    party = json.loads(share.rows()["1001"]["RAW_DATA"])["parties"][0]
    assert (party["speakerId"], party["affiliation"]) == ("71", "External")


def test_a_deleted_call_of_gongs_share_is_deleted_without_a_confirmation(warehouse: Warehouse) -> None:
    share = Connector(warehouse)
    share.product = DataCloud
    rows = data_cloud_tables.data_cloud_rows(tenant(ONE, TWO))
    data_cloud_tables.write_tenant(warehouse, share.schema, rows, SYNCED)
    share.land()
    with warehouse.connect() as connection, connection.cursor() as cursor:
        cursor.execute(
            f'UPDATE "{share.schema}"."CALLS" SET "IS_DELETED" = TRUE, "TITLE" = NULL, '
            '"EFFECTIVE_START_DATETIME" = NULL, "PLANNED_START_DATETIME" = NULL, "STATUS" = NULL, '
            '"ETL_MODIFIED_DATETIME" = %s WHERE "CONVERSATION_KEY" = %s',
            (LATER.isoformat(), "k1001"),
        )
        # The day is known from the landed row only.
        assert changed_days(connection, share.source(), RAW_TABLES, SYNCED) == [MONDAY]
    assert share.land(max_deleted_fraction=0.0).landed.deleted_keys == ("1001",)


def test_queries_of_gongs_share_are_pruned_by_the_time_of_the_change(warehouse: Warehouse) -> None:
    share = Connector(warehouse)
    share.product = DataCloud
    rows = data_cloud_tables.data_cloud_rows(tenant(ONE))
    data_cloud_tables.write_tenant(warehouse, share.schema, rows, SYNCED)
    for table in (CALLS, TRANSCRIPTS):
        scans = share.source().rows(table, [DAYS]).count('."')
        assert share.source().rows(table, [DAYS]).count("ETL_MODIFIED_DATETIME >= '2026-03-02'") >= 1, scans


def test_a_source_without_a_table_says_what_it_lacks(airbyte: Connector) -> None:
    airbyte.sync_calls(ONE)
    workspaces = next(table for table in RAW_TABLES if table.name == "GONG_WORKSPACES_RAW")
    assert not airbyte.source().is_available(workspaces)
    assert any("Workspaces" in gap for gap in airbyte.source().gaps())


def test_calls_of_other_workspaces_do_not_land(airbyte: Connector) -> None:
    airbyte.sync_calls(ONE, call("1002", TWO["metaData"]["started"], workspaceId="78"))
    airbyte.land(selection=Selection(workspace_id="77"))
    assert airbyte.rows().keys() == {"1001"}
