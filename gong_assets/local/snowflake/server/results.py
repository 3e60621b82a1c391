"""Conversion of a DuckDB result to the format of Snowflake's clients: row type, and rows as Arrow or JSON."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.compute as pc
from fakesnow.rowtype import describe_as_rowtype, duckdb_to_sf_type
from fakesnow.statement_type import statement_type_id
from sqlglot import exp

from gong_assets.local.snowflake.sql import vector

ColumnInfo = dict[str, Any]


@dataclass(frozen=True)
class Result:
    """The result of a statement.

    ``columns`` holds (name, DuckDB type) pairs. ``affected`` is the number of rows that a DML statement
    changed.
    """

    table: pa.Table
    columns: Sequence[tuple[str, str]]
    statement_type: int
    affected: int | None = None

    @classmethod
    def of_columns(cls, columns: Sequence[tuple[str, str]], statement: exp.Expression) -> Result:
        """Return the empty result of a statement that was only described."""
        table = pa.table({name: pa.array([], pa.string()) for name, _ in columns})
        return cls(table, columns, statement_type_id(statement))

    def with_affected(self, affected: int) -> Result:
        """Return a copy of a DML result with ``affected`` as its row count."""
        counts = pa.table({self.columns[0][0]: [affected]})
        return Result(counts, self.columns[:1], self.statement_type, affected)

    def encoded(self) -> dict[str, Any]:
        """Return the part of the query response that holds the row type and the rows."""
        row_type = [column_info(name, kind) for name, kind in self.columns]
        data: dict[str, Any] = {
            "rowtype": row_type,
            "total": self.table.num_rows,
            "returned": self.table.num_rows,
        }
        if self.affected is not None:
            # Clients expect the counts of affected rows as JSON.
            rows = zip(*(column.to_pylist() for column in self.table.columns), strict=True)
            data["rowset"] = [[None if value is None else str(value) for value in row] for row in rows]
            data["queryResultFormat"] = "json"
        else:
            data["queryResultFormat"] = "arrow"
            data["rowsetBase64"] = b64encode(_to_ipc(_wire_table(self.table, row_type))).decode()
        return data


def column_info(name: str, duckdb_type: str) -> ColumnInfo:
    """Return Snowflake's description of a result column with a DuckDB type."""
    if is_vector := vector.DUCKDB_TYPE.match(duckdb_type):
        element = "real" if is_vector.group(1) == "FLOAT" else "fixed"
        field = {"type": element, "nullable": True, "length": None, "precision": 38, "scale": 0}
        return _info(name, "JSON") | {
            "type": "vector",
            "vectorDimension": int(is_vector.group(2)),
            "fields": [field],
        }
    if duckdb_type in ("FLOAT", "REAL"):
        return _info(name, "DOUBLE")
    if duckdb_type.startswith(("TINYINT", "SMALLINT", "UTINYINT", "USMALLINT", "UINTEGER", "UHUGEINT")):
        return _info(name, "BIGINT")
    if duckdb_type.startswith("DECIMAL") or duckdb_type in duckdb_to_sf_type:
        return _info(name, duckdb_type)
    # Lists, structs and all other DuckDB types are sent as semi-structured data.
    return _info(name, "JSON")


def _info(name: str, duckdb_type: str) -> ColumnInfo:
    (info,) = describe_as_rowtype([(name, duckdb_type, None, None, None, None)])
    return dict(info)


def _wire_table(table: pa.Table, row_type: list[ColumnInfo]) -> pa.Table:
    columns = [
        _wire_column(column, info["type"]) for column, info in zip(table.columns, row_type, strict=True)
    ]
    fields = [
        pa.field(info["name"], column.type, metadata=_metadata(info))
        for column, info in zip(columns, row_type, strict=True)
    ]
    return pa.Table.from_arrays(columns, schema=pa.schema(fields))


def _metadata(info: ColumnInfo) -> dict[str, str]:
    """Return the metadata from which the connector tells apart Snowflake types that share an Arrow type."""
    return {
        "logicalType": info["type"].upper(),
        "precision": str(info["precision"] or 38),
        "scale": str(info["scale"] or 0),
        "charLength": str(info["length"] or 0),
    }


def _wire_column(column: pa.ChunkedArray, snowflake_type: str) -> pa.Array | pa.ChunkedArray:
    kind = column.type
    if snowflake_type == "variant" and not (pa.types.is_string(kind) or pa.types.is_null(kind)):
        texts = [None if value is None else _json_text(value) for value in column.to_pylist()]
        return pa.array(texts, pa.string())
    if pa.types.is_timestamp(kind):
        return _timestamps(column)
    if pa.types.is_time(kind):
        return pc.multiply(column.cast(pa.time64("us")).cast(pa.int64()), 1000)
    if pa.types.is_null(kind):
        # On Snowflake an untyped NULL is text.
        return column.cast(pa.string())
    if pa.types.is_uint64(kind):
        # Snowflake's HASH is signed.
        return column.cast(pa.int64(), safe=False)
    if pa.types.is_float32(kind):
        return column.cast(pa.float64())
    if pa.types.is_decimal(kind) and kind.scale == 0:
        return _integers(column)
    return column


def _integers(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return 64-bit integers if all values fit, as Snowflake does."""
    try:
        return column.cast(pa.int64())
    except pa.ArrowInvalid:
        return column


def _timestamps(column: pa.ChunkedArray) -> pa.Array:
    """Return structs of epoch seconds and nanoseconds.

    Timestamps with a time zone also have an offset, which is always that of UTC. fakesnow's own conversion
    turns NULL into 1970-01-01.
    """
    zoned = column.type.tz is not None
    instants = column.combine_chunks().cast(pa.timestamp("us", tz=column.type.tz)).cast(pa.timestamp("us"))
    seconds = pc.floor_temporal(instants, unit="second").cast(pa.timestamp("s")).cast(pa.int64())
    microseconds = instants.cast(pa.int64())
    fraction = pc.multiply(pc.subtract(microseconds, pc.multiply(seconds, 1_000_000)), 1000).cast(pa.int32())
    children = {"epoch": seconds, "fraction": fraction}
    if zoned:
        # Minutes; 1440 stands for UTC.
        children["timezone"] = pa.array([1440] * len(column), pa.int32())
    return pa.StructArray.from_arrays(
        list(children.values()),
        fields=[pa.field(name, array.type) for name, array in children.items()],
        mask=pc.is_null(instants),
    )


def _to_ipc(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    content: bytes = sink.getvalue().to_pybytes()
    return content


def _json_text(value: object) -> str:
    return orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
