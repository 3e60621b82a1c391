"""A call of a Cortex function in a query, as a call of the DuckDB function that answers it.

The id of the running query goes along as the first argument, so that the answer can be counted for it.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from gong_assets.local.cortex import embedding
from gong_assets.local.cortex.errors import CortexError, UnknownModelError
from gong_assets.local.snowflake import macros
from gong_assets.local.snowflake.cortex_functions import EMBEDDING_FUNCTIONS, FUNCTIONS, embedding_udf
from gong_assets.local.snowflake.errors import SnowflakeError

# The DuckDB variable of a session that holds the id of its running query. A view that calls a Cortex function
# reads the variable of the session that queries it.
QUERY_ID_VARIABLE = "query_id"


def call(name: str, arguments: Sequence[exp.Expression]) -> exp.Expression:
    """The DuckDB expression for a call of the Cortex function ``name``.

    Raises SnowflakeError for an unknown function, too few or too many arguments, or an unknown embedding model.
    """
    name = name.upper()
    if name in EMBEDDING_FUNCTIONS:
        return _embed_call(name, arguments)
    function = FUNCTIONS.get(name)
    if function is None:
        raise SnowflakeError(
            2140, "42601", f"SQL compilation error: Unknown function SNOWFLAKE.CORTEX.{name}"
        )
    given = _bind(
        name, function.parameters, arguments, required=len(function.parameters) - len(function.optional)
    )
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
        raise SnowflakeError(
            1044, "42P13", f"SQL compilation error: the model of {name} must be a constant string."
        )
    promised = EMBEDDING_FUNCTIONS[name]
    try:
        dimension = embedding.model_named(model.name, name).dimension
        if promised not in (None, dimension):
            known = sorted(m for m, spec in embedding.MODELS.items() if spec.dimension == promised)
            raise UnknownModelError(name, model.name, known)
    except CortexError as error:
        raise SnowflakeError(100351, "P0000", str(error)) from error
    return exp.Anonymous(
        this=embedding_udf(dimension),
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
            1003,
            "42000",
            f"SQL compilation error: {name} has no argument '{sorted(unknown)[0]}' on the local server",
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
