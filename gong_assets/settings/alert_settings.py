"""Settings of alerts: where they are sent, and what they link to."""

from __future__ import annotations

from typing import Literal

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from gong_assets.settings.urls import url_problems


class AlertSettings(BaseSettings):
    """Webhook and e-mail for alerts. The docstring of each field is its description."""

    model_config = SettingsConfigDict(use_attribute_docstrings=True)

    gong_assets_alert_webhook_url: SecretStr | None = None
    """URL of a webhook that receives alerts: Slack, Microsoft Teams, or any that accepts JSON."""
    gong_assets_alert_webhook_format: Literal["slack", "teams", "json"] | None = None
    """Body of the webhook's requests: `slack`, `teams`, or `json` with `text` and a field for each detail.
    Defaults to the provider of the URL's host."""
    gong_assets_alert_smtp_url: SecretStr | None = None
    """Mail server for alerts: `smtp://user:password@host:587` (STARTTLS if the server offers it) or
    `smtps://user:password@host:465`. Percent-encode special characters of the password. Requires
    GONG_ASSETS_ALERT_EMAIL_TO."""
    gong_assets_alert_email_to: str | None = None
    """Recipients of alerts by e-mail, separated by commas. Requires GONG_ASSETS_ALERT_SMTP_URL."""
    gong_assets_alert_email_from: str | None = None
    """Sender of alerts by e-mail. Defaults to the first recipient."""
    gong_assets_webserver_url: str | None = None
    """Base URL of the Dagster UI, such as `https://dagster.example.com`. Alerts link to the run or asset.
    Defaults to its own UI in `gong-assets dev`."""

    @property
    def _alert_problems(self) -> list[str]:
        problems = [
            *url_problems("GONG_ASSETS_ALERT_WEBHOOK_URL", self.gong_assets_alert_webhook_url),
            *url_problems("GONG_ASSETS_WEBSERVER_URL", self.gong_assets_webserver_url),
            *url_problems("GONG_ASSETS_ALERT_SMTP_URL", self.gong_assets_alert_smtp_url, ("smtp", "smtps")),
        ]
        server = self.gong_assets_alert_smtp_url
        if (server is None) != (self.gong_assets_alert_email_to is None):
            problems.append("GONG_ASSETS_ALERT_SMTP_URL and GONG_ASSETS_ALERT_EMAIL_TO: set both or neither")
        return problems
