"""Check of the channels that deliver alerts."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, datetime

from gong_assets.cli.doctor.results import CheckResult
from gong_assets.defs.alerts.channels import Channel, DeliveryError, configured_channels
from gong_assets.defs.alerts.messages import Message
from gong_assets.settings import Settings

VARIABLES = {"webhook": "GONG_ASSETS_ALERT_WEBHOOK_URL", "email": "GONG_ASSETS_ALERT_SMTP_URL"}


def check_alerts(settings: Settings, *, send: bool) -> Iterator[CheckResult]:
    """Check that each channel can be reached, or that it accepts a test alert if `send` is set."""
    channels = [
        each for each in configured_channels(settings, logging.getLogger(__name__)) if each.name != "log"
    ]
    if not channels:
        yield CheckResult(
            "warn", "alerts", f"{' or '.join(VARIABLES.values())} is not set: alerts are only logged"
        )
    for channel in channels:
        yield _check(channel, send=send)


def _check(channel: Channel, *, send: bool) -> CheckResult:
    try:
        if send:
            channel.send(_test_alert())
        else:
            channel.probe()
    except DeliveryError as error:
        return CheckResult("fail", "alerts", f"{error} Check {VARIABLES[channel.name]} and the network.")
    found = "accepted a test alert" if send else "responds; --send-test-alert sends a message"
    return CheckResult("ok", "alerts", f"{channel.name} {found}")


def _test_alert() -> Message:
    return Message(
        keys=("doctor",),
        kind="check",
        state="open",
        name="Test alert",
        failure="",
        reason="Sent by `gong-assets doctor`, in the form of a failure.",
        advice="No action is needed.",
        link="gong-assets doctor --send-test-alert",
        since=datetime.now(UTC),
        until=None,
        occurrences=1,
    )
