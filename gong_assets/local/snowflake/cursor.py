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
            self._execute(transformed, parameters if transformed.find(exp.Placeholder) else None)
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

    def upload(self) -> exp.Expression | None:
        """The statement, if the last one was a PUT: fakesnow attached to it where the file goes."""
        last = self._last_transformed
        return last if last is not None and last.args.get("put_stage_data") else None
