"""The topic of a generated sentence, with which tests compare the results of searches."""

from __future__ import annotations

import re
from functools import cache

from gong_assets.local.gong_tenant.speech import pools


def topic_of(text: str) -> str | None:
    """Return the topic whose pool contains the template of ``text``, or None."""
    return next((topic for pattern, topic in _patterns() if pattern.fullmatch(text)), None)


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], str], ...]:
    return tuple(
        (_pattern(template), topic)
        for topic, pool in pools()["topics"].items()
        for side in (pool["rep"], pool["customer"])
        for templates in side.values()
        for template in templates
    )


def _pattern(template: str) -> re.Pattern[str]:
    literals = [part.replace("{{", "{").replace("}}", "}") for part in re.split(r"(?<!\{)\{\w+\}", template)]
    return re.compile(".+?".join(map(re.escape, literals)), re.DOTALL)
