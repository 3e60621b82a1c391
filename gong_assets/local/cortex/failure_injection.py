"""Injected failures, to test locally how the project handles texts that Cortex rejects.

Cortex fails for some texts because of guardrails or throttling. With the environment variable set to a
regular expression when the server starts, the stand-ins fail for texts that match it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from gong_assets.local.cortex.errors import CortexError

VARIABLE = "GONG_ASSETS_LOCAL_CORTEX_REFUSES"
# The same for the token counters, which then have no count.
UNCOUNTED_VARIABLE = "GONG_ASSETS_LOCAL_CORTEX_CANNOT_COUNT"


class InjectedFailureError(CortexError):
    """The text matches the expression for injected failures. The message quotes it, as a guardrail may."""

    def __init__(self, function: str, text: str) -> None:
        super().__init__(
            f"Request failed for external function {function} with remote service error: 400 "
            f"'injected failure: {VARIABLE} matches \"{text}\"'"
        )


def failing_texts(environment: Mapping[str, str], variable: str = VARIABLE) -> re.Pattern[str] | None:
    """Return the pattern of failing texts, or None; raises ValueError for an invalid expression."""
    pattern = environment.get(variable)
    if not pattern:
        return None
    try:
        return re.compile(pattern)
    except re.error as error:
        raise ValueError(f"{variable} is not a regular expression: {error}") from error
