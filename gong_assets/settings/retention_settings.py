"""Settings of retention: how long records of calls are kept."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


def first_of_last(days: int, today: date) -> date:
    """Return the first of the last `days` days, including today."""
    return today - timedelta(days=days - 1)


class RetentionSettings(BaseSettings):
    """The last days that are kept. The docstring of each field is its description."""

    model_config = SettingsConfigDict(use_attribute_docstrings=True)

    gong_retention_days: Annotated[int | None, Field(ge=1, le=36_500)] = None
    """Number of days of calls that are kept, including today. Older days have no partitions and are not read
    again, whatever asks for them, and the asset `gong_retention` deletes their rows in every layer. By
    default all calls are kept."""
    gong_assets_retention_cron: str | None = None
    """When expired rows are deleted, with GONG_RETENTION_DAYS. Defaults to the first of each month at
    04:10."""

    def first_kept_day(self, today: date) -> date | None:
        """Return the first day that GONG_RETENTION_DAYS keeps, or None if it keeps all days."""
        days = self.gong_retention_days
        return None if days is None else first_of_last(days, today)
