"""Reproducible random numbers that depend only on a key.

All generated data uses them, so that a seed and a day give the same data in every process and Python version.
"""

from __future__ import annotations

import random
from hashlib import blake2b


def number(*key: object) -> int:
    """Return a number of 64 bits for a key."""
    return int.from_bytes(blake2b(_text(key).encode(), digest_size=8).digest())


def generator(*key: object) -> random.Random:
    """Return a random number generator that is seeded with a key."""
    return random.Random(_text(key))  # noqa: S311 - not used for security


def _text(key: tuple[object, ...]) -> str:
    return "/".join(map(str, key))
