"""Check of the webhook that receives alerts."""

from __future__ import annotations

from collections.abc import Iterator

import httpx

from gong_assets.cli.doctor.results import CheckResult
from gong_assets.settings import Settings

TIMEOUT_SECONDS = 10
TEST_MESSAGE = "Test alert from `gong-assets doctor`. No action is needed."


def check_webhook(settings: Settings, *, send: bool) -> Iterator[CheckResult]:
    """Check that the webhook's host answers, or that it accepts a test message if `send` is set.

    The URL is a secret, so results name only its host.
    """
    if settings.gong_assets_alert_webhook_url is None:
        yield CheckResult(
            "warn", "alerts", "GONG_ASSETS_ALERT_WEBHOOK_URL is not set: failed runs are only logged"
        )
        return
    url = settings.gong_assets_alert_webhook_url.get_secret_value()
    host = httpx.URL(url).host
    try:
        # Any answer to HEAD shows that the host can be reached. Only a POST sends a message.
        response = (
            httpx.post(url, json={"text": TEST_MESSAGE}, timeout=TIMEOUT_SECONDS)
            if send
            else httpx.head(url, timeout=TIMEOUT_SECONDS)
        )
    except httpx.HTTPError as error:
        yield CheckResult(
            "fail",
            "alerts",
            f"the webhook at {host} cannot be reached ({type(error).__name__}). Check "
            "GONG_ASSETS_ALERT_WEBHOOK_URL and the network.",
        )
        return
    if not send:
        yield CheckResult("ok", "alerts", f"{host} responds; --send-test-alert sends a message")
    elif response.is_success:
        yield CheckResult("ok", "alerts", f"{host} accepted a test alert")
    else:
        yield CheckResult(
            "fail",
            "alerts",
            f"{host} rejected a test alert with HTTP {response.status_code}. Check "
            "GONG_ASSETS_ALERT_WEBHOOK_URL.",
        )
