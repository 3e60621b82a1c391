"""MERGE with several source rows for one row of the target, which Snowflake rejects with error 100090.

https://docs.snowflake.com/en/sql-reference/sql/merge#nondeterministic-results-for-update-and-delete

fakesnow joins source and target in the table MERGE_CANDIDATES, with the position of the clause for each row.
"""

from __future__ import annotations

from sqlglot import exp

from gong_assets.local.snowflake.errors import SnowflakeError

# The session parameter that allows such a MERGE.
PARAMETER = "ERROR_ON_NONDETERMINISTIC_MERGE"

_TARGET = "MERGE_TARGET"


def add_target(candidates: exp.Create, merge: exp.Merge) -> None:
    """Add the row of the target to the columns of the candidates."""
    row = exp.column("rowid", table=exp.to_identifier(merge.this.alias_or_name))
    candidates.expression.select(exp.alias_(row, _TARGET), copy=False)


def duplicates_sql(merge: exp.Merge) -> str | None:
    """Return the query for a row that several source rows match, one of them to update it.

    Returns None for a MERGE without updates: several source rows may delete one row.
    """
    clauses = list(enumerate(merge.args["whens"]))
    updates = [str(position) for position, clause in clauses if isinstance(clause.args["then"], exp.Update)]
    if not updates:
        return None
    return (
        f"SELECT {_TARGET} FROM merge_candidates WHERE {_TARGET} IS NOT NULL GROUP BY {_TARGET}"
        f" HAVING count(*) > 1 AND count_if(merge_op IN ({', '.join(updates)})) > 0 LIMIT 1"
    )


def duplicate_row_error() -> SnowflakeError:
    """Return the error for a MERGE whose result depends on the order of the source rows."""
    return SnowflakeError(100090, "42P18", "Duplicate row detected during DML action")
