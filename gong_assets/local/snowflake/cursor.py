"""One statement on a session's DuckDB connection, by way of fakesnow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fakesnow.conn import FakeSnowflakeConnection
from fakesnow.cursor import DESCRIBE_RESULT_SQL, FakeSnowflakeCursor
from fakesnow.statement_type import DML_TYPE_IDS, statement_type_id
from sqlglot import exp

from gong_assets.local.snowflake.result_cache import ResultCache
from gong_assets.local.snowflake.results import Result

Parameters = list[Any] | dict[str, Any] | None


class Cursor(FakeSnowflakeCursor):  # type: ignore[misc]  # fakesnow has no types
    """fakesnow's cursor for a statement that was parsed and rewritten already."""

    def __init__(self, connection: FakeSnowflakeConnection, results: ResultCache) -> None:
        super().__init__(connection, connection._duck_conn)
        self._results = results

    def run(self, statement: exp.Expression, parameters: Parameters, query_id: str) -> Result:
        """Run ``statement``, with the values of its placeholders, and keep its result under ``query_id``."""
        statement_type = statement_type_id(statement)
        self.check_db_and_schema(statement)
        for part in self._transform_explode(statement):
            transformed = self._transform(part, parameters)
            values = parameters if transformed.find(exp.Placeholder) else None
            if isinstance(statement, exp.Merge) and isinstance(transformed, exp.Create):
                # The working table of a MERGE. What fakesnow notes about a new table would be a write to a second
                # database in the transaction of the MERGE, which DuckDB refuses.
                self._duck_conn.execute(transformed.sql(dialect="duckdb"), values)
            else:
                self._execute(transformed, values)
        if scanned_id := transformed.args.get("result_scan_sfqid"):
            columns = self._results.columns(scanned_id)
        else:
            columns = [(name, str(kind)) for name, kind, *_ in self._duck_conn.description]
            self._results.keep(query_id, self._sfqid, columns)
        affected = self._rowcount if statement_type in DML_TYPE_IDS else None
        return Result(self._arrow_table, columns, statement_type, affected)

    def describe_columns(self, statement: exp.Expression) -> Sequence[tuple[str, str]]:
        """The (name, DuckDB type) pairs of the result that ``statement`` would have, without running it."""
        if isinstance(statement, exp.Query):
            # The values of placeholders come with the statement itself; NULL has the same columns.
            blank = statement.transform(
                lambda node: exp.null() if isinstance(node, exp.Placeholder) else node
            )
            sql = self._transform(blank, None).sql(dialect="duckdb")
        else:
            sql = DESCRIBE_RESULT_SQL.get(type(statement), DESCRIBE_RESULT_SQL[exp.Create])
        return [(name, kind) for name, kind, *_ in self._duck_conn.execute(f"DESCRIBE {sql}").fetchall()]

    def upload(self) -> dict[str, Any] | None:
        """What a client needs to carry out the PUT that was run last; None if that was another statement.

        The location is a directory of this machine, where server and client both are.
        """
        instructions: dict[str, Any] | None = self._last_transformed.args.get("put_stage_data")
        return instructions
