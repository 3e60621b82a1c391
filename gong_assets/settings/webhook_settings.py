"""Settings of the receiver for Gong's webhook."""

from __future__ import annotations

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from gong_assets.settings.urls import url_problems


class WebhookSettings(BaseSettings):
    """The rule in Gong that announces calls. The docstring of each field is its description."""

    model_config = SettingsConfigDict(use_attribute_docstrings=True)

    gong_webhook_url: SecretStr | None = None
    """URL in Gong's automation rule, at which `gong-assets webhook` receives announcements of calls. Without
    GONG_WEBHOOK_PUBLIC_KEY it must contain a key, and authenticates the requests."""
    gong_webhook_public_key: str | None = None
    """Public key in Gong's automation rule, which signs the requests. Requires GONG_WEBHOOK_URL."""

    @property
    def _webhook_problems(self) -> list[str]:
        if self.gong_webhook_public_key and not self.gong_webhook_url:
            return ["GONG_WEBHOOK_PUBLIC_KEY: needs GONG_WEBHOOK_URL, the URL in Gong's rule"]
        return url_problems("GONG_WEBHOOK_URL", self.gong_webhook_url)
