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
    # Account objects that sqlparser-rs does not know. Their bodies are parsed by the tests of provisioning.
    _clause(_START + r"create or alter role \S+ comment = .*", "create-role",
            "create or alter role r comment = 'reads'"),
    _clause(_START + r"create (or alter )?warehouse .*", "create-warehouse",
            "create or alter warehouse w warehouse_size = xsmall"),
    _clause(_START + r"alter warehouse .*", "alter-warehouse", "alter warehouse w set resource_monitor = m"),
    _clause(_START + r"create (or alter )?tag .*", "create-tag", "create or alter tag t allowed_values 'a'"),
    _clause(_START + r"alter tag .*", "alter-tag", "alter tag t set masking policy p force"),
    _clause(_START + r"create or alter masking policy .*", "create-masking-policy",
            "create or alter masking policy p as (v varchar) returns varchar -> v"),
    _clause(_START + r"create or alter row access policy .*", "create-row-access-policy",
            "create or alter row access policy p as (a boolean) returns boolean -> not a"),
    _clause(_START + r"create or alter (network|authentication) policy .*", "create-network-policy",
            "create or alter network policy n allowed_ip_list = ('192.0.2.0/24')"),
    _clause(_START + r"create resource monitor .*", "create-resource-monitor",
            "create resource monitor if not exists m with credit_quota = 1"),
    _clause(_START + r"grant modify programmatic authentication methods on user .*", "grant-privilege",
            "grant modify programmatic authentication methods on user u to role r"),
    _clause(_START + r"create snowflake\.core\.budget .*", "../classes/budget/commands/create-budget",
            "create snowflake.core.budget if not exists b ()"),
    _clause(_START + r"alter user \S+ set tag .*", "alter-user", "alter user u set tag d.s.t = 'v'"),
    _clause(_START + r"call \S+!\w+\(.*\)", "../classes/budget", "call b!set_spending_limit(1)"),
    _clause(_START + r"alter resource monitor .*", "alter-resource-monitor",
            "alter resource monitor m set credit_quota = 1"),
    _clause(_START + r"create database \S+ from share .*|" + _START
            + r"create database if not exists \S+ from share .*", "create-database",
            "create database if not exists d from share a.b"),
    _clause(_START + r"grant (use ai functions on account|create (table|view|stage|cortex search service|"
            r"semantic view|agent|mcp server) on schema \S+|apply on (tag|row access policy) \S+|"
            r"\w+ on (cortex search service|semantic view|agent|mcp server) \S+) to role \w+",
            "grant-privilege", "grant use ai functions on account to role r"),
    _clause(_START + r"alter user \S+ set authentication policy .*", "alter-user",
            "alter user u set authentication policy p force"),
    _clause(_START + r"alter table \S+ set change_tracking = true", "alter-table",
            "alter table t set change_tracking = true"),
    _clause(_START + r"alter table \S+ modify column \w+ set tag .*", "alter-table-column",
            "alter table t modify column c set tag x = 'y'"),
    _clause(r"\bwith row access policy \S+ on \([\w, ]+\)", "create-view",
            "create view v (a) with row access policy r on (a) as select 1"),
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
