"""Translation of Cortex function calls in a query into calls of the DuckDB functions that implement them.

The first argument of each DuckDB function is the id of the running query, for the usage history.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp
from sqlglot.dialects.snowflake import Snowflake
from sqlglot.helper import flatten

from gong_assets.local.cortex import embedding
from gong_assets.local.cortex.errors import CortexError, UnknownModelError
from gong_assets.local.snowflake.cortex.function_catalog import (
    EMBEDDING_FUNCTIONS,
    FUNCTIONS,
    CortexFunction,
    embedding_udf_name,
)
from gong_assets.local.snowflake.errors import SnowflakeError
from gong_assets.local.snowflake.sql import macros
from gong_assets.local.snowflake.sql.rewriter import Rewrite

# sqlglot's node for this function has no field for `return_error_details`.
Snowflake.Parser.FUNCTIONS.pop("AI_CLASSIFY", None)

# DuckDB variable with the id of the session's running query. It is read at run time, so that a view that
# calls a Cortex function is counted for the query that reads the view.
QUERY_ID_VARIABLE = "query_id"
# DuckDB variable with the session parameter of the same name:
# https://docs.snowflake.com/en/sql-reference/functions/ai_redact
FAIL_ON_ERROR_VARIABLE = "ai_sql_error_handling_use_fail_on_error"


def translate_call(name: str, arguments: Sequence[exp.Expression]) -> exp.Expression:
    """Return the DuckDB expression for a call of the Cortex function ``name``.

    Raises SnowflakeError for an unknown function, too few or too many arguments, or an unknown embedding
    model.
    """
    name = name.upper()
    if name in EMBEDDING_FUNCTIONS:
        return _translate_embed_call(name, arguments)
    function = FUNCTIONS.get(name)
    if function is None:
        raise SnowflakeError(
            2140, "42601", f"SQL compilation error: Unknown function SNOWFLAKE.CORTEX.{name}"
        )
    per_row = _needs_row_evaluation(arguments)
    arguments, with_details = _split_error_details(function, arguments)
    values = _bind_arguments(
        name, function.parameters, arguments, required=len(function.parameters) - len(function.optional)
    )
    if function.aggregate:
        values[0] = exp.Anonymous(this="LIST", expressions=[macros.call("_variant_text", values[0])])
    udf_arguments = [
        _as_json_text(value) if parameter in function.structured else _as_text(value)
        for parameter, value in zip(function.parameters, values, strict=True)
    ]
    if function.uses_fail_on_error:
        udf_arguments.append(macros.duckdb_variable(FAIL_ON_ERROR_VARIABLE))
    # The arguments are one list, because DuckDB requires a Python parameter for each SQL parameter.
    result: exp.Expression = exp.Anonymous(
        this=function.udf_name(with_details=with_details, per_row=per_row),
        expressions=[exp.array(macros.duckdb_variable(QUERY_ID_VARIABLE), *udf_arguments)],
    )
    return exp.cast(result, exp.DataType.Type.JSON) if function.returns_json or with_details else result


def _needs_row_evaluation(arguments: Sequence[exp.Expression]) -> bool:
    """Return whether a call must use the variant that DuckDB evaluates exactly once per row.

    DuckDB may evaluate a pure function twice (when an outer query filters on its result) or once for all rows
    (when its arguments are constant). Billed calls need exactly one evaluation per row, so calls on columns
    use the variant with side effects. Exceptions are a SELECT with a LIMIT, where DuckDB would evaluate that
    variant for all rows, and one that refers to the call by its alias, which DuckDB does not support for
    functions with side effects.
    """
    if not any(argument.find(exp.Column, exp.Query) for argument in arguments):
        return False
    item = arguments[0]
    while item.parent is not None and not isinstance(item.parent, exp.Select):
        item = item.parent
    select = item.parent
    return select is None or not (select.args.get("limit") or _is_alias_reused(item, select))


def _is_alias_reused(item: exp.Expression, select: exp.Expression) -> bool:
    """Return whether ``select`` refers to ``item`` by its alias, except in GROUP BY and ORDER BY."""
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


def _split_error_details(
    function: CortexFunction, arguments: Sequence[exp.Expression]
) -> tuple[Sequence[exp.Expression], bool]:
    """Return the arguments without `return_error_details`, and its value.

    The argument is passed by name, or last by position.
    """
    if not function.has_error_details or not arguments:
        return arguments, False
    *others, last = arguments
    value = last.expression if isinstance(last, exp.Kwarg) else last
    named = isinstance(last, exp.Kwarg) and last.this.name.lower() == "return_error_details"
    if not isinstance(value, exp.Boolean) or (isinstance(last, exp.Kwarg) and not named):
        return arguments, False
    return others, bool(value.this)


def _translate_embed_call(name: str, arguments: Sequence[exp.Expression]) -> exp.Expression:
    model, text = _bind_arguments(name, ("model", "input"), arguments, required=2)
    if not (isinstance(model, exp.Literal) and model.is_string):
        raise SnowflakeError(
            1044, "42P13", f"SQL compilation error: the model of {name} must be a constant string."
        )
    required_dimension = EMBEDDING_FUNCTIONS[name]
    try:
        dimension = embedding.get_model(model.name, name).dimension
        if required_dimension not in (None, dimension):
            models = [m for m, spec in embedding.MODELS.items() if spec.dimension == required_dimension]
            raise UnknownModelError(name, model.name, sorted(models))
    except CortexError as error:
        raise SnowflakeError(100351, "P0000", str(error)) from error
    return exp.Anonymous(
        this=embedding_udf_name(dimension, per_row=_needs_row_evaluation([text])),
        expressions=[
            macros.duckdb_variable(QUERY_ID_VARIABLE),
            exp.Literal.string(name),
            model,
            _as_text(text),
        ],
    )


def _bind_arguments(
    name: str, parameters: tuple[str, ...], arguments: Sequence[exp.Expression], required: int
) -> list[exp.Expression]:
    """Return the arguments in the order of ``parameters``, with NULL for missing optional ones."""
    given: dict[str, exp.Expression] = {}
    for position, argument in enumerate(arguments):
        if isinstance(argument, exp.Kwarg):
            given[argument.this.name.lower()] = argument.expression
        elif position < len(parameters):
            given[parameters[position]] = argument
        else:
            raise SnowflakeError(
                939, "22023",
                f"SQL compilation error: too many arguments for function [{name}] "
                f"expected {len(parameters)}, got {len(arguments)}",
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
            f"SQL compilation error: not enough arguments for function [{name}] "
            f"expected {required}, got {len(given)}",
        )  # fmt: skip
    return [given.get(parameter, exp.null()) for parameter in parameters]


def _as_text(value: exp.Expression) -> exp.Expression:
    if isinstance(value, (exp.Literal, exp.Null)):
        return exp.cast(value, exp.DataType.Type.VARCHAR)
    return macros.call("_variant_text", value)


def _as_json_text(value: exp.Expression) -> exp.Expression:
    if isinstance(value, exp.Null):
        return exp.cast(value, exp.DataType.Type.VARCHAR)
    value = value.copy().transform(_object_as_json)
    return exp.cast(exp.Anonymous(this="TO_JSON", expressions=[value]), exp.DataType.Type.VARCHAR)


def _object_as_json(node: exp.Expression) -> exp.Expression:
    """Convert an object constant to JSON, because the keys of a DuckDB struct would be in upper case."""
    if not isinstance(node, exp.Struct):
        return node
    parts = [
        part
        for pair in node.expressions
        for part in (exp.Literal.string(pair.this.name), pair.expression.transform(_object_as_json))
    ]
    return exp.Anonymous(this="JSON_OBJECT", expressions=parts)


def _ai_function(node: exp.Expression) -> exp.Expression:
    """Translate an AI function that sqlglot parses into a node of its own."""
    arguments = [node.this, *node.expressions, node.args.get("categories"), node.args.get("expression")]
    return translate_call(node.sql_name(), [argument for argument in arguments if argument is not None])


def _unknown_ai_function(node: exp.Anonymous) -> exp.Expression:
    """Translate an AI function that sqlglot does not know."""
    if node.name.upper().startswith("AI_") and not isinstance(node.parent, exp.Dot):
        return translate_call(node.name, node.expressions)
    return node


def _cortex_schema_function(node: exp.Dot) -> exp.Expression:
    """Translate a call of a function in SNOWFLAKE.CORTEX."""
    if node.this.sql(dialect="snowflake").upper() != "SNOWFLAKE.CORTEX" or isinstance(node.parent, exp.Dot):
        return node
    function = node.expression
    if isinstance(function, exp.Anonymous):
        return translate_call(function.name, function.expressions)
    return translate_call(function.sql_name(), list(function.iter_expressions()))


REWRITES = (
    Rewrite((exp.Dot,), _cortex_schema_function),
    Rewrite((exp.AIEmbed, exp.AIClassify, exp.AIAgg, exp.AISummarizeAgg, exp.AISimilarity), _ai_function),
    Rewrite((exp.Anonymous,), _unknown_ai_function),
)
