"""Transactions and concurrent writers, as on Snowflake."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from snowflake.connector import SnowflakeConnection
from snowflake.connector.errors import IntegrityError, ProgrammingError

Connect = Callable[..., SnowflakeConnection]


def test_readers_see_committed_rows_and_never_wait(connect: Connect) -> None:
    writer, reader = connect().cursor(), connect().cursor()
    writer.execute("create table days as select 1 as n")
    writer.execute("begin")
    writer.execute("delete from days")
    writer.execute("insert into days select 2")

    assert reader.execute("select n from days").fetchall() == [(1,)]
    writer.execute("commit")
    assert reader.execute("select n from days").fetchall() == [(2,)]


def test_a_second_writer_waits_for_the_transaction_of_the_first(connect: Connect) -> None:
    first, second = connect().cursor(), connect().cursor()
    first.execute("create table counter as select 0 as n")
    first.execute("begin")
    first.execute("update counter set n = n + 1")

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(second.execute, "update counter set n = n + 1")
        # The server still serves readers while the second writer waits.
        assert connect().cursor().execute("select n from counter").fetchone() == (0,)
        assert not waiting.done()
        first.execute("commit")
        waiting.result(timeout=30)

    assert first.execute("select n from counter").fetchone() == (2,)


def test_concurrent_writers_lose_no_update(connect: Connect) -> None:
    connect().cursor().execute("create table counter as select 0 as n")
    cursors = [connect().cursor() for _ in range(4)]

    def count(position: int) -> None:
        for _ in range(5):
            cursors[position].execute("begin")
            cursors[position].execute("update counter set n = n + 1")
            cursors[position].execute("commit")

    threads = [threading.Thread(target=count, args=[position]) for position in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert connect().cursor().execute("select n from counter").fetchone() == (20,)


def test_a_writer_that_times_out_gets_an_error_that_names_the_lock_holder(connect: Connect) -> None:
    first, second = connect(user="holder").cursor(), connect().cursor()
    first.execute("create table busy (n int)")
    first.execute("begin")
    first.execute("insert into busy select 1")
    second.execute("alter session set lock_timeout = 1")

    with pytest.raises(ProgrammingError, match=r"000625 .*after waiting 1 seconds.*user HOLDER"):
        second.execute("insert into busy select 2")


def test_a_transaction_reads_committed_data_until_its_first_write(connect: Connect) -> None:
    one, other = connect().cursor(), connect().cursor()
    one.execute("create table t as select 1 as n")
    one.execute("begin")
    assert one.execute("select count(*) from t").fetchone() == (1,)
    other.execute("insert into t select 2")

    assert one.execute("select count(*) from t").fetchone() == (2,)
    one.execute("delete from t")
    one.execute("commit")

    assert other.execute("select count(*) from t").fetchone() == (0,)


def test_ddl_commits_the_open_transaction(connect: Connect) -> None:
    one, other = connect().cursor(), connect().cursor()
    one.execute("create table t (n int)")
    one.execute("begin")
    one.execute("insert into t select 1")
    one.execute("create or replace temporary stage unrelated")

    assert other.execute("select count(*) from t").fetchone() == (1,)
    one.execute("rollback")
    assert other.execute("select count(*) from t").fetchone() == (1,)


def test_without_autocommit_the_first_change_opens_a_transaction(connect: Connect) -> None:
    manual, reader = connect(autocommit=False), connect().cursor()
    manual.cursor().execute("create table t (n int)")
    manual.cursor().execute("insert into t select 1")
    assert reader.execute("select count(*) from t").fetchone() == (0,)
    manual.commit()
    manual.cursor().execute("insert into t select 2")
    manual.rollback()

    assert reader.execute("select n from t").fetchall() == [(1,)]


def test_commit_and_rollback_outside_a_transaction_do_nothing(connect: Connect) -> None:
    cursor = connect().cursor()

    cursor.execute("commit")
    cursor.execute("rollback")


def test_a_failed_merge_changes_nothing(connect: Connect) -> None:
    cursor = connect().cursor()
    cursor.execute("create table t (id int, n int not null)")
    cursor.execute("insert into t values (1, 1)")
    cursor.execute("create table s as select 1 as id, 5 as n union all select 2, null")

    with pytest.raises(IntegrityError, match="100072"):
        cursor.execute(
            "merge into t using s on t.id = s.id when matched then update set n = s.n"
            " when not matched then insert (id, n) values (s.id, s.n)"
        )

    assert cursor.execute("select id, n from t").fetchall() == [(1, 1)]


def test_a_commit_after_a_failed_change_is_an_error(connect: Connect) -> None:
    cursor, reader = connect().cursor(), connect().cursor()
    cursor.execute("create table t (n int not null)")
    cursor.execute("begin")
    cursor.execute("insert into t select 1")
    with pytest.raises(IntegrityError, match="100072"):
        cursor.execute("insert into t select null")

    aborted = "transaction was aborted .* The error of the statement: NULL result in a non-nullable column"
    with pytest.raises(ProgrammingError, match=aborted):
        cursor.execute("insert into t select 2")
    with pytest.raises(ProgrammingError, match=aborted):
        cursor.execute("commit")

    assert reader.execute("select count(*) from t").fetchone() == (0,)
    cursor.execute("insert into t select 3")
    assert reader.execute("select n from t").fetchall() == [(3,)]


@pytest.mark.slow
def test_a_waiting_writer_can_be_cancelled(connect: Connect) -> None:
    first, second = connect().cursor(), connect().cursor()
    first.execute("create table busy (n int)")
    first.execute("begin")
    first.execute("insert into busy select 1")

    with pytest.raises(ProgrammingError, match="000604"):
        second.execute("insert into busy select 2", timeout=2)
