"""Conversion of errors of Gong, the warehouse and dbt to what Dagster shows.

`gong_assets/gong/http` decides whether a request is retried, this module whether a step is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import dagster as dg

from gong_assets.error_advice import explain
from gong_assets.gong import (
    GongAuthenticationError,
    GongConnectionError,
    GongMalformedResponseError,
    GongServerError,
)
from gong_assets.security.texts import one_line
from gong_assets.settings.esc import expire
from gong_assets.warehouse.errors import WarehouseSignInFailed, WarehouseUnreachable, is_unreachable

# A minute apart. A `dg.RetryPolicy` would also retry a canceled step, so that a run could not be canceled.
STEP_RETRIES = 2
STEP_RETRY_SECONDS = 60

if TYPE_CHECKING:
    from dbt.cli.main import dbtRunnerResult

# Further failures of one run rarely have another cause.
MAX_NODES_EXPLAINED = 5


def failure(error: Exception) -> dg.Failure:
    """Return the failure for `error`, which allows no retry.

    After a refused sign-in, the next connection uses new values of GONG_ASSETS_ESC.
    """
    if isinstance(error, GongAuthenticationError | WarehouseSignInFailed):
        expire()
    return dg.Failure(description=explain(error), allow_retries=False)


def fail_step(error: Exception) -> NoReturn:
    """End the step with the failure for `error`; if the error can pass, retry the step first.

    An exhausted daily quota is back only the next day, when a sensor starts a run that resumes
    (`resumption.py`).

    Raises:
        dagster.Failure: the error stays, such as a refused sign-in, a missing endpoint, the deletion guard.
        dagster.RetryRequested: the client has retried the error for half a minute. After the last retry, the
            step fails with the same failure.
    """
    failed = failure(error)
    if is_transient(error):
        failed.__cause__ = error
        raise dg.RetryRequested(STEP_RETRIES, STEP_RETRY_SECONDS) from failed
    raise failed from error


def is_transient(error: Exception) -> bool:
    """Return True if a retry after minutes may succeed.

    A host that does not resolve, refuses connections or has an invalid certificate is usually a wrong
    setting, which is reported at once.
    """
    if isinstance(error, GongConnectionError):
        return error.fault in ("broken", "timeout")
    return isinstance(error, GongServerError | GongMalformedResponseError | WarehouseUnreachable)


def error_chain(error: Any) -> Iterator[Any]:
    """Yield an error of a step's event, and its causes in turn."""
    while error is not None:
        yield error
        error = error.cause


def explain_dbt(*commands: dbtRunnerResult) -> str:
    """Return the error of each model and test that failed: the database's words, and the compiled SQL.

    A command that failed before it ran a model, for example because the warehouse refused the sign-in, has an
    exception instead. The results of a command replace those of the commands before it.
    """
    failed = [each for each in _results(commands) if each.status in ("error", "fail")]
    if not failed:
        return f"dbt: {_one_line(str(_exception(commands) or 'the command failed'))}"
    lines = [_explain_node(each) for each in failed[:MAX_NODES_EXPLAINED]]
    if len(failed) > MAX_NODES_EXPLAINED:
        lines.append(f"{len(failed) - MAX_NODES_EXPLAINED} more models and tests failed.")
    return "\n".join(lines)


def is_transient_dbt(*commands: dbtRunnerResult) -> bool:
    """Return True if the warehouse did not answer dbt: a retry of the commands may succeed."""
    results = _results(commands)
    if any(each.status == "fail" for each in results):
        return False
    errors = [each.message or "" for each in results if each.status == "error"]
    return all(map(is_unreachable, errors or [str(_exception(commands))]))


def _results(commands: Sequence[dbtRunnerResult]) -> list[Any]:
    """Return the last result of each model and test."""
    results = [each for command in commands for each in getattr(command.result, "results", None) or []]
    return list({each.node.unique_id: each for each in results}.values())


def _exception(commands: Sequence[dbtRunnerResult]) -> BaseException | None:
    return next((command.exception for command in commands if command.exception), None)


def _explain_node(result: Any) -> str:
    node = result.node
    message = _one_line(result.message or "")
    if result.status == "fail":
        message = f"Failure in test {node.name} ({node.original_file_path}): {message}"
    # dbt writes the path relative to its own directory if it can.
    compiled = getattr(node, "compiled_path", None)
    return f"dbt: {message}" + (f"\nCompiled SQL: {Path(compiled).absolute()}" if compiled else "")


def _one_line(text: str) -> str:
    """Return a message of dbt without line breaks, its hint to the compiled code, and colours."""
    lines = re.sub(r"\x1b\[[0-9;]*m", "", text).splitlines()
    return one_line("\n".join(line for line in lines if not line.strip().startswith("compiled code at")))
