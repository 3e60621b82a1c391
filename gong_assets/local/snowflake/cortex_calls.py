"""A call of a Cortex function in a query, as a call of the DuckDB function that answers it.

The id of the running query goes along as the first argument, so that the answer can be counted for it.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp
from sqlglot.dialects.snowflake import Snowflake
from sqlglot.helper import flatten

from gong_assets.local.cortex import embedding
from gong_assets.local.cortex.errors import CortexError, UnknownModelError
from gong_assets.local.snowflake import macros
from gong_assets.local.snowflake.cortex_functions import (
    EMBEDDING_FUNCTIONS,
    FUNCTIONS,
    CortexFunction,
    embedding_udf,
)
from gong_assets.local.snowflake.errors import SnowflakeError

# sqlglot's own node for this function has no place for `return_error_details`.
Snowflake.Parser.FUNCTIONS.pop("AI_CLASSIFY", None)

# The DuckDB variable of a session that holds the id of its running query. A view that calls a Cortex function
# reads the variable of the session that queries it.
QUERY_ID_VARIABLE = "query_id"
# The one that holds the session parameter of this name: https://docs.snowflake.com/en/sql-reference/functions/ai_redact
FAIL_ON_ERROR_VARIABLE = "ai_sql_error_handling_use_fail_on_error"


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
    of_rows = _is_of_rows(arguments)
    arguments, with_details = _error_details(function, arguments)
    given = _bind(
        name, function.parameters, arguments, required=len(function.parameters) - len(function.optional)
    )
    if function.aggregate:
        given[0] = exp.Anonymous(this="LIST", expressions=[macros.call("_variant_text", given[0])])
    passed = [
        _as_json_text(value) if parameter in function.structured else _as_text(value)
        for parameter, value in zip(function.parameters, given, strict=True)
    ]
    if function.fails_by_parameter:
        passed.append(_variable(FAIL_ON_ERROR_VARIABLE))
    # One list holds the arguments, because DuckDB wants a Python function with as many parameters as it has types.
    result: exp.Expression = exp.Anonymous(
        this=function.udf(details=with_details, of_rows=of_rows),
        expressions=[exp.array(_variable(QUERY_ID_VARIABLE), *passed)],
    )
    return exp.cast(result, exp.DataType.Type.JSON) if function.returns_json or with_details else result


def _is_of_rows(arguments: Sequence[exp.Expression]) -> bool:
    """Whether DuckDB has to make a call for each row, once.

    It evaluates a function twice where an outer query filters by its result, and for all rows but one time where its
    arguments are constant: the first is wrong for calls that are counted, and the second is right for a search's question.
    What it must evaluate once it does so before a LIMIT, and it knows no other name for it in the same SELECT.
    """
    if not any(argument.find(exp.Column, exp.Query) for argument in arguments):
        return False
    item = arguments[0]
    while item.parent is not None and not isinstance(item.parent, exp.Select):
        item = item.parent
    select = item.parent
    return select is None or not (select.args.get("limit") or _is_named_again(item, select))


def _is_named_again(item: exp.Expression, select: exp.Expression) -> bool:
    """Whether another part of ``select`` than GROUP BY and ORDER BY reads the column ``item`` by its alias."""
    if not isinstance(item, exp.Alias):
        return False
    parts = [
        *select.expressions,
        *(select.args.get(part) for part in ("where", "having", "qualify", "joins")),
    ]
    return any(
        column.name.upper() == item.alias.upper() and not column.table
        for part in flatten(parts)
        if part is not None and part is not item
        for column in part.find_all(exp.Column)
    )


def _error_details(
    function: CortexFunction, arguments: Sequence[exp.Expression]
) -> tuple[Sequence[exp.Expression], bool]:
    """The other arguments, and whether `return_error_details` is TRUE; by name, or last by position."""
    if not function.error_details or not arguments:
        return arguments, False
    *others, last = arguments
    value = last.expression if isinstance(last, exp.Kwarg) else last
    named = isinstance(last, exp.Kwarg) and last.this.name.lower() == "return_error_details"
    if not isinstance(value, exp.Boolean) or (isinstance(last, exp.Kwarg) and not named):
        return arguments, False
    return others, bool(value.this)


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
        this=embedding_udf(dimension, of_rows=_is_of_rows([text])),
        expressions=[_variable(QUERY_ID_VARIABLE), exp.Literal.string(name), model, _as_text(text)],
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


def _variable(name: str) -> exp.Expression:
    return exp.Anonymous(this="getvariable", expressions=[exp.Literal.string(name)])


def _as_text(value: exp.Expression) -> exp.Expression:
    if isinstance(value, (exp.Literal, exp.Null)):
        return exp.cast(value, exp.DataType.Type.VARCHAR)
    return macros.call("_variant_text", value)


def _as_json_text(value: exp.Expression) -> exp.Expression:
    if isinstance(value, exp.Null):
        return exp.cast(value, exp.DataType.Type.VARCHAR)
    value = value.copy().transform(_object)
    return exp.cast(exp.Anonymous(this="TO_JSON", expressions=[value]), exp.DataType.Type.VARCHAR)


def _object(node: exp.Expression) -> exp.Expression:
    """An object constant as JSON: as a DuckDB struct its keys would be in upper case."""
    if not isinstance(node, exp.Struct):
        return node
    parts = [
        part
        for pair in node.expressions
        for part in (exp.Literal.string(pair.this.name), pair.expression.transform(_object))
    ]
    return exp.Anonymous(this="JSON_OBJECT", expressions=parts)
