"""Repeatable chance: numbers and draws that depend on nothing but a key.

Everything invented about a tenant comes from here, so that the same seed and day are the same in every process and on
every supported Python.
"""

from __future__ import annotations

import random
from hashlib import blake2b


def number(*key: object) -> int:
    """A number of 64 bits."""
    return int.from_bytes(blake2b(_text(key).encode(), digest_size=8).digest())


def draw(*key: object) -> random.Random:
    """A source of draws."""
    return random.Random(_text(key))  # noqa: S311 - it invents a story, it keeps no secret


def _text(key: tuple[object, ...]) -> str:
    return "/".join(map(str, key))
