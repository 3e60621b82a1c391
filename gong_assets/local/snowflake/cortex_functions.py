"""Cortex functions in SQL: which there are, how a call in a query reaches the stand-in, and what it counts.

A call becomes a call of a DuckDB function that is written in Python, with the id of the running query as its
first argument; the texts themselves are handled by ``gong_assets.local.cortex``. Signatures are those of
https://docs.snowflake.com/en/sql-reference/functions-cortex.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import duckdb
import orjson
import pyarrow as pa
from sqlglot import exp

from gong_assets.local.cortex import completion, embedding, redaction, sentences, sentiment, summary, tokens
from gong_assets.local.cortex.errors import CortexError, UnknownModelError
from gong_assets.local.snowflake import macros
from gong_assets.local.snowflake.errors import SnowflakeError
from gong_assets.local.snowflake.usage import UsageHistory

# The DuckDB variable of a session that holds the id of its running query. A view that calls a Cortex function
# reads the variable of the session that queries it.
QUERY_ID_VARIABLE = "query_id"

# Tokens that Snowflake's hidden prompt adds to each call, from the examples on its AI_COUNT_TOKENS page.
_AI_SENTIMENT_PROMPT_TOKENS = 120
_AI_REDACT_PROMPT_TOKENS = 425

_DIMENSIONS = (768, 1024)


@dataclass(frozen=True)
class CortexFunction:
    """One SQL function: its parameters, what answers it, and how it is counted."""

    name: str
    parameters: tuple[str, ...]
    answer: Callable[..., object]
    optional: frozenset[str] = field(default_factory=frozenset)
    # Parameters that hold an ARRAY or OBJECT; ``answer`` gets them parsed.
    structured: frozenset[str] = field(default_factory=frozenset)
    returns: str = "VARCHAR"
    returns_json: bool = False
    # An aggregate's first parameter is the list of the group's values.
    aggregate: bool = False
    # AI_SENTIMENT and others give NULL where the call fails; the rest fail the statement.
    # https://docs.snowflake.com/en/release-notes/bcr-bundles/2026_02/bcr-2184
    null_on_error: bool = False
    billed: bool = True
    prompt_tokens: int = 0
    writes_text: bool = False

    @property
    def udf(self) -> str:
        return f"_cortex_{self.name.lower()}"


def _sentiment_labels(text: str, categories: list[str] | None) -> object:
    return sentiment.sentiment_labels(text, categories or ())


def _count_tokens(_model_or_function: str, text: str) -> int:
    return tokens.count_tokens(text)


def _ai_count_tokens(_function: str, model_or_text: str, text: str | None) -> int:
    return tokens.count_tokens(model_or_text if text is None else text)


def _label_names(categories: list[str | dict[str, str]]) -> list[str]:
    names = [category if isinstance(category, str) else category["label"] for category in categories]
    if len(names) < 2:
        raise CortexError("AI_CLASSIFY needs at least two categories.")
    return names


def _ai_classify(text: str, categories: list[str | dict[str, str]]) -> object:
    return {"labels": embedding.classify([text], _label_names(categories))}


def _classify_text(text: str, categories: list[str | dict[str, str]]) -> object:
    return {"label": embedding.classify([text], _label_names(categories))[0]}


def _similarity(left: str, right: str) -> float:
    return float(embedding.similarity([left], [right])[0])


def _redact(text: str, categories: list[str] | None) -> str:
    return redaction.redact(text, categories or ())


def _split_text(
    text: str, text_format: str, chunk_size: str, overlap: str | None, separators: list[str] | None
) -> object:
    if text_format.lower() not in ("none", "markdown"):
        raise CortexError(f"SPLIT_TEXT_RECURSIVE_CHARACTER knows the formats 'none' and 'markdown', not {text_format}.")
    default = sentences.MARKDOWN_SEPARATORS if text_format.lower() == "markdown" else sentences.DEFAULT_SEPARATORS
    return sentences.split_recursively(text, int(chunk_size), int(overlap or 0), separators or default)


def _summarize_group(texts: list[str | None]) -> str:
    return summary.summarize_all([text for text in texts if text])


def _aggregate_group(texts: list[str | None], instruction: str) -> str:
    return summary.summarize_all([text for text in texts if text], instruction)


_CATEGORIES = frozenset({"categories"})

_ROW_FUNCTIONS = (
    CortexFunction("SENTIMENT", ("text",), sentiment.sentiment, returns="DOUBLE"),
    CortexFunction(
        "AI_SENTIMENT", ("text", "categories"), _sentiment_labels, optional=_CATEGORIES, structured=_CATEGORIES,
        returns_json=True, null_on_error=True, prompt_tokens=_AI_SENTIMENT_PROMPT_TOKENS,
    ),
    CortexFunction("SUMMARIZE", ("text",), summary.summarize, writes_text=True),
    CortexFunction("AI_SUMMARIZE", ("text",), summary.ai_summarize, writes_text=True),
    CortexFunction(
        "AI_SUMMARIZE_AGG", ("expr",), _summarize_group, structured=frozenset({"expr"}), aggregate=True,
        writes_text=True,
    ),
    CortexFunction(
        "AI_AGG", ("expr", "task_description"), _aggregate_group, structured=frozenset({"expr"}), aggregate=True,
        writes_text=True,
    ),
    CortexFunction("AI_COMPLETE", ("model", "prompt"), completion.complete, null_on_error=True, writes_text=True),
    CortexFunction("COMPLETE", ("model", "prompt"), completion.complete, writes_text=True),
    CortexFunction(
        "AI_CLASSIFY", ("input", "categories"), _ai_classify, structured=_CATEGORIES, returns_json=True,
        null_on_error=True,
    ),
    CortexFunction("CLASSIFY_TEXT", ("input", "categories"), _classify_text, structured=_CATEGORIES, returns_json=True),
    CortexFunction("AI_SIMILARITY", ("input1", "input2"), _similarity, returns="DOUBLE"),
    CortexFunction(
        "AI_REDACT", ("input", "categories"), _redact, optional=_CATEGORIES, structured=_CATEGORIES,
        prompt_tokens=_AI_REDACT_PROMPT_TOKENS, writes_text=True,
    ),
    CortexFunction("COUNT_TOKENS", ("model", "text"), _count_tokens, returns="BIGINT", billed=False),
    CortexFunction(
        "AI_COUNT_TOKENS", ("function_name", "model_name", "input_text"), _ai_count_tokens,
        optional=frozenset({"input_text"}), returns="BIGINT", null_on_error=True, billed=False,
    ),
    CortexFunction(
        "SPLIT_TEXT_RECURSIVE_CHARACTER", ("text", "format", "chunk_size", "overlap", "separators"), _split_text,
        optional=frozenset({"overlap", "separators"}), structured=frozenset({"separators"}), returns_json=True,
        billed=False,
    ),
)  # fmt: skip

FUNCTIONS = {function.name: function for function in _ROW_FUNCTIONS}

# Functions that answer with a vector, and the dimension that each promises (AI_EMBED's is its model's).
EMBEDDING_FUNCTIONS: dict[str, int | None] = {"AI_EMBED": None, "EMBED_TEXT_768": 768, "EMBED_TEXT_1024": 1024}


def register(duck: duckdb.DuckDBPyConnection, usage: UsageHistory) -> None:
    """Create the Python functions in the DuckDB process; every session's connection sees them."""
    for function in _ROW_FUNCTIONS:
        duck.create_function(
            function.udf, _row_udf(function, usage), ["VARCHAR[]"], function.returns, type="arrow",
            null_handling="special",
        )  # fmt: skip
    for dimension in _DIMENSIONS:
        vector = duckdb.array_type(duckdb.type("FLOAT"), dimension)
        parameters = ["VARCHAR"] * 4
        duck.create_function(f"_cortex_embed_{dimension}", _embed_udf(dimension, usage), parameters, vector, type="arrow")


def call(name: str, arguments: Sequence[exp.Expression]) -> exp.Expression:
    """The DuckDB expression for a call of the Cortex function ``name``.

    Raises SnowflakeError for an unknown function, too few or too many arguments, or an unknown embedding model.
    """
    name = name.upper()
    if name in EMBEDDING_FUNCTIONS:
        return _embed_call(name, arguments)
    function = FUNCTIONS.get(name)
    if function is None:
        raise SnowflakeError(2140, "42601", f"SQL compilation error: Unknown function SNOWFLAKE.CORTEX.{name}")
    given = _bind(name, function.parameters, arguments, required=len(function.parameters) - len(function.optional))
    if function.aggregate:
        given[0] = exp.Anonymous(this="LIST", expressions=[macros.call("_variant_text", given[0])])
    passed = [
        _as_json_text(value) if parameter in function.structured else _as_text(value)
        for parameter, value in zip(function.parameters, given, strict=True)
    ]
    # One list holds the arguments, because DuckDB wants a Python function with as many parameters as it has types.
    result: exp.Expression = exp.Anonymous(this=function.udf, expressions=[exp.array(_query_id(), *passed)])
    return exp.cast(result, exp.DataType.Type.JSON) if function.returns_json else result


def _embed_call(name: str, arguments: Sequence[exp.Expression]) -> exp.Expression:
    model, text = _bind(name, ("model", "input"), arguments, required=2)
    if not (isinstance(model, exp.Literal) and model.is_string):
        raise SnowflakeError(1044, "42P13", f"SQL compilation error: the model of {name} must be a constant string.")
    promised = EMBEDDING_FUNCTIONS[name]
    try:
        dimension = embedding.model_named(model.name, name).dimension
        if promised not in (None, dimension):
            known = sorted(m for m, spec in embedding.MODELS.items() if spec.dimension == promised)
            raise UnknownModelError(name, model.name, known)
    except CortexError as error:
        raise SnowflakeError(100351, "P0000", str(error)) from error
    return exp.Anonymous(
        this=f"_cortex_embed_{dimension}",
        expressions=[_query_id(), exp.Literal.string(name), model, _as_text(text)],
    )


def _bind(
    name: str, parameters: tuple[str, ...], arguments: Sequence[exp.Expression], required: int
) -> list[exp.Expression]:
    """Arguments in the order of ``parameters``; NULL for an optional one that was not given."""
    given: dict[str, exp.Expression] = {}
    for position, argument in enumerate(arguments):
        if isinstance(argument, exp.Kwarg):
            given[argument.this.name.lower()] = argument.expression
        elif position < len(parameters):
            given[parameters[position]] = argument
        else:
            raise SnowflakeError(
                939, "22023",
                f"SQL compilation error: too many arguments for function [{name}] expected {len(parameters)}, "
                f"got {len(arguments)}",
            )  # fmt: skip
    if unknown := set(given) - set(parameters):
        raise SnowflakeError(
            1003, "42000", f"SQL compilation error: {name} has no argument '{sorted(unknown)[0]}' on the local server"
        )
    if len(given) < required:
        raise SnowflakeError(
            938, "22023",
            f"SQL compilation error: not enough arguments for function [{name}] expected {required}, got {len(given)}",
        )  # fmt: skip
    return [given.get(parameter, exp.null()) for parameter in parameters]


def _query_id() -> exp.Expression:
    return exp.Anonymous(this="getvariable", expressions=[exp.Literal.string(QUERY_ID_VARIABLE)])


def _as_text(value: exp.Expression) -> exp.Expression:
    if isinstance(value, (exp.Literal, exp.Null)):
        return exp.cast(value, exp.DataType.Type.VARCHAR)
    return macros.call("_variant_text", value)


def _as_json_text(value: exp.Expression) -> exp.Expression:
    if isinstance(value, exp.Null):
        return exp.cast(value, exp.DataType.Type.VARCHAR)
    return exp.cast(exp.Anonymous(this="TO_JSON", expressions=[value]), exp.DataType.Type.VARCHAR)


def _row_udf(function: CortexFunction, usage: UsageHistory) -> Callable[..., pa.Array]:
    """The function as DuckDB calls it: with a column of lists, each a query id and the arguments of one call."""
    structured = [parameter in function.structured for parameter in function.parameters]
    required = [parameter not in function.optional for parameter in function.parameters]
    model_column = function.parameters.index("model") if "model" in function.parameters else None

    def answer_rows(calls: pa.ChunkedArray) -> pa.Array:
        results: list[object] = []
        for query_id, *row in calls.to_pylist():
            if any(value is None and needed for value, needed in zip(row, required, strict=True)):
                results.append(None)
                continue
            arguments = [
                orjson.loads(value) if parse and value is not None else value
                for value, parse in zip(row, structured, strict=True)
            ]
            try:
                result = function.answer(*arguments)
            except CortexError:
                if not function.null_on_error:
                    raise
                result = None
            if function.billed:
                model = row[model_column] if model_column is not None else ""
                read = function.prompt_tokens + sum(tokens.count_tokens(text) for text in row if text is not None)
                written = tokens.count_tokens(str(result)) if function.writes_text and result is not None else 0
                usage.record(query_id, function.name, model, 1, read, written)
            results.append(orjson.dumps(result).decode() if function.returns_json and result is not None else result)
        return pa.array(results, _ARROW_TYPES[function.returns])

    return answer_rows


_ARROW_TYPES = {"VARCHAR": pa.string(), "DOUBLE": pa.float64(), "BIGINT": pa.int64()}


def _embed_udf(dimension: int, usage: UsageHistory) -> Callable[..., pa.Array]:
    """Embedding of a column of texts; DuckDB keeps NULL texts to itself and answers NULL for them."""

    def embed_rows(
        query_ids: pa.ChunkedArray, functions: pa.ChunkedArray, models: pa.ChunkedArray, texts: pa.ChunkedArray
    ) -> pa.Array:
        values = texts.to_pylist()
        model = models[0].as_py()
        vectors = embedding.embed(model, values)
        read = sum(tokens.count_tokens(text) for text in values)
        usage.record(query_ids[0].as_py(), functions[0].as_py(), model.lower(), len(values), read)
        return pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), dimension)

    return embed_rows
