"""Settings of the sign-in to Gong."""

from __future__ import annotations

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from gong_assets.settings.urls import url_problems


class GongSignInSettings(BaseSettings):
    """Gong's address and credentials. The docstring of each field is its description."""

    model_config = SettingsConfigDict(use_attribute_docstrings=True)

    gong_base_url: str | None = None
    """Base URL of your company's Gong API, which Gong shows on its API page and is often regional. Defaults
    to the simulated tenant if no Gong credentials are set, and to https://api.gong.io otherwise."""
    gong_access_key: SecretStr | None = None
    """Access key of the Gong API. Requires GONG_ACCESS_KEY_SECRET."""
    gong_access_key_secret: SecretStr | None = None
    """Secret of GONG_ACCESS_KEY."""
    gong_access_key_2: SecretStr | None = None
    """Another access key, while the key is rotated by hand: `gong-assets doctor` says which of both Gong
    accepts. Nothing else uses it. Requires GONG_ACCESS_KEY_SECRET_2."""
    gong_access_key_secret_2: SecretStr | None = None
    """Secret of GONG_ACCESS_KEY_2."""
    gong_access_token: SecretStr | None = None
    """OAuth bearer token, instead of an access key."""
    gong_client_id: str | None = None
    """Client ID of an OAuth app, instead of an access key or a token; the project refreshes its tokens.
    Requires GONG_CLIENT_SECRET and GONG_REFRESH_TOKEN."""
    gong_client_secret: SecretStr | None = None
    """Client secret of the OAuth app."""
    gong_refresh_token: SecretStr | None = None
    """Initial refresh token of the OAuth app. Gong replaces it at each use; later tokens are stored in
    GONG_ASSETS_HOME."""
    gong_token_url: str | None = None
    """URL at which the OAuth app refreshes its token. Defaults to Gong's own."""

    @property
    def _gong_credentials(self) -> list[str]:
        """The configured ways to sign in to Gong, by their first variable."""
        return self._names_of_set("gong_access_key", "gong_access_token", "gong_client_id")

    def _names_of_set(self, *fields: str) -> list[str]:
        return [field.upper() for field in fields if getattr(self, field)]

    @property
    def _gong_sign_in_problems(self) -> list[str]:
        problems = [
            *url_problems("GONG_BASE_URL", self.gong_base_url),
            *url_problems("GONG_TOKEN_URL", self.gong_token_url),
        ]
        for key, secret in (("KEY", "KEY_SECRET"), ("KEY_2", "KEY_SECRET_2")):
            if len(self._names_of_set(f"gong_access_{key}".lower(), f"gong_access_{secret}".lower())) == 1:
                problems.append(f"GONG_ACCESS_{key} and GONG_ACCESS_{secret}: set both or neither")
        oauth = (self.gong_client_id, self.gong_client_secret, self.gong_refresh_token)
        if any(oauth) and not all(oauth):
            problems.append(
                "GONG_CLIENT_ID, GONG_CLIENT_SECRET and GONG_REFRESH_TOKEN: set all three or none"
            )
        if len(self._gong_credentials) > 1:
            problems.append(f"{' and '.join(self._gong_credentials)}: set only one way to sign in")
        if self.gong_base_url and not self._gong_credentials:
            problems.append(
                "GONG_BASE_URL: needs GONG_ACCESS_KEY and GONG_ACCESS_KEY_SECRET, GONG_ACCESS_TOKEN, or "
                "GONG_CLIENT_ID, GONG_CLIENT_SECRET and GONG_REFRESH_TOKEN"
            )
        return problems
