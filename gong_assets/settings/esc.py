"""Settings from a Pulumi ESC environment: GONG_ASSETS_ESC fills the variables that are not set.

Processes started by this one inherit the values with the names of the variables, and open the environment
again: a value that was rotated takes effect in the next run. A process that lives longer opens it again after
the lease, and after a failed sign-in.

https://www.pulumi.com/docs/esc/environments/
"""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from gong_assets.settings.esc_definition import UnknownSecret, with_secret

VARIABLE = "GONG_ASSETS_ESC"
# Names of the variables that were filled from the environment, for the processes that inherit them.
_FILLED = "GONG_ASSETS_ESC_FILLED"

# ESC keeps an opened environment, with its short-lived credentials, for an hour by default.
LEASE_SECONDS = 50 * 60.0
# A service that does not answer is not asked again for each connection.
_RETRY_SECONDS = 60.0

_PLACE = re.compile(r"[\w.-]{3,40}/[\w.-]{1,100}/[\w.-]{1,100}")

_lock = threading.Lock()
_opened_at: float | None = None


class EscError(Exception):
    """The ESC environment cannot be opened. The message shows none of its values."""


def fill_environment(names: Collection[str]) -> None:
    """Set the variables of these names that the environment has and that nothing else sets.

    Does nothing without GONG_ASSETS_ESC, and within the lease.

    Raises:
        EscError: the environment cannot be opened, and no earlier values are there.
    """
    global _opened_at
    place = os.environ.get(VARIABLE)
    with _lock:
        if not place or (_opened_at is not None and time.monotonic() - _opened_at < LEASE_SECONDS):
            return
        filled = set(filter(None, os.environ.get(_FILLED, "").split(",")))
        try:
            values = _variables(_open(place), names)
        except EscError:
            if not filled:
                raise
            _opened_at = time.monotonic() - LEASE_SECONDS + _RETRY_SECONDS  # The values in use may be valid.
            return
        for name in filled - values.keys():
            os.environ.pop(name, None)
        new = {name: value for name, value in values.items() if name in filled or not os.environ.get(name)}
        os.environ.update(new)
        os.environ[_FILLED] = ",".join(sorted(new))
        _opened_at = time.monotonic()


def expire() -> None:
    """End the lease, because a sign-in failed: the next use opens the environment again."""
    global _opened_at
    with _lock:
        _opened_at = None


def _variables(values: Mapping[str, Any], names: Collection[str]) -> dict[str, str]:
    """Return the values by variable: of `environmentVariables`, or of lower-case keys at the top."""
    exported = values.get("environmentVariables")
    exported = exported if isinstance(exported, Mapping) else {}
    found = {name: values[name.lower()] for name in names if _is_plain(values.get(name.lower()))}
    found |= {name: exported[name] for name in names if _is_plain(exported.get(name))}
    return {
        name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in found.items()
    }


def _is_plain(value: Any) -> bool:
    return isinstance(value, str | int | float | bool)


def is_filled(name: str) -> bool:
    """Return whether the variable has its value from the ESC environment."""
    return name in os.environ.get(_FILLED, "").split(",")


def store_secret(name: str, secret: str) -> None:
    """Replace the secret of a variable in the ESC environment, and open it again to see that it took effect.

    Everything else in the definition of the environment stays as it is, comments included.

    Raises:
        EscError: the environment was not changed, or does not return the secret afterwards.
    """
    place = os.environ[VARIABLE]
    with _calls(place) as client:
        # The SDK's own types have no encrypted values.
        answer = client.esc_api.get_environment_without_preload_content(*place.split("/"))
        if answer.status != 200:
            raise EscError(f"{VARIABLE}: {place} cannot be read (HTTP {answer.status})")
        text = answer.read().decode()
    try:
        changed = with_secret(text, name, secret)
    except UnknownSecret as error:
        raise EscError(f"{VARIABLE}: {place}: {error}. It was not changed.") from None
    with _calls(place, "changed") as client:
        found = client.update_environment_yaml(*place.split("/"), changed)
    if problems := getattr(found, "diagnostics", None):
        raise EscError(f"{VARIABLE}: {place} was not changed ({len(problems)} problems in its definition)")
    if _variables(_open(place), [name]).get(name) != secret:
        raise EscError(f"{VARIABLE}: {place} does not return the new {name}")
    expire()


def _open(place: str) -> Mapping[str, Any]:
    with _calls(place) as client:
        _, values, _ = client.open_and_read_environment(*place.split("/"))
    return values or {}


@contextmanager
def _calls(place: str, attempted: str = "opened") -> Iterator[Any]:
    """Yield the SDK's client, whose exceptions become an EscError that says what was attempted."""
    if not _PLACE.fullmatch(place):
        raise EscError(f"{VARIABLE}: must be organization/project/environment")
    try:
        from pulumi_esc_sdk import esc_client  # type: ignore[import-not-found,unused-ignore]
        from pulumi_esc_sdk.exceptions import (  # type: ignore[import-not-found,unused-ignore]
            ApiException,
            OpenApiException,
        )
    except ModuleNotFoundError:
        raise EscError(f"{VARIABLE}: run `pip install 'gong_assets[esc]'`") from None
    if not os.environ.get("PULUMI_ACCESS_TOKEN"):
        raise EscError(f"{VARIABLE}: needs PULUMI_ACCESS_TOKEN")
    # An exception of the SDK has the headers and the body of a response, so none is chained or shown.
    try:
        yield esc_client.default_client()
    except EscError:
        raise
    except ApiException as error:
        raise EscError(f"{VARIABLE}: {place} cannot be {attempted} (HTTP {error.status})") from None
    except (OpenApiException, ValueError, TypeError, KeyError) as error:
        raise EscError(f"{VARIABLE}: the answer for {place} is invalid ({type(error).__name__})") from None
    except Exception as error:
        raise EscError(f"{VARIABLE}: Pulumi cannot be reached ({type(error).__name__})") from None
