"""Conversion of errors of Gong, the warehouse and dbt to what Dagster shows.

Failures are returned, not raised, so that the call site keeps `raise ... from error` and the traceback
survives. Whether a single request is retried is decided in `gong_assets/gong/http`.
"""

from __future__ import annotations

import re

import dagster as dg

from gong_assets.error_advice import explain


def failure(error: Exception) -> dg.Failure:
    """Return the failure that a step raises for `error`.

    Dagster does not retry it immediately: the client has already retried transient faults for minutes, and an
    exhausted daily quota is back only the next day, when a sensor starts a run that resumes
    (`resumption.py`).
    """
    return dg.Failure(description=explain(error), allow_retries=False)


def explain_dbt(text: str) -> str:
    """Return the errors in dagster-dbt's message about a failed command, one per line.

    >>> explain_dbt("The dbt CLI process failed...\\n\\nDatabase Error in model stg_calls\\n  002003 ...")
    'dbt: Database Error in model stg_calls 002003 ...'
    """
    blocks = re.split(r"\n\s*\n", re.sub(r"\x1b\[[0-9;]*m", "", text))
    lines = [" ".join(block.split()) for block in blocks]
    errors = [line for line in lines if re.search(r"\b(Error|Failure) in\b", line)] or lines[:1]
    return "\n".join(f"dbt: {line}" for line in dict.fromkeys(errors[:3]))
