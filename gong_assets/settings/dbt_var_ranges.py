"""The ranges of the dbt vars that are numbers.

A range is the comment on the line of the var in `dbt_project.yml`, such as `# a whole number from 1 to 9`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

_DECLARATION = re.compile(
    r"^  (?P<name>\w+): [^#\n]*# a (?P<whole>whole )?number from (?P<minimum>\S+)(?: to (?P<maximum>\S+))?$",
    re.MULTILINE,
)

# Thresholds in ascending order. With two in the wrong order a category would have no values.
_ASCENDING = (
    (
        "sentiment_negative_above",
        "sentiment_neutral_above",
        "sentiment_positive_above",
        "sentiment_very_positive_above",
    ),
    ("mid_market_from_employees", "enterprise_from_employees"),
    ("medium_revenue_from", "high_revenue_from"),
    ("deal_risk_medium_from", "deal_risk_high_from"),
    ("coaching_talk_ratio_below", "coaching_talk_ratio_above"),
    ("performance_good_sentiment_above", "performance_high_sentiment_above"),
    ("performance_good_talk_ratio_from", "performance_good_talk_ratio_to"),
    ("performance_high_talk_ratio_from", "performance_high_talk_ratio_to"),
)


@dataclass(frozen=True)
class Range:
    """The numbers from a minimum to a maximum, both included. Infinity and NaN are not numbers."""

    minimum: float
    maximum: float = math.inf
    is_whole: bool = False

    def __contains__(self, value: float) -> bool:
        # A remainder of infinity or NaN is NaN.
        has_fraction = value % 1 != 0
        return (
            self.minimum <= value <= self.maximum
            and value != math.inf
            and not (self.is_whole and has_fraction)
        )

    def __str__(self) -> str:
        kind = "a whole number" if self.is_whole else "a number"
        maximum = "" if self.maximum == math.inf else f" to {self.maximum:.15g}"
        return f"{kind} from {self.minimum:.15g}{maximum}"


def declared_ranges(dbt_project: str) -> Mapping[str, Range]:
    """Return the range of each var with a number, from the text of `dbt_project.yml`."""
    return {
        found["name"]: Range(
            float(found["minimum"]), float(found["maximum"] or math.inf), found["whole"] is not None
        )
        for found in _DECLARATION.finditer(dbt_project)
    }


def order_problems(changed: Mapping[Any, Any], defaults: Mapping[str, Any]) -> Iterator[str]:
    """Yield the changed thresholds that are above the next one."""
    for lower, upper in (pair for names in _ASCENDING for pair in pairwise(names)):
        values = [changed.get(name, defaults[name]) for name in (lower, upper)]
        if not all(isinstance(value, int | float) for value in values):
            continue  # An error of its own.
        if changed.keys() & {lower, upper} and values[0] > values[1]:
            yield f"{lower} is {values[0]!r}; it must not be above {upper}, which is {values[1]!r}"
