"""Sends the texts that wait to Cortex, in batches, and keeps the answers.

A batch is one statement, which inserts its answers. If a function fails for one text, the whole statement
fails: its texts are then sent again in smaller batches, and one by one in the last attempt. The answers of
other batches are kept. An attempt is recorded before its batch is sent, so a process that dies loses nothing
but the batch in flight. It counts when Cortex has answered or failed, so an outage of the warehouse or the
end of a run uses up no attempt.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from datetime import date
from queue import Empty, SimpleQueue
from threading import Event
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from gong_assets.cortex.batching import count_queue, leftover_queues
from gong_assets.cortex.budget import Budget, spending
from gong_assets.cortex.enrichments import ENRICHMENTS, Enrichment
from gong_assets.cortex.functions import Functions
from gong_assets.cortex.planning import Plan
from gong_assets.cortex.prices import Prices
from gong_assets.cortex.results import CONTINUE_ON_ERROR, embedding_column
from gong_assets.cortex.tables import ANSWERS, add_dimension, answer_columns, create_statements
from gong_assets.cortex.texts import Scope
from gong_assets.security.texts import one_line
from gong_assets.warehouse.connection import Warehouse, fetch, transaction
from gong_assets.warehouse.errors import is_unknown_object, may_come_from_rows
from gong_assets.warehouse.queries import existing_tables

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection


class CortexError(Exception):
    """Cortex did not answer."""


class BatchFailed(CortexError):
    """A batch has no answer. A retry sends its texts in smaller batches."""


class CortexUnavailable(CortexError):
    """Cortex does not even answer for a fixed sentence, so sending texts would only use up their attempts."""


@dataclass(frozen=True)
class TextCounts:
    """The texts of a day, as in `Outcome`."""

    texts: int = 0
    over_budget: int = 0
    uncounted: int = 0


@dataclass(frozen=True)
class Outcome:
    """Result of one run of an enrichment.

    Attributes:
        texts: texts that waited.
        batches: batches that were sent.
        over_budget: texts that wait for another run, because they exceed the budget.
        uncounted: texts that wait because their tokens could not be counted.
        by_day: these texts by day.
    """

    texts: int = 0
    batches: int = 0
    over_budget: int = 0
    uncounted: int = 0
    by_day: Mapping[date, TextCounts] = field(default_factory=dict)


def create_tables(
    connection: SnowflakeConnection, functions: Functions, existing: Collection[str] | None = None
) -> None:
    """Create the tables of what was sent and answered, unless they exist.

    Args:
        existing: names of the tables of the schema, if they are known.
    """
    if existing is None:
        existing = existing_tables(connection)
    for statement in create_statements(functions, existing):
        _execute(connection, statement)
    if ANSWERS in existing:
        columns = {row["COLUMN_NAME"] for row in fetch(connection, answer_columns())}
        if embedding_column(functions) not in columns:  # The vectors of another model have another dimension.
            _execute(connection, add_dimension(functions))


@dataclass(frozen=True)
class Sender:
    """Sends the texts of one enrichment in one run.

    Attributes:
        warehouse: for further connections, if several batches are sent at once.
        log: receives a line for each batch, and the estimated cost before any is sent.
        warn: receives what needs attention.
    """

    warehouse: Warehouse
    enrichment: Enrichment
    scope: Scope
    budget: Budget
    run_key: str
    log: Callable[[str], None]
    warn: Callable[[str], None]

    def run(self, connection: SnowflakeConnection) -> Outcome:
        """Send the texts of the days that wait.

        Raises:
            BatchFailed: Cortex failed for a batch. Batches after it are not sent.
            CortexUnavailable: Cortex failed for a fixed sentence.
        """
        variables = self.scope.functions.variables
        kept_days = int(variables["cortex_answers_kept_days"])
        plan = Plan(self.enrichment, self.scope, Prices.of_vars(variables), self.run_key, uuid4().hex)
        try:
            found = self._survey(connection, plan, kept_days)
        except Exception as error:
            if not is_unknown_object(error):
                raise
            create_tables(connection, self.scope.functions)
            found = self._survey(connection, plan, kept_days)
        if found["MOVED"]:
            for statement in plan.sent.move():
                _execute(connection, statement)
            found = self._survey(connection, plan, kept_days)
        outcome = Outcome()
        if found["WAITING"]:
            existing = existing_tables(connection)
            create_tables(connection, self.scope.functions, existing)  # A new embedding model needs a column.
            for table in leftover_queues(self.enrichment.queue, plan.started_on, existing):
                _execute(connection, f"DROP TABLE IF EXISTS {table}")
            outcome = self._send_waiting(connection, plan, found["WAITING"])
        if found["STALE"] and not (outcome.over_budget or outcome.uncounted):
            # Afterwards, because the first answer for a call is known from its earlier texts.
            for statement in plan.sent.delete_stale():
                _execute(connection, statement)
        if found["ORPHANED"]:
            for statement in plan.sent.delete_orphaned(kept_days):
                _execute(connection, statement)
        return outcome

    def _survey(self, connection: SnowflakeConnection, plan: Plan, kept_days: int) -> dict[str, int]:
        (row,) = fetch(connection, plan.survey(kept_days))
        return {name: int(count) for name, count in row.items()}

    def _send_waiting(self, connection: SnowflakeConnection, plan: Plan, texts: int) -> Outcome:
        _execute(connection, plan.delete_unsent())
        (spent,) = fetch(connection, spending(self.run_key))
        left = self.budget.left(spent)
        # The queue has the text of transcripts. If the process is killed, a run two days later drops it.
        with _undone(connection, f"DROP TABLE IF EXISTS {plan.queue}"):
            _execute(connection, plan.create_queue(left))
            days = fetch(connection, count_queue(plan.queue, left))
            _execute(connection, plan.record_batches())
            self._log_estimates(fetch(connection, plan.estimates()))
            self._warn_of(days)
            batches = max((int(day["BATCHES"]) for day in days), default=0)
            if batches:
                with self._session(connection):
                    if any(day["RETRIES"] for day in days):
                        self._probe(connection)
                    self._send_batches(connection, plan, batches)
        by_day = {
            day["CALL_DATE"]: TextCounts(*(int(day[name]) for name in ("TEXTS", "OVER_BUDGET", "UNCOUNTED")))
            for day in days
        }
        return Outcome(texts, batches, _total(days, "OVER_BUDGET"), _total(days, "UNCOUNTED"), by_day)

    def _log_estimates(self, rows: Sequence[Mapping[str, Any]]) -> None:
        for row in rows:
            cost = "an unknown price"
            if row["CREDITS"] is not None:
                cost = f"{float(row['CREDITS']):.4f} credits (${float(row['DOLLARS']):.2f})"
            is_sent = row["STATUS"] == "Planned"
            verb = "sends" if is_sent else f"exceeds the budget of {self.budget} and defers"
            self.log(
                f"Cortex: {self.enrichment.model} {verb} {int(row['CALLS']):,} calls of "
                f"{row['FUNCTION_NAME']}, about {int(row['TOKENS']):,} tokens and {cost}"
            )

    def _warn_of(self, days: Sequence[Mapping[str, Any]]) -> None:
        """Warn of texts that would otherwise wait silently."""
        model = self.enrichment.model
        if (oversized := _total(days, "OVERSIZED")) and not self.budget.sends_nothing:
            tokens = max(int(day["LARGEST"] or 0) for day in days)
            credits = max(float(day["LARGEST_CREDITS"] or 0) for day in days)
            self.warn(
                f"Cortex: {oversized} texts of {model} need up to {tokens:,} tokens and {credits:.4f} "
                f"credits each. No run can send them within its budget of {self.budget}."
            )
        if uncounted := _total(days, "UNCOUNTED"):
            self.warn(
                f"Cortex: the tokens of {uncounted} texts of {model} could not be counted. They wait, and "
                "are counted again."
            )

    @contextmanager
    def _session(self, connection: SnowflakeConnection) -> Iterator[None]:
        """Set what the functions of the enrichment need in the session of a connection."""
        if "redaction" not in self.enrichment.capabilities:
            yield
            return
        _execute(connection, CONTINUE_ON_ERROR)
        with _undone(connection, "ALTER SESSION UNSET AI_SQL_ERROR_HANDLING_USE_FAIL_ON_ERROR"):
            yield

    def _probe(self, connection: SnowflakeConnection) -> None:
        """Send a fixed sentence, so that an outage of Cortex does not use up attempts of texts."""
        with _cortex_errors(CortexUnavailable):
            _execute(connection, self.enrichment.probe(self.scope.functions))

    def _send_batches(self, connection: SnowflakeConnection, plan: Plan, batches: int) -> None:
        """Send the batches in order, several at once if the var allows it."""
        waiting: SimpleQueue[int] = SimpleQueue()
        for batch in range(1, batches + 1):
            waiting.put(batch)
        stopped = Event()

        def send_all(on: SnowflakeConnection | None) -> None:
            with nullcontext(on) if on else self.warehouse.connect() as own, self._session_of(own, on):
                while not stopped.is_set():
                    try:
                        batch = waiting.get_nowait()
                    except Empty:
                        return
                    try:
                        self.log(f"Cortex: {self.enrichment.model}, batch {batch} of {batches}")
                        _send_batch(own, plan, batch)
                    except BaseException:
                        stopped.set()
                        raise

        connections = min(int(self.scope.functions.variables["cortex_connections"]), batches)
        if connections <= 1:
            send_all(connection)
            return
        with ThreadPoolExecutor(connections, "cortex") as pool:
            try:
                for future in [
                    pool.submit(send_all, own) for own in (connection, *[None] * (connections - 1))
                ]:
                    future.result()
            finally:
                stopped.set()

    def _session_of(self, own: SnowflakeConnection, given: SnowflakeConnection | None) -> Any:
        return nullcontext() if given is own else self._session(own)


def drop_queues(connection: SnowflakeConnection) -> None:
    """Drop what killed processes left behind: their queues have texts of calls. Nothing may be sending."""
    prefixes = tuple(f"{each.queue}_" for each in ENRICHMENTS.values())
    for table in sorted(existing_tables(connection)):
        if table.startswith(prefixes):
            _execute(connection, f"DROP TABLE IF EXISTS {table}")


def _send_batch(connection: SnowflakeConnection, plan: Plan, batch: int) -> None:
    # Snowflake runs UPDATEs of one table one after another, so two runs cannot claim the same text.
    with transaction(connection):
        _execute(connection, plan.set_status(batch, "Sent"))
        _execute(connection, plan.claim(batch))
    try:
        with _cortex_errors(BatchFailed):
            _execute(connection, plan.send(batch))
    except BatchFailed:
        _execute(connection, plan.count_attempts(batch))
        raise
    _execute(connection, plan.count_attempts(batch))
    _execute(connection, plan.set_status(batch, "Answered"))


@contextmanager
def _cortex_errors(kind: type[CortexError]) -> Iterator[None]:
    """Raise an error of Cortex as `kind`. Errors of the warehouse, such as a full disk, stay as they are."""
    from snowflake.connector.errors import ProgrammingError

    try:
        yield
    except ProgrammingError as error:
        if not may_come_from_rows(error):
            raise
        raise kind(one_line(str(error))) from error


@contextmanager
def _undone(connection: SnowflakeConnection, statement: str) -> Iterator[None]:
    """Run the statement after the block. If the block fails, its error is raised even if this fails too."""
    try:
        yield
    except BaseException:
        with suppress(Exception):
            _execute(connection, statement)
        raise
    _execute(connection, statement)


def _execute(connection: SnowflakeConnection, statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def _total(days: Sequence[Mapping[str, Any]], name: str) -> int:
    return sum(int(day[name]) for day in days)
