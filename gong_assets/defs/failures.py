"""Conversion of errors of Gong, the warehouse and dbt to what Dagster shows.

Failures are returned, not raised, so that the call site keeps `raise ... from error` and the traceback
survives. `gong_assets/gong/http` decides whether a request is retried, this module whether a step is.
"""

from __future__ import annotations

import re

import dagster as dg

from gong_assets.error_advice import explain
from gong_assets.gong import GongConnectionError, GongMalformedResponseError, GongServerError
from gong_assets.settings import Settings
from gong_assets.warehouse.errors import WarehouseUnreachable

STEP_RETRIES = 2


def step_retries(settings: Settings) -> dg.RetryPolicy | None:
    """Return the retry policy of the steps that read Gong or the warehouse; None if it is turned off.

    The second wait is three times as long as the first. The policy applies to failures that allow retries.
    """
    seconds = settings.gong_assets_step_retry_seconds
    if not seconds:
        return None
    return dg.RetryPolicy(max_retries=STEP_RETRIES, delay=seconds, backoff=dg.Backoff.EXPONENTIAL)


def failure(error: Exception) -> dg.Failure:
    """Return the failure that a step raises for `error`. It allows retries if the error can pass.

    The client has retried such an error for half a minute. Other errors stay: a refused sign-in, a missing
    endpoint, the deletion guard. An exhausted daily quota is back only the next day, when a sensor starts a
    run that resumes (`resumption.py`).
    """
    return dg.Failure(description=explain(error), allow_retries=is_transient(error))


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
