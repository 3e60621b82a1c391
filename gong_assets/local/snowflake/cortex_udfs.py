"""The Cortex stand-ins as functions of the DuckDB process, which count what they do."""

from __future__ import annotations

from collections.abc import Callable

import duckdb
import orjson
import pyarrow as pa

from gong_assets.local.cortex import embedding, tokens
from gong_assets.local.cortex.errors import CortexError
from gong_assets.local.snowflake.cortex_functions import (
    EMBEDDING_DIMENSIONS,
    FUNCTIONS,
    CortexFunction,
    embedding_udf,
)
from gong_assets.local.snowflake.usage import UsageHistory

_ARROW_TYPES = {"VARCHAR": pa.string(), "DOUBLE": pa.float64(), "BIGINT": pa.int64()}


def register(duck: duckdb.DuckDBPyConnection, usage: UsageHistory) -> None:
    """Create the Python functions in the DuckDB process; every session's connection sees them."""
    for function in FUNCTIONS.values():
        duck.create_function(
            function.udf, _row_udf(function, usage), ["VARCHAR[]"], function.returns, type="arrow",
            null_handling="special",
        )  # fmt: skip
    for dimension in EMBEDDING_DIMENSIONS:
        vector = duckdb.array_type(duckdb.type("FLOAT"), dimension)
        parameters = ["VARCHAR"] * 4
        duck.create_function(
            embedding_udf(dimension), _embed_udf(dimension, usage), parameters, vector, type="arrow"
        )


def _row_udf(function: CortexFunction, usage: UsageHistory) -> Callable[..., pa.Array]:
    """The function as DuckDB calls it: with a column of lists, each a query id and the arguments of one call."""

    def answer_rows(calls: pa.ChunkedArray) -> pa.Array:
        results = [_answer(function, usage, query_id, row) for query_id, *row in calls.to_pylist()]
        return pa.array(results, _ARROW_TYPES[function.returns])

    return answer_rows


def _answer(function: CortexFunction, usage: UsageHistory, query_id: str, row: list[str | None]) -> object:
    given = dict(zip(function.parameters, row, strict=True))
    if any(value is None and name not in function.optional for name, value in given.items()):
        return None
    arguments = [
        orjson.loads(value) if name in function.structured and value is not None else value
        for name, value in given.items()
    ]
    try:
        result = function.answer(*arguments)
    except CortexError:
        if not function.null_on_error:
            raise
        result = None
    text = orjson.dumps(result).decode() if function.returns_json and result is not None else result
    if function.billed:
        model = given.pop("model", None) or ""
        read = function.prompt_tokens + sum(tokens.count_tokens(value) for value in given.values() if value)
        written = tokens.count_tokens(str(text)) if function.writes_text and text is not None else 0
        usage.record(query_id, function.name, model, 1, read, written)
    return text


def _embed_udf(dimension: int, usage: UsageHistory) -> Callable[..., pa.Array]:
    """Embedding of a column of texts; DuckDB keeps NULL texts to itself and answers NULL for them."""

    def embed_rows(
        query_ids: pa.ChunkedArray,
        functions: pa.ChunkedArray,
        models: pa.ChunkedArray,
        texts: pa.ChunkedArray,
    ) -> pa.Array:
        values = texts.to_pylist()
        model = models[0].as_py()
        vectors = embedding.embed(model, values)
        read = sum(tokens.count_tokens(text) for text in values)
        usage.record(query_ids[0].as_py(), functions[0].as_py(), model.lower(), len(values), read)
        return pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), dimension)

    return embed_rows
