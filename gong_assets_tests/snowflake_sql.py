"""SQL that runs on the local server and that Snowflake refuses, or answers otherwise: each known mistake is a rule.

The server stands on DuckDB, so that running a statement there does not prove it. `refusals` may be asked about any
statement, a hook's included. Three things are not here, as the server itself does them as Snowflake does (see
`local/snowflake/test_semistructured.py`): an outer FLATTEN, the keys of an object literal, and TYPEOF. What a statement
calls is told by `functions`, for tests that hold a list of those that Snowflake has.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.tokens import Token, Tokenizer, TokenType

# What stands before a parenthesis without being called: keywords, and types with a size.
NOT_FUNCTIONS = {
    "ALL", "AND", "ANY", "AS", "BY", "EXCLUDE", "EXISTS", "FROM", "GROUP", "IN", "INTO", "JOIN", "NOT", "NUMBER", "ON", "OR", "OVER", "SELECT", "UNION",
    "USING", "VALUES", "VARCHAR", "VECTOR", "WHEN", "WHERE",
}  # fmt: skip

# Functions of DuckDB and Postgres without a page at https://docs.snowflake.com/en/sql-reference/functions-all, each with
# what to write instead.
INSTEAD = {
    "STRING_AGG": "LISTAGG",
    "GROUP_CONCAT": "LISTAGG",
    "UNNEST": "FLATTEN",
    "NOW": "CURRENT_TIMESTAMP",
    "STRFTIME": "TO_CHAR",
    "STRPTIME": "TO_TIMESTAMP_NTZ",
    "JSON_EXTRACT": "a path",
    "REGEXP_MATCHES": "REGEXP_LIKE",
    # Of Cortex: the dimension is a part of its name.
    "EMBED_TEXT": "AI_EMBED or EMBED_TEXT_768",
}

SEMI_STRUCTURED = (
    exp.DataType.Type.VARIANT,
    exp.DataType.Type.OBJECT,
    exp.DataType.Type.ARRAY,
    exp.DataType.Type.STRUCT,
)


def parsed(sql: str) -> exp.Expression:
    """The statement's tree, bound parameters (`%s`) included.

    Raises:
        SqlglotError: it is not in Snowflake's grammar as sqlglot knows it.
    """
    return sqlglot.parse_one(
        _with_placeholders(sql), dialect="snowflake", error_level=sqlglot.ErrorLevel.RAISE
    )


def tokens(sql: str) -> list[Token]:
    """Without comments."""
    return list(Tokenizer(dialect="snowflake").tokenize(_with_placeholders(sql)))


def _with_placeholders(sql: str) -> str:
    # `?::` would be an operator of another dialect's.
    return sql.replace("%s", " ? ")


def functions(sql: str) -> set[str]:
    """The names of the functions that are called."""
    # The columns of a CTE, or of the table that an INSERT fills, stand in parentheses too.
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


def refusals(sql: str) -> list[str]:
    """What is wrong with a statement, a line for each; nothing for one that Snowflake takes."""
    found = [line for rule in TEXT_RULES for line in rule(sql)]
    try:
        tree = parsed(sql)
    except SqlglotError:
        # Account statements are beyond sqlglot; that a model's SQL parses is a test of its own.
        return found
    return found + [line for rule in TREE_RULES for line in rule(tree)]


def foreign_function(sql: str) -> Iterator[str]:
    names = {token.text.upper() for token in _called(sql)}
    yield from (
        f"{name}: Snowflake has no such function, but {INSTEAD[name]}"
        for name in sorted(names & INSTEAD.keys())
    )


def index(sql: str) -> Iterator[str]:
    words = [token.text.upper() for token in tokens(sql)]
    if words[:1] != ["CREATE"] or "HYBRID" in words[:4]:
        return
    if "INDEX" in words[1:3] or any(
        pair in ((",", "INDEX"), ("(", "INDEX")) for pair in itertools.pairwise(words)
    ):
        yield "INDEX: only a hybrid table can have one"


def get_diagnostics(sql: str) -> Iterator[str]:
    words = [token.text.upper() for token in tokens(sql)]
    if ("GET", "DIAGNOSTICS") in itertools.pairwise(words):
        yield "GET DIAGNOSTICS: Snowflake Scripting has SQLROWCOUNT"


def computed_values(tree: exp.Expression) -> Iterator[str]:
    """https://docs.snowflake.com/en/sql-reference/constructs/values: constants, and what can be computed of them."""
    for values in tree.find_all(exp.Values):
        for node in values.find_all(exp.Func, exp.Subquery, exp.Select, exp.Struct, exp.Array):
            is_cast = isinstance(node, exp.Cast)
            if is_cast and node.to.this not in (*SEMI_STRUCTURED, exp.DataType.Type.VECTOR):
                continue
            name = node.name.upper() if isinstance(node, exp.Anonymous) else type(node).__name__.upper()
            if isinstance(node, CONSTANT_FUNCTIONS):
                continue
            yield f"VALUES: {name} is not constant, so that INSERT ... SELECT is needed"


CONSTANT_FUNCTIONS = (
    exp.CurrentTimestamp,
    exp.CurrentDate,
    exp.Concat,
    exp.Upper,
    exp.Lower,
    exp.TsOrDsToDate,
)


def summary_of_more_than_a_text(tree: exp.Expression) -> Iterator[str]:
    for node in tree.find_all(exp.Anonymous):
        if node.name.upper() == "SUMMARIZE" and len(node.expressions) != 1:
            yield "SUMMARIZE: takes a text, and no length"


def text_too_long(tree: exp.Expression) -> Iterator[str]:
    """A column refuses such a text (100078), a cast cuts it off; the server keeps it whole."""
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
            yield f"VARCHAR({size.name}): {value.name!r} is longer"


def unordered_list(tree: exp.Expression) -> Iterator[str]:
    """Without WITHIN GROUP (ORDER BY ...) the order is another each time."""
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
    """Snowflake fails (100090) where two rows of the source meet one row: the statement must rule that out."""
    for merge in tree.find_all(exp.Merge):
        source = merge.args["using"].unnest()
        is_grouped = isinstance(source, exp.Select) and any(
            source.args.get(clause) for clause in ("group", "distinct", "qualify")
        )
        if not is_grouped:
            yield "MERGE: the source needs GROUP BY, DISTINCT or QUALIFY, or two of its rows may meet one row"


def vector_of_a_text(tree: exp.Expression) -> Iterator[str]:
    """https://docs.snowflake.com/en/sql-reference/data-types-vector: a VECTOR is cast from an ARRAY, and cannot be bound."""
    for cast in tree.find_all(exp.Cast):
        if cast.to.is_type(exp.DataType.Type.VECTOR) and (
            cast.this.is_string or isinstance(cast.this, exp.Placeholder)
        ):
            yield "VECTOR: neither a text nor a bound value can be cast to it, but PARSE_JSON(...)::ARRAY can"


def json_as_text(tree: exp.Expression) -> Iterator[str]:
    """A JSON text stays a text on Snowflake; the server reads it as JSON."""
    for literal in tree.find_all(exp.Literal):
        if not literal.is_string or not literal.name.lstrip().startswith(("{", "[")):
            continue
        parent = literal.parent
        is_cast = isinstance(parent, exp.Cast) and parent.to.this in SEMI_STRUCTURED
        if is_cast or _is_inserted(literal):
            yield f"VARIANT: {literal.name!r} is a text until PARSE_JSON reads it"


def _is_inserted(literal: exp.Literal) -> bool:
    """Whether it is, as it stands, what an INSERT writes into a column."""
    row = literal.parent.parent if isinstance(literal.parent, exp.Tuple) else literal.parent
    return isinstance(row, (exp.Select, exp.Values)) and isinstance(
        row.parent, (exp.Insert, exp.SetOperation)
    )


TEXT_RULES: tuple[Callable[[str], Iterator[str]], ...] = (foreign_function, index, get_diagnostics)
TREE_RULES: tuple[Callable[[exp.Expression], Iterator[str]], ...] = (
    computed_values,
    summary_of_more_than_a_text,
    text_too_long,
    unordered_list,
    computed_separator,
    merge_of_repeated_keys,
    vector_of_a_text,
    json_as_text,
)
