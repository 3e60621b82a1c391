"""Texts that the stand-ins refuse on purpose, to see on a laptop what a refusing Cortex does to a graph.

Cortex fails for some texts (its guardrails, a throttled day) and nothing local would ever show that. The environment
variable holds a regular expression, read when the server starts; a text in which it is found is refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from gong_assets.local.cortex.errors import CortexError

VARIABLE = "GONG_ASSETS_LOCAL_CORTEX_REFUSES"


class RefusedError(CortexError):
    """The stand-in was told to refuse this text."""

    def __init__(self, function: str) -> None:
        super().__init__(
            f"Request failed for external function {function} with remote service error: 400 "
            f"'the local stand-in refuses this text, as {VARIABLE} tells it to'"
        )


def refused_texts(environment: Mapping[str, str]) -> re.Pattern[str] | None:
    """What a refused text matches, None when nothing is refused; raises ValueError for a bad regular expression."""
    pattern = environment.get(VARIABLE)
    if not pattern:
        return None
    try:
        return re.compile(pattern)
    except re.error as error:
        raise ValueError(f"{VARIABLE} is not a regular expression: {error}") from error
