"""The first partition: GONG_START_DATE, or the date of the first call, which is kept in the home.

Without either, partitions start in 2015. Loading the graph sends no request: the first call is looked up by
the commands `dev`, `doctor` and `sync --mode full`.
"""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from gong_assets.dates import DateRange
from gong_assets.gong import Window, blocking, first_call_date
from gong_assets.security.private_files import create_private_directory, replace_private_file
from gong_assets.settings import FIRST_POSSIBLE_CALL_DATE, Settings
from gong_assets.warehouse.connection import open_warehouse
from gong_assets.warehouse.sources.adoption import first_day
from gong_assets.warehouse.sources.registry import open_source

# The simulated tenant has the calls of the last two years.
_SIMULATED_HISTORY = timedelta(days=730)


def is_explicit(settings: Settings) -> bool:
    """Return True if GONG_START_DATE is set."""
    return "gong_start_date" in settings.model_fields_set


def with_first_partition(settings: Settings) -> Settings:
    """Return the settings with the kept date as `gong_start_date`, unless GONG_START_DATE is set."""
    if is_explicit(settings):
        return settings
    first = _read(settings).get(_source(settings))
    if first is None and settings.uses_simulated_gong and not settings.is_adopted:
        first = datetime.now(UTC).date() - _SIMULATED_HISTORY
        _keep(settings, first)
    return _starting_at(settings, first) if first else settings


def including(settings: Settings, day: date) -> Settings:
    """Return settings whose first partition is not after `day`, and keep it if it changed."""
    settings = with_first_partition(settings)
    if is_explicit(settings) or day >= settings.gong_start_date:
        return settings
    _keep(settings, day)
    return _starting_at(settings, day)


def look_up_first_partition(settings: Settings) -> date | None:
    """Return the date of the first call in Gong, and keep it as the first partition; None without calls.

    If another product is the source, its first call counts.

    Raises:
        GongError: a request failed.
        WarehouseError: the tables of the source cannot be read.
    """
    first = _first_day_of_source(settings) if settings.is_adopted else _first_day_in_gong(settings)
    if first is not None and not is_explicit(settings):
        kept = _read(settings).get(_source(settings))
        _keep(settings, min(first, kept) if kept else first)
    return first


def _first_day_of_source(settings: Settings) -> date | None:
    with open_warehouse(settings).connect() as connection:
        return first_day(connection, open_source(connection, settings))


def _first_day_in_gong(settings: Settings) -> date | None:
    from gong_assets.defs.resources import GongResource

    gong = GongResource.from_settings(settings).process_config_and_initialize()
    possible = DateRange.inclusive(FIRST_POSSIBLE_CALL_DATE, datetime.now(UTC).date())

    async def first_call() -> date | None:
        async with gong.client() as client:
            return await first_call_date(client, Window(*possible.utc_bounds()))

    return blocking.run(first_call())


def _starting_at(settings: Settings, day: date) -> Settings:
    changed = settings.model_copy(update={"gong_start_date": day})
    changed.model_fields_set.discard("gong_start_date")  # It is not explicit.
    return changed


def _file(settings: Settings) -> Path:
    return settings.home / "first_partition.json"


def _source(settings: Settings) -> str:
    """Return a key for the Gong account that reveals no credential."""
    if settings.is_adopted:
        return f"{settings.gong_source}:{settings.gong_source_database}.{settings.source_schema}"
    if settings.uses_simulated_gong:
        return "simulated"
    key = settings.gong_access_key.get_secret_value() if settings.gong_access_key else settings.gong_client_id
    return hashlib.sha256(f"{settings.gong_base_url}\n{key}".encode()).hexdigest()[:16]


def _read(settings: Settings) -> dict[str, date]:
    try:
        kept = json.loads(_file(settings).read_text("utf-8"))
        return {source: date.fromisoformat(day) for source, day in kept.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def _keep(settings: Settings, day: date) -> None:
    """Write the date to the home. Without a home that can be written, it is not kept."""
    kept = {source: first.isoformat() for source, first in _read(settings).items()}
    kept[_source(settings)] = day.isoformat()
    with suppress(OSError):
        create_private_directory(settings.home)
        replace_private_file(_file(settings), json.dumps(kept))
