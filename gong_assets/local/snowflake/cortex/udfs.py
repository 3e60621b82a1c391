"""DuckDB functions for the Cortex functions of the catalog; each call is recorded in the usage history."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable
from itertools import product

import duckdb
import orjson
import pyarrow as pa

from gong_assets.local.cortex import embedding, tokens
from gong_assets.local.cortex.errors import CortexError
from gong_assets.local.cortex.failure_injection import (
    UNCOUNTED_VARIABLE,
    InjectedFailureError,
    failing_texts,
)
from gong_assets.local.snowflake.cortex.function_catalog import (
    EMBEDDING_DIMENSIONS,
    FUNCTIONS,
    CortexFunction,
    embedding_udf_name,
)
from gong_assets.local.snowflake.cortex.usage_history import UsageHistory

TOKEN_COUNTERS = ("COUNT_TOKENS", "AI_COUNT_TOKENS")

_ARROW_TYPES = {"VARCHAR": pa.string(), "DOUBLE": pa.float64(), "BIGINT": pa.int64()}


def register(duck: duckdb.DuckDBPyConnection, usage: UsageHistory) -> None:
    """Create the functions in the DuckDB process, where all connections see them."""
    udfs = _Udfs(usage, failing_texts(os.environ), failing_texts(os.environ, UNCOUNTED_VARIABLE))
    for per_row in (False, True):
        for function, with_details in product(FUNCTIONS.values(), (False, True)):
            if with_details and not function.has_error_details:
                continue
            duck.create_function(
                function.udf_name(with_details=with_details, per_row=per_row),
                udfs.for_function(function, with_details=with_details), ["VARCHAR[]"],
                "VARCHAR" if with_details else function.returns, type="arrow", null_handling="special",
                side_effects=per_row,
            )  # fmt: skip
        for dimension in EMBEDDING_DIMENSIONS:
            duck.create_function(
                embedding_udf_name(dimension, per_row=per_row), udfs.for_embedding(dimension),
                ["VARCHAR"] * 4,
                duckdb.array_type(duckdb.type("FLOAT"), dimension), type="arrow", side_effects=per_row,
            )  # fmt: skip


class _Udfs:
    """Factory of the Python functions that DuckDB calls."""

    def __init__(
        self,
        usage: UsageHistory,
        failing_texts: re.Pattern[str] | None,
        uncounted_texts: re.Pattern[str] | None = None,
    ) -> None:
        self._usage = usage
        self._failing_texts = failing_texts
        self._uncounted_texts = uncounted_texts

    def for_function(self, function: CortexFunction, *, with_details: bool) -> Callable[..., pa.Array]:
        """Return a function on a column of lists with the query id and the arguments of each call."""
        result_type = pa.string() if with_details else _ARROW_TYPES[function.returns]

        def call_rows(calls: pa.ChunkedArray) -> pa.Array:
            rows = calls.to_pylist()
            results = [self._call(function, query_id, row, with_details) for query_id, *row in rows]
            return pa.array(results, result_type)

        return call_rows

    def _call(
        self, function: CortexFunction, query_id: str, row: list[str | None], with_details: bool
    ) -> object:
        fail_on_error = row.pop() if function.uses_fail_on_error else None
        arguments = dict(zip(function.parameters, row, strict=True))
        if any(value is None and name not in function.optional for name, value in arguments.items()):
            return None
        continue_on_error = function.uses_fail_on_error and str(fail_on_error).lower() == "false"
        result: object = None
        error_message: str | None = None
        try:
            result = self._implementation_result(function, arguments)
        except CortexError as error:
            if not (function.null_on_error or function.error_in_result or continue_on_error):
                raise
            error_message = str(error)
            if function.error_in_result:
                result = {"response": None, "error": error_message}
        answer = result
        if with_details:
            answer = orjson.dumps({"value": result, "error": error_message}).decode()
        elif function.returns_json and result is not None:
            answer = orjson.dumps(result).decode()
        if function.billed:
            output = None if result is None else str(answer)
            self._record(function, query_id, arguments, output)
        return answer

    def _implementation_result(self, function: CortexFunction, arguments: dict[str, str | None]) -> object:
        if function.billed:
            self._inject_failure(function.name, *arguments.values())
        elif function.name in TOKEN_COUNTERS:
            _fail_if_matched(self._uncounted_texts, function.name, arguments.values())
        return function.implementation(
            *(
                orjson.loads(value) if name in function.structured and value is not None else value
                for name, value in arguments.items()
            )
        )

    def _record(
        self, function: CortexFunction, query_id: str, arguments: dict[str, str | None], output: str | None
    ) -> None:
        model = arguments.get("model") or ""
        texts = [value for name, value in arguments.items() if name != "model"]
        if function.aggregate:
            # The texts of the group, without the instruction.
            texts = orjson.loads(arguments[function.parameters[0]] or "[]")
        input_tokens = function.prompt_tokens + sum(tokens.count_tokens(text) for text in texts if text)
        output_tokens = tokens.count_tokens(output) if function.generates_text and output is not None else 0
        self._usage.record(query_id, function.name, model, 1, input_tokens, output_tokens)

    def for_embedding(self, dimension: int) -> Callable[..., pa.Array]:
        """Return a function that embeds a column of texts; DuckDB itself returns NULL for NULL texts."""

        def embed_rows(
            query_ids: pa.ChunkedArray,
            functions: pa.ChunkedArray,
            models: pa.ChunkedArray,
            texts: pa.ChunkedArray,
        ) -> pa.Array:
            values = texts.to_pylist()
            query_id, function, model = query_ids[0].as_py(), functions[0].as_py(), models[0].as_py()
            accepted: list[str] = []
            try:
                for text in values:
                    self._inject_failure(function, text)
                    embedding.check_context_window(function, model, text)
                    accepted.append(text)
            finally:
                # Texts before the one that fails the statement are billed.
                if accepted:
                    total = sum(tokens.count_tokens(text) for text in accepted)
                    self._usage.record(query_id, function, model.lower(), len(accepted), total)
            vectors = embedding.embed(model, values)
            return pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), dimension)

        return embed_rows

    def _inject_failure(self, function: str, *texts: str | None) -> None:
        _fail_if_matched(self._failing_texts, function, texts)


def _fail_if_matched(pattern: re.Pattern[str] | None, function: str, texts: Iterable[str | None]) -> None:
    for text in texts:
        if pattern and text and (found := pattern.search(text)):
            raise InjectedFailureError(function, found[0])
