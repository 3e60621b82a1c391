"""Resources built from the settings: the Gong API."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from gong_assets.defs.resources import GongResource
from gong_assets.gong import RefreshingAuth
from gong_assets.settings import Settings


def test_an_oauth_app_of_the_settings_stores_its_token_in_the_home(tmp_path: Path) -> None:
    variables = {"GONG_CLIENT_ID": "app", "GONG_CLIENT_SECRET": "s3cret", "GONG_REFRESH_TOKEN": "r3fresh"}
    settings = Settings(
        gong_assets_home=tmp_path, **{name.lower(): value for name, value in variables.items()}
    )
    assert not settings.uses_simulated_gong
    gong = GongResource.from_settings(settings).process_config_and_initialize()
    config = gong._config()
    assert config.auth == RefreshingAuth(
        client_id="app",
        client_secret="s3cret",
        refresh_token="r3fresh",
        token_file=tmp_path / "gong" / "oauth_token_2090a01f5d80dc67.json",
        use_customer_host=True,
    )
    # Gong returns the company's host with each token. A base URL takes precedence.
    regional = settings.model_copy(update={"gong_base_url": "https://us-12345.api.gong.io"})
    config = GongResource.from_settings(regional).process_config_and_initialize()._config()
    assert config.base_url == "https://us-12345.api.gong.io"
    assert isinstance(config.auth, RefreshingAuth)
    assert not config.auth.use_customer_host
    assert "s3cret" not in repr(config)
    assert "r3fresh" not in repr(config)


def test_each_refresh_token_has_its_own_token_file_in_a_shared_home(tmp_path: Path) -> None:
    def stored(refresh_token: str) -> Path | None:
        gong = GongResource(client_id="app", refresh_token=refresh_token, home=str(tmp_path))
        auth = gong._config().auth
        assert isinstance(auth, RefreshingAuth)
        return auth.token_file

    assert stored("r3fresh") == stored("r3fresh") != stored("0ther")


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"gong_client_id": "app"}, "set all three or none"),
        (
            {
                "gong_access_token": "t",
                "gong_client_id": "app",
                "gong_client_secret": "s",
                "gong_refresh_token": "r",
            },
            "GONG_ACCESS_TOKEN and GONG_CLIENT_ID: set only one way to sign in",
        ),
    ],
)
def test_incomplete_or_conflicting_sign_ins_are_rejected(variables: dict[str, str], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Settings(**variables)  # type: ignore[arg-type]
