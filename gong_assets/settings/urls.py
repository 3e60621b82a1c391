"""URLs in settings."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import urlsplit

from pydantic import SecretStr

# Letters of any script: a host name may be international.
_HOST_NAME = re.compile(r"[\w-]+(\.[\w-]+)*\.?")


def url_problems(
    variable: str, url: str | SecretStr | None, schemes: Sequence[str] = ("https", "http")
) -> list[str]:
    """Return what is wrong with a URL; nothing if it is not set. It may be secret, so it is not shown."""
    text = url.get_secret_value() if isinstance(url, SecretStr) else url
    if not text:
        return []
    if not text.startswith(tuple(f"{scheme}://" for scheme in schemes)):
        return [f"{variable}: must start with {' or '.join(f'{scheme}://' for scheme in schemes)}"]
    reason = _reason(text)
    return [f"{variable}: is not a valid URL: {reason}"] if reason else []


def _reason(url: str) -> str | None:
    if any(character.isspace() or not character.isprintable() for character in url):
        return "it contains a space, a line break or a control character"
    try:
        parts = urlsplit(url)
        host = parts.hostname
        parts.port  # noqa: B018
    except ValueError:
        return "its host or port is malformed"
    if not host:
        return "it has no host"
    is_address = ":" in host  # An IPv6 address, which urlsplit has validated.
    return None if is_address or _HOST_NAME.fullmatch(host) else "its host is malformed"
