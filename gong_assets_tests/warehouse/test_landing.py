"""Landing through the real connector: days are replaced atomically, content is exact, unchanged rows stay."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
from datetime import date, datetime
from typing import Any

import pytest

from gong_assets.dates import DateRange
from gong_assets.ingestion.spool import Row, Spool
from gong_assets.warehouse.connection import Warehouse, transaction
from gong_assets.warehouse.deletions import DeletionPolicy
from gong_assets.warehouse.errors import DeletionGuardError, WarehouseQueryFailed, WarehouseUnreachable
from gong_assets.warehouse.landing import replace
from gong_assets.warehouse.landing_counts import DayCounts, Landed
from gong_assets.warehouse.pending_changes import claim_changes, pending_changes, settle_changes
from gong_assets.warehouse.queries import arrow_tables, call_dates
from gong_assets.warehouse.tables import CALLS, TRANSCRIPTS, RawTable, id_column, json_column
from gong_assets_tests.statements import recorded_statements

MONDAY, TUESDAY, WEDNESDAY, THURSDAY = (date(2026, 3, day) for day in (2, 3, 4, 5))
TWO_DAYS = DateRange(MONDAY, WEDNESDAY)
USERS = RawTable("GONG_USERS_RAW", "Users.", key=id_column("USER_ID", "Id."), payload=json_column("User."))


def row(key: str, day: date | None, error: str | None = None, **content: Any) -> Row:
    payload = json.dumps({"id": key, **content}, ensure_ascii=False).encode()
    return Row(key, payload, day, hashlib.sha256(payload).hexdigest(), error)


def land(
    warehouse: Warehouse,
    rows: list[Row],
    days: DateRange | list[DateRange] | None = TWO_DAYS,
    table: RawTable = CALLS,
    run: str = "run-1",
    **options: Any,
) -> Landed:
    spool = Spool()
    try:
        for each in rows:
            spool.append(each)
        spool.close()
        with warehouse.connect() as connection:
            ranges = [days] if isinstance(days, DateRange) else days
            return replace(connection, table, spool, ranges=ranges, correlation_id=run, **options)
    finally:
        spool.discard()


def stored(warehouse: Warehouse) -> list[dict[str, Any]]:
    return warehouse.query("SELECT * FROM GONG_CALLS_RAW ORDER BY CALL_ID")


def test_texts_and_ids_land_exactly(warehouse: Warehouse) -> None:
    text = 'She said "no" \\ twice\n\ttab 😀 Łódź 東京 \u2028 $$ %s ; -- \'quoted\' {"a": [1]}'
    number = 123456789012345678901
    land(warehouse, [row("78901234567890123456", MONDAY, title=text, big=number)])
    found = warehouse.query(
        "SELECT CALL_ID, RAW_DATA:title::VARCHAR AS TITLE, RAW_DATA:big::VARCHAR AS BIG, "
        "RAW_DATA:id::VARCHAR AS ID, CALL_DATE, CORRELATION_ID FROM GONG_CALLS_RAW"
    )
    assert found == [
        {
            "CALL_ID": "78901234567890123456",
            "TITLE": text,
            "BIG": str(number),
            "ID": "78901234567890123456",
            "CALL_DATE": MONDAY,
            "CORRELATION_ID": "run-1",
        }
    ]


def test_only_the_days_of_the_landing_are_replaced(warehouse: Warehouse) -> None:
    land(warehouse, [row("1", MONDAY), row("2", TUESDAY)])
    landed = land(warehouse, [row("3", MONDAY)], DateRange(MONDAY, TUESDAY))
    assert landed == Landed(inserted=1, deleted=1, unchanged=0, total=2, deleted_keys=("1",))
    assert [each["CALL_ID"] for each in stored(warehouse)] == ["2", "3"]


@pytest.mark.slow
def test_landing_an_empty_day_deletes_its_rows(warehouse: Warehouse) -> None:
    land(warehouse, [row("1", MONDAY), row("2", TUESDAY)])
    assert land(warehouse, [], DateRange(TUESDAY, WEDNESDAY)) == Landed(
        inserted=0, deleted=1, unchanged=0, total=1, deleted_keys=("2",)
    )


@pytest.mark.slow
def test_the_transcript_of_a_deleted_call_is_deleted_with_it(warehouse: Warehouse) -> None:
    rows = [row("1", MONDAY), row("2", TUESDAY), row("3", TUESDAY), row("4", WEDNESDAY)]
    days = DateRange(MONDAY, THURSDAY)
    for table in (CALLS, TRANSCRIPTS):
        land(warehouse, rows, days, table)
    settle(warehouse)

    def transcripts() -> list[str]:
        found = warehouse.query("SELECT CALL_ID FROM GONG_CALL_TRANSCRIPTS_RAW ORDER BY CALL_ID")
        return [each["CALL_ID"] for each in found]

    with pytest.raises(DeletionGuardError):
        land(warehouse, [], days, deletions=DeletionPolicy(0.5))
    assert transcripts() == ["1", "2", "3", "4"]
    # A call that moves within the range keeps its transcript, which its own landing moves.
    land(warehouse, [row("1", WEDNESDAY), row("2", TUESDAY), row("4", WEDNESDAY)], days)
    assert transcripts() == ["1", "2", "4"]
    assert sorted(pending(warehouse)) == [
        (CALLS.name, MONDAY),
        (CALLS.name, TUESDAY),
        (CALLS.name, WEDNESDAY),
        (TRANSCRIPTS.name, TUESDAY),
    ]
    land(warehouse, [row("4", WEDNESDAY)], days, deletions=DeletionPolicy(with_dependents=False))
    assert transcripts() == ["1", "2", "4"]


def test_calls_land_without_a_table_of_transcripts(warehouse: Warehouse) -> None:
    land(warehouse, [row("1", MONDAY), row("2", TUESDAY)])
    warehouse.query("DROP TABLE GONG_CALL_TRANSCRIPTS_RAW")
    assert land(warehouse, [row("2", TUESDAY)]).deleted_keys == ("1",)


def test_landing_the_same_content_again_changes_no_row(warehouse: Warehouse) -> None:
    rows = [row("1", MONDAY), row("2", TUESDAY, error="no start")]
    land(warehouse, rows, run="run-1")
    before = stored(warehouse)
    assert land(warehouse, rows, run="run-2") == Landed(inserted=0, deleted=0, unchanged=2, total=2)
    assert stored(warehouse) == before


def test_only_rows_with_changed_content_get_the_new_run(warehouse: Warehouse) -> None:
    land(warehouse, [row("1", MONDAY), row("2", MONDAY, title="old")], run="run-1")
    land(warehouse, [row("1", MONDAY), row("2", MONDAY, title="new")], run="run-2")
    assert [each["CORRELATION_ID"] for each in stored(warehouse)] == ["run-1", "run-2"]


@pytest.mark.slow
def test_a_call_that_moved_is_removed_from_its_old_day(warehouse: Warehouse) -> None:
    land(warehouse, [row("1", MONDAY, started="monday")], DateRange(MONDAY, TUESDAY))
    land(warehouse, [row("1", TUESDAY, started="tuesday")], DateRange(TUESDAY, WEDNESDAY))
    assert [(each["CALL_ID"], each["CALL_DATE"]) for each in stored(warehouse)] == [("1", TUESDAY)]


@pytest.mark.slow
def test_the_guard_refuses_to_empty_days_that_have_calls(warehouse: Warehouse) -> None:
    land(warehouse, [row("1", MONDAY), row("2", TUESDAY), row("3", WEDNESDAY)], DateRange(MONDAY, THURSDAY))
    before = stored(warehouse)
    with pytest.raises(
        DeletionGuardError,
        match=r"Refusing to delete 2 of 2 rows \(100%\) from GONG_CALLS_RAW for 2026-03-02 to 2026-03-03",
    ):
        land(warehouse, [], deletions=DeletionPolicy(0.99))
    assert stored(warehouse) == before
    assert land(warehouse, [], deletions=DeletionPolicy(1.0)).deleted_keys == ("1", "2")


@pytest.mark.slow
def test_the_guard_allows_deletions_up_to_the_maximum_fraction(warehouse: Warehouse) -> None:
    rows = [row(str(number), MONDAY) for number in range(10)]
    land(warehouse, rows)
    with pytest.raises(DeletionGuardError, match=r"Refusing to delete 4 of 10 rows \(40%\) .* allows 30%"):
        land(warehouse, rows[4:], deletions=DeletionPolicy(0.3))
    assert len(stored(warehouse)) == 10
    assert land(warehouse, rows[3:], deletions=DeletionPolicy(0.3)).deleted_keys == ("0", "1", "2")


def test_expected_deletions_need_no_confirmation(warehouse: Warehouse) -> None:
    land(warehouse, [row("1", MONDAY), row("2", MONDAY)])
    landed = land(warehouse, [], deletions=DeletionPolicy(0.0, lambda key: True))
    assert landed.deleted_keys == ("1", "2")
    assert stored(warehouse) == []


def test_a_call_that_moved_is_not_a_deletion(warehouse: Warehouse) -> None:
    land(warehouse, [row("1", MONDAY)], DateRange(MONDAY, TUESDAY))
    moved = land(warehouse, [row("1", TUESDAY)], DateRange(TUESDAY, WEDNESDAY), deletions=DeletionPolicy(0.0))
    assert moved.deleted_keys == ()


def test_rows_outside_the_ranges_do_not_land(warehouse: Warehouse) -> None:
    land(warehouse, [row("1", MONDAY), row("2", TUESDAY, title="old"), row("3", TUESDAY)])
    landed = land(
        warehouse,
        [row("4", MONDAY), row("2", TUESDAY, title="new")],
        DateRange(MONDAY, TUESDAY),
        has_rows_outside_ranges=True,
    )
    assert (landed.inserted, landed.deleted_keys) == (1, ("1",))
    titles = warehouse.query(
        "SELECT CALL_ID, RAW_DATA:title::VARCHAR AS TITLE FROM GONG_CALLS_RAW ORDER BY 1"
    )
    assert [(each["CALL_ID"], each["TITLE"]) for each in titles] == [("2", "old"), ("3", None), ("4", None)]


def test_landing_without_ranges_replaces_only_the_given_records(warehouse: Warehouse) -> None:
    land(warehouse, [row("1", MONDAY, title="old"), row("2", MONDAY)])
    rows = [row("1", MONDAY, title="new"), row("3", TUESDAY)]
    landed = land(warehouse, rows, days=[], deletions=DeletionPolicy(0.0))
    assert (landed.inserted, landed.deleted, landed.deleted_keys) == (2, 1, ())
    assert [each["CALL_ID"] for each in stored(warehouse)] == ["1", "2", "3"]


@pytest.mark.slow
def test_an_unpartitioned_table_is_replaced_completely(warehouse: Warehouse) -> None:
    land(warehouse, [row("u1", None), row("u2", None)], None, USERS)
    landed = land(warehouse, [row("u2", None), row("u3", None)], None, USERS)
    assert landed == Landed(inserted=1, deleted=1, unchanged=1, total=2, deleted_keys=("u1",))


def test_several_files_land_together(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gong_assets.ingestion.spool.FILE_BYTES", 1_000)
    rows = [row(str(number), MONDAY, text="x" * 100) for number in range(200)]
    assert land(warehouse, rows).inserted == 200


def pending(warehouse: Warehouse) -> list[tuple[str, date | None]]:
    with warehouse.connect() as connection:
        return [(change.table, change.day) for change in pending_changes(connection)]


@pytest.mark.slow
def test_a_landing_records_the_days_whose_rows_it_changed(warehouse: Warehouse) -> None:
    calls = CALLS.name
    land(warehouse, [row("1", MONDAY), row("2", TUESDAY), row("3", TUESDAY)])
    assert pending(warehouse) == [(calls, MONDAY), (calls, TUESDAY)]
    settle(warehouse)

    land(warehouse, [row("1", MONDAY), row("2", TUESDAY, title="edited"), row("3", TUESDAY)])
    assert pending(warehouse) == [(calls, TUESDAY)]
    settle(warehouse)

    land(warehouse, [row("2", TUESDAY, title="edited"), row("3", TUESDAY)], DateRange(TUESDAY, WEDNESDAY))
    land(warehouse, [row("2", TUESDAY, title="edited")], DateRange(TUESDAY, WEDNESDAY))
    assert pending(warehouse) == [(calls, TUESDAY)]
    settle(warehouse)

    # A call that moved changes its old day too, although that day was not read.
    land(warehouse, [row("1", WEDNESDAY)], DateRange(WEDNESDAY, THURSDAY))
    assert pending(warehouse) == [(calls, MONDAY), (calls, WEDNESDAY)]


def test_a_landing_counts_the_rows_of_each_day(warehouse: Warehouse) -> None:
    first = land(warehouse, [row("1", MONDAY), row("2", MONDAY), row("3", TUESDAY), row("4", TUESDAY)])
    assert first.by_day == {MONDAY: DayCounts(inserted=2), TUESDAY: DayCounts(inserted=2)}

    rows = [row("2", MONDAY), row("3", TUESDAY, title="edited"), row("4", TUESDAY)]
    second = land(warehouse, rows)
    assert second.by_day == {
        MONDAY: DayCounts(deleted=1, unchanged=1, deleted_keys=["1"]),
        TUESDAY: DayCounts(inserted=1, deleted=1, unchanged=1),
    }
    assert (second.inserted, second.deleted, second.unchanged, second.total) == (1, 2, 2, 3)
    assert land(warehouse, rows).by_day == {
        MONDAY: DayCounts(unchanged=1),
        TUESDAY: DayCounts(unchanged=2),
    }

    # A call that moved is deleted from its old day, although that day was not read.
    moved = land(warehouse, [row("2", WEDNESDAY)], DateRange(WEDNESDAY, THURSDAY))
    assert moved.by_day == {MONDAY: DayCounts(deleted=1), WEDNESDAY: DayCounts(inserted=1)}
    assert moved.total == warehouse.query(f"SELECT COUNT(*) AS N FROM {CALLS.name}")[0]["N"]


@pytest.mark.slow
def test_changes_that_land_after_the_claim_stay_pending(warehouse: Warehouse) -> None:
    land(warehouse, [row("1", MONDAY), row("2", TUESDAY)])
    land(warehouse, [row("u", None)], None, USERS)
    with warehouse.connect() as connection:
        monday = [DateRange.single(MONDAY)]
        claimed = claim_changes(
            connection, "run-2", tables=[USERS.name], daily_tables=[CALLS.name], ranges=monday
        )
    assert claimed == 2
    land(warehouse, [row("1", MONDAY, title="edited"), row("2", TUESDAY)])
    with warehouse.connect() as connection:
        settle_changes(connection, ["run-2"])
    assert pending(warehouse) == [(CALLS.name, MONDAY), (CALLS.name, TUESDAY)]


def settle(warehouse: Warehouse) -> None:
    with warehouse.connect() as connection:
        claim_changes(connection, "settled", tables=[CALLS.name, TRANSCRIPTS.name, USERS.name])
        settle_changes(connection, ["settled"])


@pytest.mark.parametrize(("table", "days"), [(CALLS, TWO_DAYS), (USERS, None)])
def test_a_landing_that_changes_nothing_sends_two_statements(
    warehouse: Warehouse, table: RawTable, days: DateRange | None
) -> None:
    rows = [row(str(number), MONDAY if days else None) for number in range(3)]
    land(warehouse, rows, days, table)
    settle(warehouse)
    before = landed_at(warehouse, table)
    with recorded_statements() as sent:
        landed = land(warehouse, rows, days, table)
    assert landed == Landed(inserted=0, deleted=0, unchanged=3, total=3)
    assert [statement.split()[0] for statement in sent.statements] == ["SELECT", "UPDATE"]
    assert landed_at(warehouse, table) > before
    assert pending(warehouse) == []


def landed_at(warehouse: Warehouse, table: RawTable) -> datetime:
    found = warehouse.query(f"SELECT LANDED_AT FROM GONG_RAW_LANDINGS WHERE TABLE_NAME = '{table.name}'")
    return found[0]["LANDED_AT"]


def test_json_that_the_warehouse_does_not_parse_lands_with_an_error(warehouse: Warehouse) -> None:
    odd = Row("odd", b'{"id": "odd"', MONDAY, "1" * 64, None)
    land(warehouse, [row("1", MONDAY), odd])
    assert [(each["CALL_ID"], each["PROCESSING_ERROR"]) for each in stored(warehouse)] == [
        ("1", None),
        ("odd", "Snowflake cannot parse this JSON"),
    ]
    settle(warehouse)
    assert land(warehouse, [row("1", MONDAY), odd]).unchanged == 2
    assert land(warehouse, [row("1", MONDAY), odd, row("2", MONDAY)]).inserted == 1
    assert pending(warehouse) == [(CALLS.name, MONDAY)]


def test_a_failure_in_the_transaction_keeps_the_old_rows(warehouse: Warehouse) -> None:
    land(warehouse, [row("1", MONDAY)])

    def delete_and_fail() -> None:
        with warehouse.connect() as connection, connection.cursor() as cursor, transaction(connection):
            cursor.execute("DELETE FROM GONG_CALLS_RAW")
            raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError):
        delete_and_fail()
    assert [each["CALL_ID"] for each in stored(warehouse)] == ["1"]


@pytest.mark.slow
def test_a_process_killed_between_delete_and_commit_keeps_the_old_rows(warehouse: Warehouse) -> None:
    land(warehouse, [row(str(number), MONDAY) for number in range(50)])
    before = stored(warehouse)
    script = f"""
import sys
from datetime import UTC, date, datetime
import gong_assets.warehouse.landing as landing
from gong_assets.warehouse.connection import Warehouse
from gong_assets.ingestion.spool import Row, Spool
from gong_assets.warehouse.tables import CALLS

class PausingCursor:
    def __init__(self, cursor): self.cursor = cursor
    def __getattr__(self, name): return getattr(self.cursor, name)
    def execute(self, sql, *args):
        self.cursor.execute(sql, *args)
        if sql.startswith("DELETE"):
            print("deleted", self.cursor.rowcount, flush=True)
            sys.stdin.read()

replace_rows = landing._replace_rows
landing._replace_rows = lambda cursor, *args: replace_rows(PausingCursor(cursor), *args)
spool = Spool()
spool.append(Row("new", b"{{}}", date(2026, 3, 2), "hash", None))
spool.close()
with Warehouse({warehouse.arguments!r}).connect() as connection:
    days = [landing.DateRange.single(date(2026, 3, 2))]
    landing.replace(connection, CALLS, spool, ranges=days, correlation_id="r")
"""
    process = subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline().strip() == "deleted 50"
    assert stored(warehouse) == before, "a reader saw the uncommitted delete"
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert stored(warehouse) == before
    # The killed process holds no lock, so the next landing succeeds.
    assert land(warehouse, [row("next", MONDAY)], run="run-2").deleted == 50


def test_rows_are_read_as_arrow_tables(warehouse: Warehouse) -> None:
    land(warehouse, [row("1", MONDAY), row("2", TUESDAY)])
    with warehouse.connect() as connection:
        tables = list(arrow_tables(connection, CALLS, DateRange(MONDAY, TUESDAY)))
    assert [key for table in tables for key in table["CALL_ID"].to_pylist()] == ["1"]


def test_call_dates_exclude_invalid_calls(warehouse: Warehouse) -> None:
    land(warehouse, [row("1", MONDAY), row("2", TUESDAY), row("3", MONDAY, error="bad")])
    with warehouse.connect() as connection:
        assert call_dates(connection, [TWO_DAYS]) == {"1": MONDAY, "2": TUESDAY}


def test_a_failed_statement_is_reported_with_its_error_code(warehouse: Warehouse) -> None:
    with pytest.raises(WarehouseQueryFailed) as raised:
        warehouse.query("SELECT * FROM NO_SUCH_TABLE")
    assert "NO_SUCH_TABLE" in str(raised.value)
    assert raised.value.errno == 2003


def test_an_unreachable_host_is_reported_by_name() -> None:
    arguments = {
        "account": "a",
        "user": "u",
        "password": "p",
        "host": "127.0.0.1",
        "port": 9,
        "protocol": "http",
    }
    warehouse = Warehouse({**arguments, "database": "D", "schema": "S", "login_timeout": 2})
    with pytest.raises(WarehouseUnreachable, match=r"127\.0\.0\.1:9 does not answer"):
        warehouse.query("SELECT 1")
