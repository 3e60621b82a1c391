"""`gong-assets doctor`: checks of settings, Gong, the warehouse, Cortex and alerts.

Each check yields its results as soon as they are known, and a failure says what to do. Later checks run after
a failed one, unless they need the same connection.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from gong_assets.cli.doctor.alerts import check_alerts
from gong_assets.cli.doctor.environment import check_dbt, check_settings
from gong_assets.cli.doctor.gong import check_gong
from gong_assets.cli.doctor.hubspot import check_hubspot
from gong_assets.cli.doctor.results import CheckResult, guarded
from gong_assets.cli.doctor.source import check_source
from gong_assets.cli.doctor.warehouse import check_warehouse
from gong_assets.settings import Settings

__all__ = ["CheckResult", "check_hubspot", "run_checks"]


def run_checks(
    settings: Settings, *, send_test_alert: bool = False, deep: bool = False
) -> Iterator[CheckResult]:
    """Yield the result of each check as soon as it is known."""
    yield from guarded("settings", partial(check_settings, settings))
    yield from guarded("gong", partial(check_gong, settings))
    yield from guarded("source", partial(check_source, settings))
    yield from guarded("dbt", partial(check_dbt, settings))
    yield from guarded("warehouse", partial(check_warehouse, settings, deep=deep))
    yield from guarded("alerts", partial(check_alerts, settings, send=send_test_alert))
