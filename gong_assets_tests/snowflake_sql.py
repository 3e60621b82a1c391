"""Rules for SQL that runs on the local server, but fails or behaves differently on Snowflake.

The local server uses DuckDB, so a statement that runs there may still not run on Snowflake. Each known
difference is a rule, except for those that the server itself removes, such as outer FLATTEN, the keys of
object literals, and TYPEOF. `functions` lists the functions that a statement calls, to be compared with those
that Snowflake has.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.tokens import Token, Tokenizer, TokenType

# Keywords and sized types, which precede a parenthesis without being functions.
NOT_FUNCTIONS = {
    "ALL", "AND", "ANY", "AS", "BY", "EXCLUDE", "EXISTS", "FROM", "GROUP", "IN", "INTO", "JOIN", "NOT",
    "NUMBER", "ON", "OR", "OVER", "SELECT", "UNION", "USING", "VALUES", "VARCHAR", "VECTOR", "WHEN", "WHERE",
}  # fmt: skip

# Functions of DuckDB and Postgres that https://docs.snowflake.com/en/sql-reference/functions-all does not
# list, with their replacements.
REPLACEMENTS = {
    "STRING_AGG": "LISTAGG",
    "GROUP_CONCAT": "LISTAGG",
    "UNNEST": "FLATTEN",
    "NOW": "CURRENT_TIMESTAMP",
    "STRFTIME": "TO_CHAR",
    "STRPTIME": "TO_TIMESTAMP_NTZ",
    "JSON_EXTRACT": "a path",
    "REGEXP_MATCHES": "REGEXP_LIKE",
    # The name of Cortex's function includes the dimension.
    "EMBED_TEXT": "AI_EMBED or EMBED_TEXT_768",
}

SEMI_STRUCTURED = (
    exp.DataType.Type.VARIANT,
    exp.DataType.Type.OBJECT,
    exp.DataType.Type.ARRAY,
    exp.DataType.Type.STRUCT,
)


def parsed(sql: str) -> exp.Expression:
    """Return the syntax tree of a statement, which may have parameters (`%s`).

    Raises:
        SqlglotError: sqlglot cannot parse the statement as Snowflake SQL.
    """
    return sqlglot.parse_one(
        _with_placeholders(sql), dialect="snowflake", error_level=sqlglot.ErrorLevel.RAISE
    )


def tokens(sql: str) -> list[Token]:
    """Return the tokens of a statement, without comments."""
    return list(Tokenizer(dialect="snowflake").tokenize(_with_placeholders(sql)))


def _with_placeholders(sql: str) -> str:
    # With spaces, because sqlglot reads `?::` as an operator of another dialect.
    return sql.replace("%s", " ? ")


def functions(sql: str) -> set[str]:
    """Return the names of the functions that the statement calls."""
    # The name of a CTE, or of the table of an INSERT, can also precede a parenthesis.
    tables = {
        table.alias_or_name.upper()
        for table in parsed(sql).find_all(exp.CTE, exp.Table)
        if not isinstance(table.this, exp.Func)
    }
    return {token.text.upper() for token in _called(sql)} - NOT_FUNCTIONS - tables


def _called(sql: str) -> Iterator[Token]:
    for token, following in itertools.pairwise(tokens(sql)):
        if following.token_type is TokenType.L_PAREN and re.fullmatch(r"\w+", token.text):
            yield token


def violations(sql: str) -> list[str]:
    """Return one line for each rule that the statement breaks; none if it runs on Snowflake."""
    found = [line for rule in TEXT_RULES for line in rule(sql)]
    try:
        tree = parsed(sql)
    except SqlglotError:
        # sqlglot cannot parse account statements. Another test checks that it parses the SQL of the models.
        return found
    return found + [line for rule in TREE_RULES for line in rule(tree)]


def foreign_function(sql: str) -> Iterator[str]:
    names = {token.text.upper() for token in _called(sql)}
    yield from (
        f"{name}: not a Snowflake function; use {REPLACEMENTS[name]}"
        for name in sorted(names & REPLACEMENTS.keys())
    )


def index(sql: str) -> Iterator[str]:
    words = [token.text.upper() for token in tokens(sql)]
    if words[:1] != ["CREATE"] or "HYBRID" in words[:4]:
        return
    if "INDEX" in words[1:3] or any(
        pair in ((",", "INDEX"), ("(", "INDEX")) for pair in itertools.pairwise(words)
    ):
        yield "INDEX: only hybrid tables can have one"


def get_diagnostics(sql: str) -> Iterator[str]:
    words = [token.text.upper() for token in tokens(sql)]
    if ("GET", "DIAGNOSTICS") in itertools.pairwise(words):
        yield "GET DIAGNOSTICS: use SQLROWCOUNT in Snowflake Scripting"


def computed_values(tree: exp.Expression) -> Iterator[str]:
    """VALUES takes only constants and simple expressions of them.

    https://docs.snowflake.com/en/sql-reference/constructs/values
    """
    for values in tree.find_all(exp.Values):
        for node in values.find_all(exp.Func, exp.Subquery, exp.Select, exp.Struct, exp.Array):
            is_cast = isinstance(node, exp.Cast)
            if is_cast and node.to.this not in (*SEMI_STRUCTURED, exp.DataType.Type.VECTOR):
                continue
            name = node.name.upper() if isinstance(node, exp.Anonymous) else type(node).__name__.upper()
            if isinstance(node, CONSTANT_FUNCTIONS):
                continue
            yield f"VALUES: {name} is not constant; use INSERT ... SELECT"


CONSTANT_FUNCTIONS = (
    exp.CurrentTimestamp,
    exp.CurrentDate,
    exp.Concat,
    exp.Upper,
    exp.Lower,
    exp.TsOrDsToDate,
)


def summary_with_several_arguments(tree: exp.Expression) -> Iterator[str]:
    for node in tree.find_all(exp.Anonymous):
        if node.name.upper() == "SUMMARIZE" and len(node.expressions) != 1:
            yield "SUMMARIZE: takes only a text"


def text_too_long(tree: exp.Expression) -> Iterator[str]:
    """Snowflake rejects the text in a column (100078) and truncates it in a cast; the server keeps it."""
    casts = [(cast.this, cast.to) for cast in tree.find_all(exp.Cast)]
    defaults = [
        (default.this, column.kind)
        for column in tree.find_all(exp.ColumnDef)
        for default in column.find_all(exp.DefaultColumnConstraint)
    ]
    for value, kind in (*casts, *defaults):
        size = (
            kind.find(exp.DataTypeParam)
            if kind is not None and kind.is_type(*exp.DataType.TEXT_TYPES)
            else None
        )
        if size is not None and value.is_string and len(value.name) > int(size.name):
            yield f"VARCHAR({size.name}): {value.name!r} is too long"


def unordered_list(tree: exp.Expression) -> Iterator[str]:
    """Without WITHIN GROUP (ORDER BY ...) the order is undefined."""
    for node in tree.find_all(exp.GroupConcat, exp.ArrayAgg):
        whole = node.parent if isinstance(node.parent, exp.WithinGroup) else node
        if "WITHIN GROUP (ORDER BY" not in whole.sql(dialect="snowflake"):
            yield f"{node.sql_name()}: needs WITHIN GROUP (ORDER BY ...)"


def computed_separator(tree: exp.Expression) -> Iterator[str]:
    for node in tree.find_all(exp.GroupConcat):
        separator = node.args.get("separator")
        if separator is not None and not separator.is_string:
            yield "LISTAGG: the separator must be a constant"


def merge_of_repeated_keys(tree: exp.Expression) -> Iterator[str]:
    """Snowflake fails (100090) if several source rows match one target row; the statement must prevent it."""
    for merge in tree.find_all(exp.Merge):
        source = merge.args["using"].unnest()
        is_grouped = isinstance(source, exp.Select) and any(
            source.args.get(clause) for clause in ("group", "distinct", "qualify")
        )
        if not is_grouped:
            yield "MERGE: the source needs GROUP BY, DISTINCT or QUALIFY, so that no row has several matches"


def vector_of_a_text(tree: exp.Expression) -> Iterator[str]:
    """Only an ARRAY can be cast to VECTOR, and a VECTOR cannot be bound.

    https://docs.snowflake.com/en/sql-reference/data-types-vector
    """
    for cast in tree.find_all(exp.Cast):
        if cast.to.is_type(exp.DataType.Type.VECTOR) and (
            cast.this.is_string or isinstance(cast.this, exp.Placeholder)
        ):
            yield "VECTOR: a text or parameter cannot be cast to it; use PARSE_JSON(...)::ARRAY"


def json_as_text(tree: exp.Expression) -> Iterator[str]:
    """On Snowflake a JSON text stays a text; the local server parses it."""
    for literal in tree.find_all(exp.Literal):
        if not literal.is_string or not literal.name.lstrip().startswith(("{", "[")):
            continue
        parent = literal.parent
        is_cast = isinstance(parent, exp.Cast) and parent.to.this in SEMI_STRUCTURED
        if is_cast or _is_inserted(literal):
            yield f"VARIANT: {literal.name!r} stays a text; use PARSE_JSON"


def _is_inserted(literal: exp.Literal) -> bool:
    """Return True if an INSERT writes the literal itself into a column."""
    row = literal.parent.parent if isinstance(literal.parent, exp.Tuple) else literal.parent
    return isinstance(row, (exp.Select, exp.Values)) and isinstance(
        row.parent, (exp.Insert, exp.SetOperation)
    )


TEXT_RULES: tuple[Callable[[str], Iterator[str]], ...] = (foreign_function, index, get_diagnostics)
TREE_RULES: tuple[Callable[[exp.Expression], Iterator[str]], ...] = (
    computed_values,
    summary_with_several_arguments,
    text_too_long,
    unordered_list,
    computed_separator,
    merge_of_repeated_keys,
    vector_of_a_text,
    json_as_text,
)
