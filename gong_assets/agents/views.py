"""The views that agents read, without private calls.

Private calls are always excluded: agents may answer any user, even where GONG_INCLUDE_PRIVATE_CALLS lands
them. Every statement selects calls, segments, events, deals and names from these relations, so that no
statement can omit the condition.
"""

from __future__ import annotations


def _public(view: str) -> str:
    return f"(SELECT * FROM {view} WHERE NOT COALESCE(IS_PRIVATE, FALSE))"


CALLS = _public("VW_ENRICHED_GONG_CALLS")
SEGMENTS = _public("VW_ENRICHED_GONG_CALL_TRANSCRIPTS")
SEARCHABLE_SEGMENTS = _public("VW_SEARCHABLE_SEGMENTS")
COACHING_OPPORTUNITIES = _public("VW_COACHING_OPPORTUNITIES")
ACCOUNT_EVENTS = _public("VW_ACCOUNT_TIMELINE")
DIRECTORY = _public("VW_DIRECTORY")
# The figures of a deal are those of all its calls, so a deal with a private call is left out.
DEAL_RISKS = "(SELECT * FROM VW_DEAL_RISK WHERE NOT HAS_PRIVATE_CALL)"
