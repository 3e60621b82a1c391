"""The Cortex stand-ins as functions of the DuckDB process, which count what they do."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from itertools import product

import duckdb
import orjson
import pyarrow as pa

from gong_assets.local.cortex import embedding, tokens
from gong_assets.local.cortex.errors import CortexError
from gong_assets.local.cortex.refusal import RefusedError, refused_texts
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
    service = _Service(usage, refused_texts(os.environ))
    for of_rows in (False, True):
        for function, details in product(FUNCTIONS.values(), (False, True)):
            if details and not function.error_details:
                continue
            duck.create_function(
                function.udf(details=details, of_rows=of_rows), service.row_udf(function, details=details),
                ["VARCHAR[]"], "VARCHAR" if details else function.returns, type="arrow", null_handling="special",
                side_effects=of_rows,
            )  # fmt: skip
        for dimension in EMBEDDING_DIMENSIONS:
            duck.create_function(
                embedding_udf(dimension, of_rows=of_rows), service.embed_udf(dimension), ["VARCHAR"] * 4,
                duckdb.array_type(duckdb.type("FLOAT"), dimension), type="arrow", side_effects=of_rows,
            )  # fmt: skip


class _Service:
    """What answers the calls: it refuses the texts that it is told to, and counts the others."""

    def __init__(self, usage: UsageHistory, refused: re.Pattern[str] | None) -> None:
        self._usage = usage
        self._refused = refused

    def row_udf(self, function: CortexFunction, *, details: bool) -> Callable[..., pa.Array]:
        """The function as DuckDB calls it: with a column of lists, each a query id and the arguments of one call."""
        kind = pa.string() if details else _ARROW_TYPES[function.returns]

        def answer_rows(calls: pa.ChunkedArray) -> pa.Array:
            rows = calls.to_pylist()
            return pa.array([self._answer(function, query_id, row, details) for query_id, *row in rows], kind)

        return answer_rows

    def _answer(
        self, function: CortexFunction, query_id: str, row: list[str | None], details: bool
    ) -> object:
        fail_on_error = row.pop() if function.fails_by_parameter else None
        given = dict(zip(function.parameters, row, strict=True))
        if any(value is None and name not in function.optional for name, value in given.items()):
            return None
        arguments = [
            orjson.loads(value) if name in function.structured and value is not None else value
            for name, value in given.items()
        ]
        told_to_go_on = function.fails_by_parameter and str(fail_on_error).lower() == "false"
        result: object = None
        failed: str | None = None
        try:
            if function.billed:
                self._refuse(function.name, *given.values())
            result = function.answer(*arguments)
        except CortexError as error:
            if not (function.null_on_error or function.error_in_answer or told_to_go_on):
                raise
            failed = str(error)
            if function.error_in_answer:
                result = {"response": None, "error": failed}
        answer = result
        if details:
            answer = orjson.dumps({"value": result, "error": failed}).decode()
        elif function.returns_json and result is not None:
            answer = orjson.dumps(result).decode()
        if function.billed:
            model = given.pop("model", None) or ""
            # Of an aggregate each text of the group, and not the list of them as JSON.
            texts = orjson.loads(row[0] or "[]") if function.aggregate else given.values()
            read = function.prompt_tokens + sum(tokens.count_tokens(text) for text in texts if text)
            written = tokens.count_tokens(str(answer)) if function.writes_text and result is not None else 0
            self._usage.record(query_id, function.name, model, 1, read, written)
        return answer

    def embed_udf(self, dimension: int) -> Callable[..., pa.Array]:
        """Embedding of a column of texts; DuckDB keeps NULL texts to itself and answers NULL for them."""

        def embed_rows(
            query_ids: pa.ChunkedArray,
            functions: pa.ChunkedArray,
            models: pa.ChunkedArray,
            texts: pa.ChunkedArray,
        ) -> pa.Array:
            values = texts.to_pylist()
            query_id, function, model = query_ids[0].as_py(), functions[0].as_py(), models[0].as_py()
            read: list[str] = []
            try:
                for text in values:
                    self._refuse(function, text)
                    embedding.refuse_too_long(function, model, text)
                    read.append(text)
            finally:
                # What was read before a text that fails the statement is paid for.
                if read:
                    total = sum(tokens.count_tokens(text) for text in read)
                    self._usage.record(query_id, function, model.lower(), len(read), total)
            vectors = embedding.embed(model, values)
            return pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), dimension)

        return embed_rows

    def _refuse(self, function: str, *texts: str | None) -> None:
        if self._refused and any(self._refused.search(text) for text in texts if text):
            raise RefusedError(function)
