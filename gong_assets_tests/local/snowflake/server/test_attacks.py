"""What a program of another user, a web page or a stolen session could try, over real HTTP."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import urllib.request
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
import snowflake.connector
from snowflake.connector import SnowflakeConnection
from snowflake.connector.cursor import SnowflakeCursor
from snowflake.connector.errors import ProgrammingError

from gong_assets.local.snowflake.errors import to_snowflake_error
from gong_assets_tests.local.snowflake.conftest import PASSWORD, ServerProcess
from gong_assets_tests.local.snowflake.server.test_http_server import start as failed_start

Connect = Callable[..., SnowflakeConnection]


def log_in(server: ServerProcess, *, headers: dict[str, str] | None = None, **parameters: str) -> Any:
    """Send a login request; returns the status and the body."""
    query = "&".join(f"{name}={value}" for name, value in parameters.items())
    connection = HTTPConnection("127.0.0.1", server.port)
    body = json.dumps({"data": {"LOGIN_NAME": "x", "PASSWORD": PASSWORD}})
    connection.request("POST", f"/session/v1/login-request?{query}", body, headers or {})
    response = connection.getresponse()
    return response.status, response.read().decode()


@pytest.mark.parametrize("password", ["", "wrong", "local"])
def test_another_password_is_refused(server: ServerProcess, password: str) -> None:
    with pytest.raises(snowflake.connector.errors.Error, match="Incorrect username or password") as caught:
        server.connect(password=password or " ")
    assert caught.value.errno == 390100


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "rebinding.example"},
        {"Host": "127.0.0.1.example:80"},
        {"Origin": "http://evil.example"},
        {"Origin": "http://localhost:3000"},
        {"Origin": "null"},
    ],
)
def test_web_pages_are_refused(server: ServerProcess, headers: dict[str, str]) -> None:
    assert log_in(server)[0] == 200
    assert log_in(server, headers=headers)[0] == 403


@pytest.mark.parametrize(
    "sql",
    [
        "select * from read_text('/etc/passwd')",
        "select * from table(read_text('/proc/self/environ'))",
        "select s.* from (select 1) t, lateral read_blob('/etc/passwd') s",
        "select * from '/etc/passwd'",
        'select * from "/etc/passwd"',
        "select * from read_csv('/etc/passwd')",
        "select * from read_parquet('/etc/passwd')",
        "select * from glob('/etc/*')",
        "select * from query('select 1')",
        "select * from duckdb_settings()",
        "select * from identifier('duckdb_settings()')",
        "select * from identifier('query(''select 1'')')",
        "select * from table('query(''select 1'')')",
        "select identifier('current_setting(''temp_directory'')')",
        "select * from identifier('''{outside}.csv''')",
        "show t",
        "show all tables",
        "show 'x'",
        "select getenv('HOME')",
        "select current_setting('temp_directory')",
        "copy t to '{outside}'",
        "copy into '{outside}' from t",
        "copy into @stage from t",
        "copy into t from '/etc/passwd'",
        "copy into t from 'file:///etc/passwd'",
        "create stage outside url = 'file:///etc/'",
        "attach '{outside}'",
        "attach '{outside}' as x",
        "detach memory",
        "export database '{outside}'",
        "import database '{outside}'",
        "pragma log_query_path = '{outside}'",
        "pragma database_list",
        "set global log_query_path = '{outside}'",
        "call enable_logging(storage = 'file', storage_path = '{outside}')",
        "install httpfs",
        "load httpfs",
        "create macro f(a) as a",
        "create secret (type http)",
        "create table memory.main.t2 as select * from read_text('/etc/passwd')",
        "select 1; copy t to '{outside}'",
        "select 1; select 2",
        "begin; select 1",
        "checkpoint",
        "vacuum",
        "execute immediate 'select 1'",
        'create database "../../outside"',
        'create database "a/b"',
        'create stage "../../../../outside"',
        "create stage identifier('\"../outside\"')",
        "create database identifier('\"../outside\"')",
        "drop database identifier('\"../outside\"')",
        "put file:///etc/hostname @stage/../../../outside",
        "put file:///etc/hostname '@\"../../outside\"'",
        "list @stage/../../../..",
        "remove @stage/../../..",
        'drop stage "../../../databases"',
    ],
)  # fmt: skip
def test_statements_that_leave_the_databases_are_refused(
    server: ServerProcess, cursor: SnowflakeCursor, tmp_path: Path, sql: str
) -> None:
    outside = tmp_path / "outside"
    cursor.execute("create or replace table t as select 'x' as n")
    cursor.execute("create or replace stage stage")
    with pytest.raises(snowflake.connector.errors.Error) as caught:
        cursor.execute(sql.format(outside=outside))
    assert "root:" not in str(caught.value)
    assert "Internal error" not in str(caught.value)
    assert not outside.exists()
    assert not [path for path in server.data.rglob("outside*") if path.suffix != ".log"]
    assert cursor.execute("select n from t").fetchall() == [("x",)]


def test_duckdb_has_no_second_statement_where_snowflake_has_a_text(cursor: SnowflakeCursor) -> None:
    """Snowflake takes a backslash for an escape, and DuckDB does not."""
    cursor.execute("create or replace table t as select 'x' as n")
    with pytest.raises(ProgrammingError) as caught:
        cursor.execute(r"alter table if exists u set sorted by (a, '\'); drop table t; --')")
    assert caught.value.errno == 8
    assert cursor.execute("select n from t").fetchall() == [("x",)]


@pytest.mark.parametrize(
    ("value", "sql"),
    [
        ("query(''select 1'')", "select * from identifier($source)"),
        ("query(''select 1'')", "select * from table($source)"),
        ("{outside}", "select * from $source"),
    ],
)
def test_a_session_variable_names_no_function_and_no_file(
    server: ServerProcess, cursor: SnowflakeCursor, schema: str, value: str, sql: str
) -> None:
    """DuckDB itself reads the files of stages."""
    staged = server.data / "stages" / "TESTS" / schema / "S" / "rows.csv"
    staged.parent.mkdir(parents=True)
    staged.write_text("a\n1\n")
    cursor.execute(f"set source = '{value.format(outside=staged)}'")
    with pytest.raises(ProgrammingError) as caught:
        cursor.execute(sql)
    assert caught.value.errno in (1003, 1011)


@pytest.mark.parametrize(
    "sql",
    [
        "drop table if exists \"x' as status; drop table t; select 'y\"",
        "drop view if exists \"x' as status; drop table t; select 'y\"",
        "drop schema if exists \"x' as status; drop table t; select 'y\"",
        "create temporary table \"x' as status; drop table t; select 'y\" (n int)",
        'create temporary table x ("c\', 1); drop table t; --" varchar(10))',
        "create sequence \"x' as status; drop table t; select 'y\"",
        "create file format \"x' as status; drop table t; select 'y\" type = csv",
        'show tables in schema "x\' or 1 = 1 --"',
        'show schemas in database "x\' or 1 = 1 --"',
        'show columns in table "x\' or 1 = 1 --"',
        'describe table "x\' or 1 = 1 --"',
        'use schema "x\'; drop table t; --"',
        'list @"x\' union select n from t --"',
        "list '@\"x\\' union select n from t --\"'",
        'remove @"x\'union/**/select/**/n/**/from/**/t--"',
        'copy into t from @"x\' union select n from t --"',
    ],
)
def test_a_name_cannot_have_a_statement_in_it(cursor: SnowflakeCursor, sql: str) -> None:
    """On Snowflake a quoted name may have an apostrophe."""
    cursor.execute("create or replace table t as select 'x' as n")
    with pytest.raises(ProgrammingError) as caught:
        cursor.execute(sql)
    assert caught.value.errno == 1003
    assert "invalid identifier" in str(caught.value)
    assert cursor.execute('select n, 1 as "it\'s" from t').fetchall() == [("x", 1)]


def test_several_statements_fail_as_on_snowflake(cursor: SnowflakeCursor) -> None:
    with pytest.raises(snowflake.connector.errors.ProgrammingError) as caught:
        cursor.execute("select 1; drop table t")
    assert caught.value.errno == 8
    assert "Actual statement count 2 did not match the desired statement count 1" in str(caught.value)
    assert cursor.execute("select 'a;b' -- no; more\n;").fetchall() == [("a;b",)]


def test_duckdb_itself_opens_no_other_file_and_keeps_its_configuration(server: ServerProcess) -> None:
    """The second line of defense, for SQL that the checks of statements do not know."""
    from gong_assets.local.snowflake.storage.databases import Storage

    data = server.data.parent / "restricted"
    storage = Storage(data)
    duck = storage.connect("TESTS", "PUBLIC")._duck_conn
    for sql, reason in {
        "select * from read_text('/etc/passwd')": "Cannot access file",
        f"select * from read_text('{data}/../x')": "Cannot access file",
        f"copy (select 1) to '{data}/x.csv'": "Cannot access file",
        f"attach '{data.parent}/x.db' as x": "Cannot access file",
        "set enable_external_access = true": "Cannot (enable|change)",
        "set global memory_limit = '1MB'": "locked",
        "load httpfs": "disabled",
    }.items():
        with pytest.raises(Exception, match=reason) as caught:
            duck.execute(sql)
        if reason != "Cannot (enable|change)":
            assert to_snowflake_error(caught.value).code == 3001
    storage.close()


@pytest.mark.parametrize("name", ["../../outside", "a/b", "x'; attach 'y", 'q"uote'])
def test_a_database_or_schema_of_a_login_cannot_be_a_path(server: ServerProcess, name: str) -> None:
    for parameter in ("databaseName", "schemaName"):
        status, body = log_in(server, **{"databaseName": "TESTS", parameter: urllib.request.quote(name)})
        assert (status, json.loads(body)["success"]) == (200, False)
    assert not [path for path in server.data.parent.rglob("outside*") if path.suffix != ".log"]


def test_a_stage_that_is_a_symbolic_link_is_refused(
    server: ServerProcess, cursor: SnowflakeCursor, schema: str, tmp_path: Path
) -> None:
    (tmp_path / "secret.csv").write_text("secret")
    cursor.execute("create table t (line varchar)")
    for name, target in {"LINK": tmp_path, "INSIDE/secret.csv": tmp_path / "secret.csv"}.items():
        link = server.data / "stages" / "TESTS" / schema / name
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(target)
        stage = name.partition("/")[0]
        cursor.execute(f"create stage {stage}")
        put = f"put file://{tmp_path}/secret.csv @{stage}"
        for sql in (f"list @{stage}", f"copy into t from @{stage}", put):
            with pytest.raises(snowflake.connector.errors.Error, match="symbolic link"):
                cursor.execute(sql)
        link.unlink()


def damage(file: Path, at: float) -> None:
    content = bytearray(file.read_bytes())
    start = int(len(content) * at)
    content[start : start + 16] = os.urandom(16)
    file.write_bytes(content)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("suffix", "at", "words"),
    [
        (".db", 0.0, "The database {file} cannot be opened"),
        (".db.wal", 0.0, "The log {file} is damaged"),
        (".db.wal", 0.5, "The log {file} is damaged"),
    ],
)
def test_a_damaged_file_is_named_with_the_way_back(
    own_server: ServerProcess, suffix: str, at: float, words: str
) -> None:
    with own_server.connect() as connection:
        connection.cursor().execute("create table t as select seq4() n from table(generator(rowcount => 9))")
        connection.cursor().execute("create table u as select * from t")
        own_server.stop(signal.SIGKILL)
    file = own_server.data / "databases" / f"TESTS{suffix}"
    damage(file, at)
    before = file.read_bytes()
    failed = failed_start(own_server.data, "--port", "0")
    assert failed.returncode == 1
    assert words.format(file=file.resolve()) in failed.stderr
    assert "Nothing was changed" in failed.stderr
    assert failed.stderr.count("\n") == 1
    assert file.read_bytes() == before
    for damaged in own_server.data.glob("databases/TESTS.*") if suffix == ".db" else [file]:
        damaged.rename(damaged.with_name(f"{damaged.name}.damaged"))
    own_server.start()  # the way back


@pytest.mark.slow
def test_damage_that_a_statement_finds_is_reported_with_the_file_and_the_way_back(
    own_server: ServerProcess,
) -> None:
    rows = "select seq4() n, md5(seq4()::varchar) x from table(generator(rowcount => 50000))"
    with own_server.connect() as connection:
        connection.cursor().execute(f"create table t as {rows}")
        own_server.stop()
    file = own_server.data / "databases" / "TESTS.db"
    damage(file, 0.5)
    own_server.start()
    with own_server.connect() as connection:
        # The message names the file of the damaged block, whatever the database of the session.
        cursor = connection.cursor().execute("create database another")
        with pytest.raises(ProgrammingError, match=r"000603 \(XX001\): The database ") as caught:
            cursor.execute("select count(*), max(x) from tests.public.t")
        assert f"{file.resolve()} is damaged: Corrupt database file" in str(caught.value)
        assert "Nothing was changed. Stop the local stack" in str(caught.value)
        own_server.stop(signal.SIGKILL)
    for damaged in own_server.data.glob("databases/TESTS.*"):
        damaged.rename(damaged.with_name(f"{damaged.name}.damaged"))
    own_server.start()  # the way back


def test_a_full_disk_is_called_a_full_disk() -> None:
    import duckdb

    error = duckdb.TransactionException(
        'TransactionContext Error: Failed to commit: Could not write file "/x/a.db.wal": '
        "No space left on device"
    )
    assert "The disk of the local warehouse is full" in to_snowflake_error(error).message


IN_NAMESPACE = ("unshare", "--map-root-user", "--mount")


@pytest.fixture
def server_on_small_disk(tmp_path: Path) -> Iterator[ServerProcess]:
    """A server whose data are on a disk of 2 MB, which only the server sees."""
    if shutil.which("unshare") is None or subprocess.run([*IN_NAMESPACE, "true"], check=False).returncode:
        pytest.skip("no permission to mount a disk")
    mount = 'mount -t tmpfs -o size=2m tmpfs "$0" && exec "$@"'
    running = ServerProcess(tmp_path, [*IN_NAMESPACE, "sh", "-c", mount, str(tmp_path)])
    yield running
    running.stop()


def test_a_real_full_disk_is_reported_by_the_statement_or_the_commit(
    server_on_small_disk: ServerProcess,
) -> None:
    full = r"000603 \(53100\): The disk of the local warehouse is full\. The transaction was rolled back"
    fill = "insert into t select md5(seq4()::varchar) from table(generator(rowcount => {}))"
    with server_on_small_disk.connect() as connection:
        cursor = connection.cursor()
        cursor.execute("create table t (x varchar)")
        with pytest.raises(ProgrammingError, match=full):
            cursor.execute(fill.format(100_000))
        cursor.execute("begin")
        cursor.execute(fill.format(100_000))
        with pytest.raises(ProgrammingError, match=full):
            cursor.execute("commit")
        cursor.execute(fill.format(3))
        assert cursor.execute("select count(*) from t").fetchone() == (3,)


def test_the_server_listens_on_loopback_only(server: ServerProcess) -> None:
    addresses = {info[4][0] for info in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)}
    for address in addresses - {"127.0.0.1", "127.0.1.1"}:
        with pytest.raises(OSError, match="refused"):
            socket.create_connection((str(address), server.port), timeout=2)
