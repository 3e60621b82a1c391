"""Execution of one translated statement through fakesnow."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from fakesnow.conn import FakeSnowflakeConnection
from fakesnow.cursor import DESCRIBE_RESULT_SQL, FakeSnowflakeCursor
from fakesnow.statement_type import DML_TYPE_IDS, statement_type_id
from sqlglot import exp

from gong_assets.local.snowflake.errors import SnowflakeError
from gong_assets.local.snowflake.server.results import Result
from gong_assets.local.snowflake.sql import merges
from gong_assets.local.snowflake.sql.indexed_statement import IndexedStatement
from gong_assets.local.snowflake.storage.result_cache import ResultCache
from gong_assets.local.snowflake.storage.translation_cache import TranslatedQuery

Parameters = list[Any] | dict[str, Any] | None


class Cursor(FakeSnowflakeCursor):  # type: ignore[misc]  # fakesnow has no types
    """A fakesnow cursor that takes a parsed and rewritten statement instead of SQL text."""

    def __init__(self, connection: FakeSnowflakeConnection, results: ResultCache, user: str) -> None:
        super().__init__(connection, connection._duck_conn)
        self._results = results
        self._user = user
        # Applies the policies of the session to a statement in DuckDB's dialect.
        self.apply_policies: Callable[[exp.Expression], exp.Expression] = lambda statement: statement
        self.rejects_duplicates = True  # in the source of a MERGE
        self.translated: TranslatedQuery | None = None  # the last statement, if it is a query

    def run(self, statement: exp.Expression, parameters: Parameters, query_id: str) -> Result:
        """Run ``statement`` with its parameters and cache the result under ``query_id``."""
        statement_type = statement_type_id(statement)
        is_query = isinstance(statement, exp.Query)
        self.check_db_and_schema(statement)
        for part in self._transform_explode(statement):
            is_merge_start = isinstance(statement, exp.Merge) and isinstance(part, exp.Create)
            if is_merge_start:
                merges.add_target(part, statement)
            transformed = self.apply_policies(self._transform(part, parameters))
            self._check_scanned_result(transformed)
            values = parameters if transformed.find(exp.Placeholder) else None
            if is_merge_start:
                # fakesnow creates a working table for MERGE and would record it in a second database. DuckDB
                # allows writes to one database per transaction, so the table is created without that record.
                self._duck_conn.execute(transformed.sql(dialect="duckdb"), values)
                self._reject_duplicates(statement)
            else:
                self._execute(transformed, values)
        if scanned_id := transformed.args.get("result_scan_sfqid"):
            columns = self._results.columns(scanned_id)
        else:
            columns = self._keep_result(query_id)
            if is_query and not transformed.args.get("seed"):
                self.translated = TranslatedQuery(transformed, statement_type)
        affected = self._rowcount if statement_type in DML_TYPE_IDS else None
        return Result(self._arrow_table, columns, statement_type, affected)

    def _transform(self, expression: exp.Expression, params: Parameters) -> exp.Expression:
        # fakesnow only chains calls of the statement's `transform`.
        chain: IndexedStatement = super()._transform(IndexedStatement(expression), params)
        return chain.root

    def _check_scanned_result(self, statement: exp.Expression) -> None:
        """Raise SnowflakeError for RESULT_SCAN of a query that another user ran.

        https://docs.snowflake.com/en/sql-reference/functions/result_scan#usage-notes
        """
        scanned_id = statement.args.get("result_scan_sfqid")
        if scanned_id and not self._results.is_of(scanned_id, self._user):
            raise SnowflakeError(709, "02000", f"Statement {scanned_id} not found")

    def _reject_duplicates(self, merge: exp.Merge) -> None:
        sql = merges.duplicates_sql(merge)
        if sql is not None and self.rejects_duplicates and self._duck_conn.execute(sql).fetchone():
            raise merges.duplicate_row_error()

    def run_translated(self, query: TranslatedQuery, query_id: str) -> Result:
        """Run a query that was translated before."""
        self._execute(query.expression, None)
        return Result(self._arrow_table, self._keep_result(query_id), query.statement_type)

    def to_duckdb(self, query: exp.Expression) -> exp.Expression:
        """Return a query in DuckDB's dialect, without running it."""
        return self._transform(query, None)

    def _keep_result(self, query_id: str) -> Sequence[tuple[str, str]]:
        """Cache the result of the last statement, and return its columns."""
        columns = _columns(self._duck_conn.description)
        self._results.rename(query_id, self._sfqid, columns, self._user)
        return columns

    def describe_columns(self, statement: exp.Expression) -> Sequence[tuple[str, str]]:
        """Return the (name, DuckDB type) pairs of the result of ``statement`` without running it."""
        if isinstance(statement, exp.Query):
            # A describe request has no parameter values. NULL in their place gives the same columns.
            blank = statement.transform(
                lambda node: exp.null() if isinstance(node, exp.Placeholder) else node
            )
            sql = self._transform(blank, None).sql(dialect="duckdb")
        else:
            sql = DESCRIBE_RESULT_SQL.get(type(statement), DESCRIBE_RESULT_SQL[exp.Create])
        return _columns(self._duck_conn.execute(f"DESCRIBE {sql}").fetchall())

    def upload(self) -> dict[str, Any] | None:
        """Return the instructions for the client if the last statement was a PUT, else None.

        The stage location is a local directory, because client and server run on the same machine.
        """
        instructions: dict[str, Any] | None = self._last_transformed.args.get("put_stage_data")
        return instructions


def _columns(description: Iterable[Sequence[Any]]) -> list[tuple[str, str]]:
    """Return the (name, DuckDB type) pairs of a result; raises SnowflakeError for an INTERVAL.

    DuckDB returns one for the difference of two timestamps, which Snowflake does not subtract.
    """
    columns = [(name, str(kind)) for name, kind, *_ in description]
    if any(kind == "INTERVAL" for _, kind in columns):
        raise SnowflakeError(
            1044,
            "42P13",
            "SQL compilation error: Invalid argument types for function '-': (TIMESTAMP_NTZ(9), "
            "TIMESTAMP_NTZ(9)) (use DATEDIFF)",
        )
    return columns
