"""Runs in the process of a command: what a signal at any moment makes of them."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from typing import Any

import dagster as dg
import pytest

from gong_assets.cli.graph_run import execute
from gong_assets.cli.interruption import Interrupted, interruptible, leaving
from gong_assets.dates import DateRange

SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


class Listener:
    """Raises a signal when it receives a message."""

    def __init__(self, number: signal.Signals, at: str) -> None:
        self._number = number
        self._at = at

    def run_started(self, days: DateRange) -> None: ...
    def records_read(self, noun: str, done: int, total: int | None) -> None: ...

    def message(self, text: str) -> None:
        if text == self._at:
            signal.raise_signal(self._number)


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.instance_for_test() as instance:
        yield instance


@pytest.fixture(autouse=True)
def ctrl_c() -> Iterator[None]:
    """A test runner in the background ignores SIGINT."""
    previous = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, previous)


@dg.op
def first(context) -> None:  # type: ignore[no-untyped-def]
    context.log.info("during")


@dg.op(ins={"after": dg.In(dg.Nothing)})
def second() -> None: ...


@dg.success_hook
def after_step(context) -> None:  # type: ignore[no-untyped-def]
    context.log.info(f"after {context.op.name}")


@dg.job(executor_def=dg.in_process_executor, hooks={after_step})
def two_steps() -> None:
    second(after=first())


@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize(
    "at",
    [
        pytest.param("first", id="when the first step starts"),
        pytest.param("during", id="in the first step"),
        pytest.param("after first", id="after the first step"),
        pytest.param("second", id="when the second step starts"),
    ],
)
def test_a_signal_cancels_the_run_whenever_it_arrives(
    instance: dg.DagsterInstance, number: signal.Signals, at: str
) -> None:
    with interruptible(), pytest.raises(Interrupted, match="is canceled"):
        execute(two_steps, instance, None, {}, Listener(number, at), tags={})
    (run,) = instance.get_runs()
    assert run.status is dg.DagsterRunStatus.CANCELED


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_before_the_start_cancels_the_run(
    instance: dg.DagsterInstance, number: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = dg.DagsterInstance.create_run_for_job

    def create_and_interrupt(*arguments: Any, **options: Any) -> Any:
        create(*arguments, **options)
        signal.raise_signal(number)

    monkeypatch.setattr(dg.DagsterInstance, "create_run_for_job", create_and_interrupt)
    with interruptible(), pytest.raises(Interrupted, match="is canceled"):
        execute(two_steps, instance, None, {}, Listener(number, ""), tags={})
    assert [run.status for run in instance.get_runs()] == [dg.DagsterRunStatus.CANCELED]


def test_an_interruption_says_what_it_leaves() -> None:
    with pytest.raises(Interrupted, match="interrupted: one of two"), leaving("one of two"):
        raise KeyboardInterrupt
    with pytest.raises(Interrupted, match="interrupted: stored"), leaving("stored"):
        raise Interrupted("interrupted: run 1 is canceled")
