"""The alert sensor: finds problems, and sends a message when one begins and when it is over."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime

import dagster as dg
from pydantic import SecretStr

from gong_assets.defs.alerts.channels import Channel, DeliveryError, configured_channels
from gong_assets.defs.alerts.conditions import failed_backfills, failed_checks, failed_ticks, overdue_assets
from gong_assets.defs.alerts.ledger import Cursor
from gong_assets.defs.alerts.messages import messages
from gong_assets.defs.alerts.runs import Texts, record_runs
from gong_assets.defs.options import DEFAULT_OPTIONS, GraphOptions
from gong_assets.settings import Settings

ALERT_INTERVAL_SECONDS = 60


def build_alert_sensor(settings: Settings, options: GraphOptions = DEFAULT_OPTIONS) -> dg.SensorDefinition:
    """Return the sensor. It sees every run, check, asset, schedule and sensor of its code location."""

    @dg.sensor(
        name="gong_alerts",
        minimum_interval_seconds=options.sensors.alerts.interval_seconds or ALERT_INTERVAL_SECONDS,
        default_status=options.sensors.alerts.default_status,
        description="Reports failed and canceled runs, failed checks of severity ERROR, overdue assets, and "
        "failed ticks and backfills of the code location: to its log, and to the webhook and the e-mail "
        "addresses of the settings. One message when a problem begins, and one when it is over.",
    )
    def gong_alerts(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        channels = list(configured_channels(settings, context.log))
        cursor = observe(context, texts_of(settings, context.repository_def), datetime.now(UTC))
        sent, errors = deliver(cursor, channels, settings.gong_assets_webserver_url)
        for error in errors:
            context.log.warning(f"{error} It is tried again with the next tick.")
        open_problems = sum(not entry.closed_at for entry in cursor.ledger.entries.values())
        problems = "1 problem is" if open_problems == 1 else f"{open_problems} problems are"
        messages_sent = "1 message was" if sent == 1 else f"{sent} messages were"
        reason = " ".join([f"{problems} open, and {messages_sent} sent.", *errors])
        return dg.SensorResult(skip_reason=reason, cursor=cursor.dumps())

    return gong_alerts


def observe(context: dg.SensorEvaluationContext, texts: Texts, now: datetime) -> Cursor:
    """Return the state of the sensor after all that has happened since its last tick."""
    if context.repository_def is None:
        raise ValueError("the sensor is evaluated without its code location")
    instance, repository = context.instance, context.repository_def
    origin = context.code_location_origin
    location = origin.location_name if origin else None
    cursor = Cursor.loads(context.cursor)
    record_runs(instance, cursor, location, texts, now)
    conditions = [
        *failed_checks(instance, repository, texts),
        *overdue_assets(instance, repository),
        *failed_ticks(instance, location, cursor.since, texts),
        *failed_backfills(instance, repository, now, texts),
    ]
    cursor.ledger.keep(conditions, ("check", "freshness", "tick", "backfill"), now)
    if cursor.since is None:
        cursor.ledger.drop_closed()  # What was over before the first tick is no news.
    cursor.since = now
    return cursor


def deliver(cursor: Cursor, channels: Sequence[Channel], base_url: str | None) -> tuple[int, list[str]]:
    """Send each channel the states that it has not received; return the number of messages, and the errors.

    A channel that fails gets its remaining messages with the next tick. The others do not wait for it.
    """
    sent, errors = 0, []
    for channel in channels:
        for message in messages(cursor.ledger.undelivered(channel.name), base_url):
            try:
                channel.send(message)
            except DeliveryError as error:
                errors.append(str(error))
                break
            sent += 1
            for key in message.keys:
                cursor.ledger.entries[key].delivered[channel.name] = message.state
    cursor.ledger.forget([channel.name for channel in channels], cursor.since or datetime.now(UTC))
    return sent, errors


def texts_of(settings: Settings, repository: dg.RepositoryDefinition | None) -> Texts:
    """Return what errors may show: names of assets and settings, but no value of a secret."""
    keys = repository.asset_graph.get_all_asset_keys() if repository else ()
    names = {key.path[-1] for key in keys} | set(type(settings).model_fields)
    secrets = {
        value.get_secret_value()
        for name in type(settings).model_fields
        if isinstance(value := getattr(settings, name), SecretStr)
    }
    # A project's own resources may sign in with other variables.
    secrets |= {value for name, value in os.environ.items() if _names_a_secret(name)}
    return Texts(frozenset(names), frozenset(secrets))


def _names_a_secret(name: str) -> bool:
    return name.upper().endswith(("PASSWORD", "PASSPHRASE", "TOKEN", "SECRET", "_KEY"))
