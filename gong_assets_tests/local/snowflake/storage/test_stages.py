"""Stages, PUT and COPY INTO, as used to land raw data."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from snowflake.connector import SnowflakeConnection
from snowflake.connector.errors import ProgrammingError

Query = Callable[..., list[Any]]

DOCUMENTS: list[dict[str, Any]] = [
    {"id": "12345678901234567890", "number": 12345678901234567890, "beyond": 9007199254740993},
    {"text": "😀 \"quoted\" 'single' back\\slash\nnew line\ttab $1 $name %s ñ 日本語"},
    {"text": "x" * 3_000_000},
    {"nested": [{"a": [1, 2.5, None, True]}], "empty": {}},
    {},
]

COPY = (
    "copy into landed (id, doc) from (select $1:ID::varchar, parse_json($1:DOC::varchar)"
    " from @landing/{path})"
    " file_format = (type = parquet)"
)


@pytest.fixture
def landing(query: Query) -> None:
    query("create stage landing")
    query("create table landed (id varchar, doc variant)")


def parquet(path: Path, documents: list[dict[str, Any]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    ids = [str(position) for position in range(len(documents))]
    pq.write_table(pa.table({"ID": ids, "DOC": [json.dumps(d, ensure_ascii=False) for d in documents]}), path)
    return path


@pytest.mark.usefixtures("landing")
def test_json_in_parquet_is_loaded_unchanged(query: Query, tmp_path: Path) -> None:
    file = parquet(tmp_path / "a day's calls" / "part 0.parquet", DOCUMENTS)

    (put,) = query(f"put 'file://{_escaped(file)}' @landing/run-1/ auto_compress = false")
    (loaded,) = query(COPY.format(path="run-1/"))

    assert put[6] == "UPLOADED"
    assert loaded[:4] == ("landing/run-1/part 0.parquet", "LOADED", 5, 5)
    landed = query(
        "select doc, doc:number::varchar, doc:beyond::varchar, doc:text::varchar from landed order by id"
    )
    assert [json.loads(row[0]) for row in landed] == DOCUMENTS
    assert landed[0][1:3] == ("12345678901234567890", "9007199254740993")
    assert [row[3] for row in landed[1:3]] == [DOCUMENTS[1]["text"], DOCUMENTS[2]["text"]]


@pytest.mark.usefixtures("landing")
def test_a_file_is_loaded_once(query: Query, tmp_path: Path) -> None:
    query(f"put 'file://{parquet(tmp_path / 'f.parquet', DOCUMENTS)}' @landing/run-1/ auto_compress = false")
    query(COPY.format(path="run-1/"))

    (again,) = query(COPY.format(path="run-1/"))

    assert again[1] == "LOAD_SKIPPED"
    assert query("select count(*) from landed") == [(5,)]


@pytest.mark.usefixtures("landing")
def test_a_load_can_be_repeated_after_a_rollback(query: Query, tmp_path: Path) -> None:
    query(f"put 'file://{parquet(tmp_path / 'f.parquet', DOCUMENTS)}' @landing/run-1/ auto_compress = false")
    query("begin")
    query(COPY.format(path="run-1/"))
    query("rollback")

    (again,) = query(COPY.format(path="run-1/"))

    assert again[1] == "LOADED"


@pytest.mark.usefixtures("landing")
def test_an_invalid_document_fails_the_load_without_adding_rows(query: Query, tmp_path: Path) -> None:
    file = tmp_path / "bad.parquet"
    pq.write_table(pa.table({"ID": ["1", "2"], "DOC": ["{}", "{not json"]}), file)
    query(f"put 'file://{file}' @landing/bad/ auto_compress = false")

    with pytest.raises(ProgrammingError, match="100069"):
        query(COPY.format(path="bad/"))

    assert query("select count(*) from landed") == [(0,)]


@pytest.mark.usefixtures("landing")
def test_remove_deletes_files_below_a_path_only(query: Query, tmp_path: Path) -> None:
    for run in ("run-1", "run-2"):
        query(
            f"put 'file://{parquet(tmp_path / 'f.parquet', DOCUMENTS)}' @landing/{run}/ auto_compress = false"
        )

    assert query("remove @landing/run-1/") == [("landing/run-1/f.parquet", "removed")]
    assert [row[0] for row in query("list @landing")] == ["landing/run-2/f.parquet"]
    assert query("rm @landing/run-1/") == []


@pytest.mark.usefixtures("landing")
def test_full_names_work_from_any_schema(query: Query, schema: str, tmp_path: Path) -> None:
    query("create schema if not exists somewhere_else")
    file = parquet(tmp_path / "f.parquet", DOCUMENTS)

    query(f"put 'file://{file}' @tests.{schema}.landing/x/ auto_compress = false")
    query(
        f"copy into tests.{schema}.landed (id, doc) from (select $1:ID::varchar, parse_json($1:DOC::varchar)"
        f" from @tests.{schema}.landing/x/) file_format = (type = parquet)"
    )

    assert query(f"select count(*) from tests.{schema}.landed") == [(5,)]


@pytest.mark.usefixtures("landing")
def test_one_copy_loads_twenty_thousand_documents(query: Query, tmp_path: Path) -> None:
    documents = [{"id": str(position), "words": "hello world " * 20} for position in range(20_000)]
    query(f"put 'file://{parquet(tmp_path / 'f.parquet', documents)}' @landing/many/ auto_compress = false")

    (loaded,) = query(COPY.format(path="many/"))

    assert loaded[2:4] == (20_000, 20_000)
    assert query("select count(distinct doc:id::varchar) from landed") == [(20_000,)]


def test_a_dropped_stage_does_not_exist(query: Query) -> None:
    query("create stage short_lived")
    query("drop stage short_lived")
    query("drop stage if exists short_lived")

    with pytest.raises(ProgrammingError, match=r"Stage '\S+SHORT_LIVED' does not exist"):
        query("list @short_lived")
    with pytest.raises(ProgrammingError, match=r"Stage '\S+SHORT_LIVED' does not exist"):
        query("drop stage short_lived")


@pytest.mark.usefixtures("landing")
def test_a_stage_path_cannot_leave_the_stage(query: Query, tmp_path: Path) -> None:
    file = parquet(tmp_path / "f.parquet", DOCUMENTS)

    with pytest.raises(ProgrammingError, match="253003"):
        query(f"put 'file://{file}' @landing/../../escaped/ auto_compress = false")


def _escaped(path: Path) -> str:
    return str(path).replace("'", "\\'")


def test_temporary_stages_and_tables_of_one_name_belong_to_their_sessions(
    connect: Callable[..., SnowflakeConnection], tmp_path: Path
) -> None:
    first, second = connect().cursor(), connect().cursor()
    sessions = ((first, DOCUMENTS[:1]), (second, DOCUMENTS[:3]))
    for cursor, documents in sessions:
        file = parquet(tmp_path / str(len(documents)) / "f.parquet", documents)
        cursor.execute("create or replace temporary stage load_stage")
        cursor.execute("create or replace temporary table load (id varchar)")
        cursor.execute(f"put 'file://{file}' @load_stage auto_compress = false")

    for cursor, documents in sessions:
        cursor.execute(
            "copy into load from (select $1:ID::varchar from @load_stage) file_format = (type = parquet)"
        )
        assert cursor.fetchall()[0][:3] == ("load_stage/f.parquet", "LOADED", len(documents))
        assert cursor.execute("select count(*) from load").fetchall() == [(len(documents),)]


def test_a_temporary_stage_hides_a_permanent_one_from_its_session_only(
    connect: Callable[..., SnowflakeConnection], tmp_path: Path
) -> None:
    owner, other = connect().cursor(), connect().cursor()
    file = parquet(tmp_path / "f.parquet", DOCUMENTS)
    owner.execute("create temporary stage files")

    assert [row[1] for row in owner.execute("show stages").fetchall()] == ["FILES"]
    assert other.execute("show stages").fetchall() == []
    with pytest.raises(ProgrammingError, match=r"Stage '\S+\.FILES' does not exist"):
        other.execute("list @files")

    other.execute("create stage files")
    owner.execute(f"put 'file://{file}' @files/a/ auto_compress = false")

    assert other.execute("list @files").fetchall() == []
    assert owner.execute("remove @files/a/").fetchall() == [("files/a/f.parquet", "removed")]
    owner.execute("drop stage files")
    assert owner.execute("list @files").fetchall() == []
    assert [row[1] for row in owner.execute("show stages").fetchall()] == ["FILES"]
