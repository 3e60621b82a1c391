"""One dbt command in this process, by dbt's public runner. It saves the start of a second Python process.

dbt runs in a thread, with one connection for all of its nodes. Dagster receives the events while dbt works.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from contextvars import copy_context
from queue import SimpleQueue
from threading import Event, Thread, current_thread
from typing import TYPE_CHECKING, Any

from gong_assets.defs.dbt.project import without_dbt_variables

if TYPE_CHECKING:
    from dbt.cli.main import dbtRunnerResult
    from dbt.contracts.graph.manifest import Manifest
    from dbt_common.events.base_types import EventMsg

# dbt's events that a node of the graph has ended: with its status, and with the answer of the warehouse.
RESULT_EVENTS = ("LogModelResult", "LogTestResult")
FINISHED_EVENT = "NodeFinished"

# How long a cancelled command may take to end its statement before the statement is cancelled as well, and
# how long to wait afterwards.
GRACE_SECONDS = 1
STOP_SECONDS = 25


class DbtInvocation:
    """A dbt command that runs once, in a thread of this process.

    Args:
        manifest: the parsed project.
    """

    def __init__(self, arguments: Sequence[str], manifest: Manifest) -> None:
        self._result: dbtRunnerResult | None = None
        # Only the flag --single-threaded lets an event handler interrupt dbt, and each thread would sign in.
        self._arguments = ["--single-threaded", "--no-use-colors", "--log-level-file", "none", *arguments]
        self._manifest = manifest
        self._events: SimpleQueue[EventMsg | None] = SimpleQueue()
        self._cancelled = Event()
        self._interrupted = False
        self._context = copy_context()
        self._thread = Thread(target=self._run, name="dbt", daemon=True)

    def events(self) -> Iterator[dict[str, Any]]:
        """Run the command, and yield its events about nodes that ended, in dbt's JSON format.

        If the caller stops early, for example because the run is terminated, the command is cancelled: its
        statement is interrupted and its transaction is rolled back.
        """
        from dbt_common.events.functions import msg_to_dict

        self._thread.start()
        try:
            while (message := self._events.get()) is not None:
                yield msg_to_dict(message)
            self._thread.join()
        finally:
            if self._thread.is_alive():
                self._cancel()

    @property
    def result(self) -> dbtRunnerResult:
        """The result of dbt's runner.

        Raises:
            RuntimeError: the command has not ended.
        """
        if self._result is None:
            raise RuntimeError("the dbt command has not ended")
        return self._result

    def _run(self) -> None:
        from dbt.cli.main import dbtRunner

        try:
            self._result = dbtRunner(manifest=self._manifest, callbacks=[self._receive]).invoke(
                self._arguments
            )
        finally:
            self._events.put(None)

    def _receive(self, message: EventMsg) -> None:
        if current_thread() is not self._thread:
            return  # About a statement of `_cancel_statements`.
        self._context = copy_context()
        if self._cancelled.is_set() and not self._interrupted:
            self._interrupted = True
            raise KeyboardInterrupt  # dbt then closes its connections, as it does for Ctrl-C.
        if message.info.name in (*RESULT_EVENTS, FINISHED_EVENT):
            self._events.put(message)

    def _cancel(self) -> None:
        self._cancelled.set()
        self._thread.join(GRACE_SECONDS)
        if self._thread.is_alive():
            with suppress(Exception):  # The connection may be closed meanwhile.
                self._context.copy().run(_cancel_statements)  # dbt keeps its flags in context variables.
            self._thread.join(STOP_SECONDS)


def _cancel_statements() -> None:
    from dbt.adapters.factory import get_adapter_by_type

    adapter = get_adapter_by_type("snowflake")  # type: ignore[no-untyped-call]
    with adapter.connection_named("cancel"):
        list(adapter.cancel_open_connections())


@contextmanager
def environment(values: Mapping[str, str]) -> Iterator[None]:
    """Set the environment variables of a dbt command within the block, and unset those of dbt itself."""
    before = dict(os.environ)
    try:
        _replace_environment({**without_dbt_variables(before), **values})
        yield
    finally:
        _replace_environment(before)


def _replace_environment(values: Mapping[str, str]) -> None:
    for name in os.environ.keys() - values.keys():
        del os.environ[name]
    os.environ.update(values)
