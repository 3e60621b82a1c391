"""Names of result columns without an alias: the text of the expression in upper case, such as COUNT(*).

The examples of Snowflake's documentation show the names. DuckDB would use those of its own functions.
"""

from __future__ import annotations

from collections.abc import Iterator

import sqlglot
from sqlglot import exp
from sqlglot.tokens import Token, TokenType

_OPENING = {TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.L_BRACE}
_CLOSING = {TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.R_BRACE}
# The clauses that may follow a select list.
_FOLLOWING = {
    TokenType.FROM, TokenType.INTO, TokenType.WHERE, TokenType.GROUP_BY, TokenType.HAVING, TokenType.QUALIFY,
    TokenType.ORDER_BY, TokenType.LIMIT, TokenType.FETCH, TokenType.OFFSET, TokenType.UNION, TokenType.EXCEPT,
    TokenType.INTERSECT, TokenType.SEMICOLON,
}  # fmt: skip


def name_columns(sql: str, statement: exp.Expression) -> None:
    """Give each unnamed column of a query, and of the queries in it, Snowflake's name as an alias."""
    query = statement.expression if isinstance(statement, exp.Create) else statement
    if not isinstance(query, exp.Query):
        return
    first: exp.Expression = query
    while isinstance(first, exp.SetOperation):
        first = first.left
    for select in query.find_all(exp.Select):
        unnamed = [position for position, item in enumerate(select.expressions) if _is_unnamed(item)]
        if not unnamed:
            continue
        texts = _select_list(sql) if select is first and query is statement else []
        for position in unnamed:
            item = select.expressions[position]
            is_found = len(texts) == len(select.expressions)
            name = texts[position] if is_found else item.sql(dialect="snowflake", comments=False)
            item.replace(exp.alias_(item.copy(), name.upper(), quoted=True))


def _is_unnamed(item: exp.Expression) -> bool:
    return not (
        item.is_star or isinstance(item, exp.Column | exp.Alias | exp.Aliases | exp.Dot | exp.Parameter)
    )


def _select_list(sql: str) -> list[str]:
    """Return the texts of the columns of the outermost SELECT."""
    return [sql[tokens[0].start : tokens[-1].end + 1] for tokens in _columns(sql) if tokens]


def _columns(sql: str) -> Iterator[list[Token]]:
    depth, column, is_in_list = 0, list[Token](), False
    for token in sqlglot.tokenize(sql, read="snowflake"):
        if token.token_type in _CLOSING:
            depth -= 1
        if depth == 0 and not is_in_list:
            is_in_list = token.token_type is TokenType.SELECT
        elif depth == 0 and token.token_type is TokenType.COMMA:
            yield column
            column = []
        elif depth == 0 and token.token_type in _FOLLOWING:
            break
        elif is_in_list and not (not column and token.token_type in (TokenType.DISTINCT, TokenType.ALL)):
            column.append(token)
        if token.token_type in _OPENING:
            depth += 1
    yield column
