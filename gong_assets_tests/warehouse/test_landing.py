"""Landing, through the real connector: whole days or nothing, exact content, and nothing rewritten that is the same."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
from datetime import date
from typing import Any

import pytest

from gong_assets.warehouse.connection import Warehouse, transaction
from gong_assets.warehouse.errors import WarehouseQueryFailed, WarehouseUnreachable
from gong_assets.warehouse.landing import Days, Landed, replace
from gong_assets.warehouse.queries import arrow_tables, call_dates, days_without_transcripts
from gong_assets.warehouse.spool import Row, Spool
from gong_assets.warehouse.tables import CALLS, TRANSCRIPTS, USERS, RawTable

MONDAY, TUESDAY, WEDNESDAY = date(2026, 3, 2), date(2026, 3, 3), date(2026, 3, 4)
TWO_DAYS = Days(MONDAY, WEDNESDAY)


def row(key: str, day: date | None, error: str | None = None, **content: Any) -> Row:
    payload = json.dumps({"id": key, **content}, ensure_ascii=False)
    return Row(key, payload, day, hashlib.sha256(payload.encode()).hexdigest(), error)


def land(
    warehouse: Warehouse,
    rows: list[Row],
    days: Days | None = TWO_DAYS,
    table: RawTable = CALLS,
    run: str = "run-1",
) -> Landed:
    spool = Spool()
    try:
        for each in rows:
            spool.append(each)
        spool.close()
        with warehouse.connect() as connection:
            return replace(connection, table, spool, days=days, correlation_id=run)
    finally:
        spool.discard()


def stored(warehouse: Warehouse) -> list[dict[str, Any]]:
    return warehouse.query("SELECT * FROM GONG_CALLS_RAW ORDER BY CALL_ID")


def test_rows_land_with_exact_text_and_ids(warehouse: Warehouse) -> None:
    text = 'She said "no" \\ twice\n\ttab 😀 Łódź 東京 \u2028 $$ %s ; -- \'quoted\' {"a": [1]}'
    number = 123456789012345678901
    land(warehouse, [row("78901234567890123456", MONDAY, title=text, big=number)])
    found = warehouse.query(
        "SELECT CALL_ID, RAW_DATA:title::VARCHAR AS TITLE, RAW_DATA:big::VARCHAR AS BIG, RAW_DATA:id::VARCHAR AS ID, "
        "CALL_DATE, CORRELATION_ID FROM GONG_CALLS_RAW"
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


def test_only_the_days_of_the_write_are_replaced(warehouse: Warehouse) -> None:
    land(warehouse, [row("1", MONDAY), row("2", TUESDAY)])
    landed = land(warehouse, [row("3", MONDAY)], Days(MONDAY, TUESDAY))
    assert landed == Landed(inserted=1, deleted=1, unchanged=0, total=2)
    assert [each["CALL_ID"] for each in stored(warehouse)] == ["2", "3"]


def test_a_day_that_is_now_empty_is_emptied(warehouse: Warehouse) -> None:
    land(warehouse, [row("1", MONDAY), row("2", TUESDAY)])
    assert land(warehouse, [], Days(TUESDAY, WEDNESDAY)) == Landed(
        inserted=0, deleted=1, unchanged=0, total=1
    )


def test_a_second_write_of_the_same_content_changes_no_row(warehouse: Warehouse) -> None:
    rows = [row("1", MONDAY), row("2", TUESDAY, error="no start")]
    land(warehouse, rows, run="run-1")
    before = stored(warehouse)
    assert land(warehouse, rows, run="run-2") == Landed(inserted=0, deleted=0, unchanged=2, total=2)
    assert stored(warehouse) == before


def test_changed_content_replaces_the_row_and_the_rest_keeps_its_run(warehouse: Warehouse) -> None:
    land(warehouse, [row("1", MONDAY), row("2", MONDAY, title="old")], run="run-1")
    land(warehouse, [row("1", MONDAY), row("2", MONDAY, title="new")], run="run-2")
    assert [each["CORRELATION_ID"] for each in stored(warehouse)] == ["run-1", "run-2"]


def test_a_call_that_moved_to_another_day_leaves_the_old_one(warehouse: Warehouse) -> None:
    land(warehouse, [row("1", MONDAY, started="monday")], Days(MONDAY, TUESDAY))
    land(warehouse, [row("1", TUESDAY, started="tuesday")], Days(TUESDAY, WEDNESDAY))
    assert [(each["CALL_ID"], each["CALL_DATE"]) for each in stored(warehouse)] == [("1", TUESDAY)]


def test_a_table_without_partitions_is_replaced_whole(warehouse: Warehouse) -> None:
    land(warehouse, [row("u1", None), row("u2", None)], None, USERS)
    landed = land(warehouse, [row("u2", None), row("u3", None)], None, USERS)
    assert landed == Landed(inserted=1, deleted=1, unchanged=1, total=2)


def test_many_files_land_in_one_write(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gong_assets.warehouse.spool.FILE_BYTES", 1_000)
    rows = [row(str(number), MONDAY, text="x" * 100) for number in range(200)]
    assert land(warehouse, rows).inserted == 200


def test_a_write_that_fails_in_the_transaction_leaves_the_old_rows(warehouse: Warehouse) -> None:
    land(warehouse, [row("1", MONDAY)])

    def delete_and_fail() -> None:
        with warehouse.connect() as connection, connection.cursor() as cursor, transaction(connection):
            cursor.execute("DELETE FROM GONG_CALLS_RAW")
            raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError):
        delete_and_fail()
    assert [each["CALL_ID"] for each in stored(warehouse)] == ["1"]


def test_a_process_killed_between_delete_and_commit_leaves_the_old_rows_whole(warehouse: Warehouse) -> None:
    land(warehouse, [row(str(number), MONDAY) for number in range(50)])
    before = stored(warehouse)
    script = f"""
import sys
from datetime import date
import gong_assets.warehouse.landing as landing
from gong_assets.warehouse.connection import Warehouse
from gong_assets.warehouse.spool import Row, Spool
from gong_assets.warehouse.tables import CALLS

class Stopping:
    def __init__(self, cursor): self.cursor = cursor
    def __getattr__(self, name): return getattr(self.cursor, name)
    def execute(self, sql, *args):
        self.cursor.execute(sql, *args)
        if sql.startswith("DELETE"):
            print("deleted", self.cursor.rowcount, flush=True)
            sys.stdin.read()

replace_rows = landing._replace_rows
landing._replace_rows = lambda cursor, *args: replace_rows(Stopping(cursor), *args)
spool = Spool()
spool.append(Row("new", "{{}}", date(2026, 3, 2), "hash", None))
spool.close()
with Warehouse({warehouse.arguments!r}).connect() as connection:
    landing.replace(connection, CALLS, spool, days=landing.Days(date(2026, 3, 2), date(2026, 3, 3)), correlation_id="r")
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
    # The dead writer holds no lock: the next write goes through.
    assert land(warehouse, [row("next", MONDAY)], run="run-2").deleted == 50


def test_the_table_reads_back_as_arrow(warehouse: Warehouse) -> None:
    land(warehouse, [row("1", MONDAY), row("2", TUESDAY)])
    with warehouse.connect() as connection:
        tables = list(arrow_tables(connection, CALLS, Days(MONDAY, TUESDAY)))
    assert [key for table in tables for key in table["CALL_ID"].to_pylist()] == ["1"]


def test_calls_are_listed_without_those_that_do_not_validate(warehouse: Warehouse) -> None:
    land(warehouse, [row("1", MONDAY), row("2", TUESDAY), row("3", MONDAY, error="bad")])
    with warehouse.connect() as connection:
        assert call_dates(connection, TWO_DAYS) == {"1": MONDAY, "2": TUESDAY}


def test_days_that_lack_transcripts_are_counted(warehouse: Warehouse) -> None:
    land(warehouse, [row("1", MONDAY), row("2", TUESDAY), row("3", TUESDAY)])
    land(warehouse, [row("1", MONDAY)], table=TRANSCRIPTS)
    with warehouse.connect() as connection:
        assert days_without_transcripts(connection, MONDAY) == {TUESDAY: 2}


def test_a_refused_statement_is_told_with_its_code(warehouse: Warehouse) -> None:
    with pytest.raises(WarehouseQueryFailed) as raised:
        warehouse.query("SELECT * FROM NO_SUCH_TABLE")
    assert "NO_SUCH_TABLE" in str(raised.value)
    assert raised.value.errno == 2003


def test_an_unreachable_host_is_named() -> None:
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
