"""Stand-in for AI_REDACT.

Regular expressions find data with a fixed format (e-mail addresses, phone and card numbers, IP addresses) and
names in introductions ("my name is Ana", "Ana Ruiz:" before a turn). Cortex finds far more; this is not a
privacy control.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from gong_assets.local.cortex.errors import CortexError
from gong_assets.local.cortex.tokens import check_token_limit

# https://docs.snowflake.com/en/sql-reference/functions/ai_redact#limitations
MAX_TOKENS = 4096  # of input and output together
MAX_OUTPUT_TOKENS = 1024

_NAME = r"[A-ZÀ-Þ][\w'’-]+(?: [A-ZÀ-Þ][\w'’-]+){0,2}"

# Patterns by category, in the order of application: a card number also matches the pattern of phone numbers.
PATTERNS = {
    "EMAIL": re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"),
    "PAYMENT_CARD_DATA": re.compile(r"\b(?:\d[ -]?){13,16}\b"),
    "IP_ADDRESS": re.compile(r"\b(?:\d{1,3}\.){3}\d{1,3}\b"),
    "NATIONAL_ID": re.compile(r"\b\d{3}-\d{2}-\d{4}\b"),
    "PHONE_NUMBER": re.compile(
        r"(?<!\w)(?:\+\d{1,3}[ .-]?)?(?:\(\d{2,4}\)|\d{2,4})[ .-]\d{3,4}[ .-]?\d{3,4}\b"
    ),
    "NAME": re.compile(
        rf"(?:(?<=[Mm]y name is )|(?<=[Tt]his is )|(?<=I am )|(?<=I['’]m )|(?<=Mr\. )|(?<=Ms\. )){_NAME}"
        rf"|^{_NAME}(?=:\s)",
        re.MULTILINE,
    ),
}

# https://docs.snowflake.com/en/sql-reference/functions/ai_redact#detected-pii-categories
CATEGORIES = (
    *PATTERNS,
    "DATE_OF_BIRTH",
    "GENDER",
    "AGE",
    "ADDRESS",
    "PASSPORT",
    "TAX_IDENTIFIER",
    "DRIVERS_LICENSE",
)


def redact(text: str, categories: Sequence[str] = ()) -> str:
    """Return ``text`` with personal data replaced by ``[EMAIL]``, ``[PHONE_NUMBER]``, ``[NAME]``, ...

    ``categories`` limits the replacement to these categories; some of Cortex's have no pattern here. Raises
    CortexError for an unknown category, and TooLongError if the output exceeds 1,024 tokens or input and
    output exceed 4,096.
    """
    if unknown := [name for name in categories if name.upper() not in CATEGORIES]:
        raise CortexError(f"AI_REDACT supports the categories {', '.join(CATEGORIES)}, not '{unknown[0]}'.")
    wanted = [name.upper() for name in categories] or list(PATTERNS)
    redacted = text
    for name, pattern in PATTERNS.items():
        if name in wanted:
            redacted = pattern.sub(f"[{name}]", redacted)
    check_token_limit("AI_REDACT", redacted, MAX_OUTPUT_TOKENS)
    check_token_limit("AI_REDACT", f"{text}\n{redacted}", MAX_TOKENS)
    return redacted
