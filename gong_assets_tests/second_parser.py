"""A second parser of Snowflake SQL, independent of sqlglot, which the local server uses itself.

sqlparser-rs (by sqloxide) may reject what is documented. Such clauses are listed with their page and an
example, and are removed before a statement is parsed.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_START = r"\A(?:\s|/\*.*?\*/)*"
_DOCS = "https://docs.snowflake.com/en/sql-reference/sql/"


class UnsupportedClause(NamedTuple):
    """A documented clause that the parser rejects. ``pattern`` matches what is removed from a statement."""

    pattern: re.Pattern[str]
    page: str
    example: str


def _clause(pattern: str, page: str, example: str) -> UnsupportedClause:
    return UnsupportedClause(re.compile(pattern, re.IGNORECASE | re.DOTALL), _DOCS + page, example)


UNSUPPORTED_CLAUSES = (
    _clause(_START + r"put\s.*", "put", "put 'file:///tmp/a' @stage auto_compress = false"),
    _clause(_START + r"begin(?:\s|/\*.*?\*/)*\Z", "begin", "begin"),
    _clause(
        _START + r"alter table \S+ alter (column )?\w+ comment .*",
        "alter-table-column",
        "alter table t alter column a comment 'one', column b comment 'two'",
    ),
    _clause(r"\bcopy grants\b", "create-view", "create or replace view v (a) copy grants as select 1"),
    # In a transformation of staged columns.
    _clause(
        r"(?<=\$1:\w)::\w+|(?<=[A-Z])::\w+(?=[, ].*from\s+@)",
        "copy-into-table",
        "copy into t from (select $1:KEY::varchar, $1:DAY::date from @stage) file_format = (type = parquet)",
    ),
)  # fmt: skip


def parse_error(sql: str) -> str | None:
    """Return why the parser rejects a statement, which may have parameters (`%s`); None if it accepts it."""
    for clause in UNSUPPORTED_CLAUSES:
        sql = clause.pattern.sub(" ", sql)
    return raw_parse_error(sql) if sql.strip() else None


def raw_parse_error(sql: str) -> str | None:
    """Return why the parser rejects a statement as it is."""
    from sqloxide import parse_sql

    try:
        parse_sql(sql=sql.replace("%s", " ? "), dialect="snowflake")
    except ValueError as error:
        return str(error)
    return None
