"""Conversion of errors of Gong, the warehouse and dbt to what Dagster shows.

`gong_assets/gong/http` decides whether a request is retried, this module whether a step is.
"""

from __future__ import annotations

import re
from typing import NoReturn

import dagster as dg

from gong_assets.error_advice import explain
from gong_assets.gong import GongConnectionError, GongMalformedResponseError, GongServerError
from gong_assets.warehouse.errors import WarehouseUnreachable

# A minute apart. A `dg.RetryPolicy` would also retry a canceled step, so that a run could not be canceled.
STEP_RETRIES = 2
STEP_RETRY_SECONDS = 60


def failure(error: Exception) -> dg.Failure:
    """Return the failure for `error`, which allows no retry."""
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


def explain_dbt(text: str) -> str:
    """Return the errors in dagster-dbt's message about a failed command, one per line.

    >>> explain_dbt("The dbt CLI process failed...\\n\\nDatabase Error in model stg_calls\\n  002003 ...")
    'dbt: Database Error in model stg_calls 002003 ...'
    """
    blocks = re.split(r"\n\s*\n", re.sub(r"\x1b\[[0-9;]*m", "", text))
    lines = [" ".join(block.split()) for block in blocks]
    errors = [line for line in lines if re.search(r"\b(Error|Failure) in\b", line)] or lines[:1]
    return "\n".join(f"dbt: {line}" for line in dict.fromkeys(errors[:3]))
