"""Settings: their defaults, and the errors for invalid values."""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from pydantic import ValidationError

import gong_assets
from gong_assets.settings import (
    FIRST_POSSIBLE_CALL_DATE,
    Settings,
    SettingsError,
    load_settings,
    variable_names,
)
from gong_assets.settings.account_checks import check_accounts
from gong_assets.settings.variable_names import misspelled_variables
from gong_assets.warehouse.credentials import connection_arguments, sign_in_arguments

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
DER = KEY.private_bytes(
    serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
)


def pem(passphrase: str | None = None) -> str:
    encryption = (
        serialization.BestAvailableEncryption(passphrase.encode())
        if passphrase
        else serialization.NoEncryption()
    )
    return KEY.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption
    ).decode()


@pytest.fixture(autouse=True)
def empty_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    before = dict(os.environ)
    for name in Settings.model_fields:
        os.environ.pop(name.upper(), None)
    monkeypatch.chdir(tmp_path)
    yield
    os.environ.clear()
    os.environ.update(before)


def set_all(monkeypatch: pytest.MonkeyPatch, **values: str) -> None:
    for name, value in values.items():
        monkeypatch.setenv(name, value)


SNOWFLAKE = {"SNOWFLAKE_ACCOUNT": "org-account", "SNOWFLAKE_USER": "gong"}


def test_without_any_variable_everything_is_local_and_simulated() -> None:
    settings = load_settings()
    assert settings.target == "local"
    assert settings.uses_simulated_gong
    assert settings.gong_max_requests_per_second == 3
    assert settings.gong_max_requests_per_day == 10_000
    assert settings.gong_start_date == FIRST_POSSIBLE_CALL_DATE
    assert settings.gong_lookback_days == 7
    assert (settings.snowflake_database, settings.snowflake_schema) == ("SOPHIA_AI", "GONG_DATA")


GONG = {"GONG_ACCESS_TOKEN": "t"}
ACCOUNT = {"SNOWFLAKE_ACCOUNT": "org-account", "SNOWFLAKE_USER": "gong", "SNOWFLAKE_PASSWORD": "x"}
SIMULATED, LOCAL = {"GONG_ASSETS_SOURCE": "simulated"}, {"GONG_ASSETS_TARGET": "local"}


@pytest.mark.parametrize(
    ("values", "resources", "reason"),
    [
        (ACCOUNT, {}, "GONG_ASSETS_SOURCE: no Gong credentials"),
        (LOCAL, {"has_snowflake_resource": True}, "GONG_ASSETS_SOURCE: no Gong credentials"),
        (GONG, {}, "GONG_ASSETS_TARGET: Gong credentials are set, but no SNOWFLAKE_ACCOUNT"),
        ({}, {"has_gong_resource": True}, "GONG_ASSETS_TARGET: Gong credentials are set"),
        ({"GONG_ASSETS_SOURCE": "gong"}, {}, "GONG_ASSETS_SOURCE=gong: needs GONG_ACCESS_KEY"),
        ({}, {}, None),
        ({**GONG, **SIMULATED}, {}, None),
        ({**ACCOUNT, **SIMULATED}, {}, None),
        ({**GONG, **LOCAL}, {}, None),
        ({**GONG, **ACCOUNT}, {}, None),
        (ACCOUNT, {"has_gong_resource": True}, None),
        ({**ACCOUNT, **LOCAL}, {}, None),
    ],
)
def test_simulated_calls_on_snowflake_and_real_calls_in_the_local_stack_need_a_setting(
    monkeypatch: pytest.MonkeyPatch, values: dict[str, str], resources: dict[str, bool], reason: str | None
) -> None:
    set_all(monkeypatch, **values)
    settings = load_settings()
    if reason is None:
        check_accounts(settings, **resources)
    else:
        with pytest.raises(SettingsError, match=reason):
            check_accounts(settings, **resources)


def test_misspelled_variables_are_warned_about_once_with_the_nearest_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(variable_names, "_reported", set())
    (tmp_path / ".env").write_text("SNOWFLAKE_ACOUNT=org-account\n")
    other_tools = {
        "SNOWFLAKE_HOME": "/h", "SNOWFLAKE_REGION": "eu", "SNOWFLAKE_PRIVATE_KEY_RAW": "k",
        "SNOWFLAKE_CONNECTIONS_DEV_USER": "u", "HUBSPOT_API_KEY": "k", "GONG_SCHEMA": "S",
        "GONG_ASSETS_LOCAL_SEED": "2",
    }  # fmt: skip
    set_all(monkeypatch, GONG_API_KEY="k", HUBSPOT_SHEMA="V2_LIVE", **other_tools)
    load_settings()
    load_settings()
    assert caplog.messages == [
        "GONG_API_KEY is not a setting and has no effect. Did you mean GONG_ACCESS_KEY?",
        "HUBSPOT_SHEMA is not a setting and has no effect. Did you mean HUBSPOT_SCHEMA?",
        "SNOWFLAKE_ACOUNT is not a setting and has no effect. Did you mean SNOWFLAKE_ACCOUNT?",
    ]


def test_no_variable_of_the_package_itself_looks_misspelled() -> None:
    texts = [path.read_text("utf-8") for path in Path(gong_assets.__file__).parent.rglob("*.py")]
    texts += [path.read_text("utf-8") for path in Path(gong_assets.__file__).parent.rglob("dbt/*.yml")]
    pattern = r"""environ[^\n]*["'](GONG_[A-Z_]+)|env_var\(["'](GONG_[A-Z_]+)"""
    used = {name for text in texts for found in re.findall(pattern, text) for name in found if name}
    assert "GONG_ASSETS_VERBOSE" in used
    assert misspelled_variables(used, [name.upper() for name in Settings.model_fields]) == {}


def test_setting_an_account_selects_the_snowflake_target(monkeypatch: pytest.MonkeyPatch) -> None:
    set_all(monkeypatch, **SNOWFLAKE, SNOWFLAKE_PASSWORD="x")
    assert load_settings().target == "snowflake"


def test_the_environment_overrides_the_dotenv_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("GONG_LOOKBACK_DAYS=3\nGONG_START_DATE=2024-05-01\n")
    monkeypatch.setenv("GONG_LOOKBACK_DAYS", "5")
    settings = load_settings()
    assert settings.gong_lookback_days == 5
    assert str(settings.gong_start_date) == "2024-05-01"


@pytest.mark.parametrize("directory", [".", "models", "models/staging"])
def test_the_env_file_of_the_project_is_read_in_its_subdirectories(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, directory: str
) -> None:
    """Also if the home is elsewhere; otherwise a command there would use the simulated tenant."""
    (tmp_path / ".env").write_text(
        "export GONG_ACCESS_KEY=k\nGONG_ACCESS_KEY_SECRET=s\nGONG_ASSETS_TARGET=local\n"
        "GONG_ASSETS_HOME=state\nDAGSTER_HOME=dagster\nGONG_DBT_VARS_FILE=vars.yml\n"
    )
    (tmp_path / "vars.yml").write_text("stalled_deal_days: 30\n")
    (tmp_path / directory).mkdir(parents=True, exist_ok=True)
    monkeypatch.chdir(tmp_path / directory)
    settings = load_settings()
    assert not settings.uses_simulated_gong
    assert settings.home == tmp_path / "state"
    assert settings.dagster_home == tmp_path / "dagster"
    assert settings.gong_dbt_vars_file == tmp_path / "vars.yml"
    # Subprocesses may run in another directory.
    assert os.environ["GONG_ASSETS_HOME"] == str(tmp_path / "state")


def test_each_env_file_up_to_the_project_is_read_and_the_nearest_wins(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".gong_assets").mkdir()
    (tmp_path / ".env").write_text("GONG_LOOKBACK_DAYS=3\nSNOWFLAKE_SCHEMA=OUTER\n")
    (tmp_path / "team" / "models").mkdir(parents=True)
    (tmp_path / "team" / ".env").write_text("SNOWFLAKE_SCHEMA=TEAM\n")
    monkeypatch.chdir(tmp_path / "team" / "models")
    settings = load_settings()
    assert settings.snowflake_schema == "TEAM"
    assert settings.gong_lookback_days == 3
    assert settings.home == tmp_path / ".gong_assets"


@pytest.mark.parametrize(
    "text", ["DAGSTER_HOME=/other\n", "# GONG_ACCESS_KEY=k\nDATABASE_URL=x\n", "HUBSPOT_ACCESS_TOKEN=t\n"]
)
def test_the_env_file_of_another_project_is_not_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str
) -> None:
    (tmp_path / ".env").write_text(text)
    (tmp_path / "sub").mkdir()
    monkeypatch.chdir(tmp_path / "sub")
    before = dict(os.environ)
    assert load_settings().home == tmp_path / "sub" / ".gong_assets"
    assert os.environ == before


def test_the_env_file_of_the_users_home_directory_is_not_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("GONG_LOOKBACK_DAYS=3\n")
    (tmp_path / "project").mkdir()
    set_all(monkeypatch, HOME=str(tmp_path))
    monkeypatch.chdir(tmp_path / "project")
    assert load_settings().gong_lookback_days == 7


@pytest.mark.parametrize("name", ["GONG_CORTEX_SEARCH", "GONG_AGENT_OBJECTS"])
def test_what_only_snowflake_has_is_off_by_default(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    set_all(monkeypatch, **SNOWFLAKE, SNOWFLAKE_PASSWORD="x", SNOWFLAKE_WAREHOUSE="WH")
    assert not getattr(load_settings(), name.lower())
    monkeypatch.setenv(name, "true")
    assert getattr(load_settings(), name.lower())


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"GONG_ASSETS_TARGET": "mars"}, "GONG_ASSETS_TARGET: input should be 'local' or 'snowflake'"),
        ({"GONG_MAX_REQUESTS_PER_SECOND": "-1"}, "GONG_MAX_REQUESTS_PER_SECOND"),
        ({"GONG_MAX_REQUESTS_PER_DAY": "many"}, "GONG_MAX_REQUESTS_PER_DAY"),
        ({"GONG_START_DATE": "2999-01-01"}, "GONG_START_DATE: 2999-01-01 is in the future"),
        ({"GONG_START_DATE": "yesterday"}, "GONG_START_DATE"),
        ({"GONG_LOOKBACK_DAYS": "0"}, "GONG_LOOKBACK_DAYS"),
        ({"GONG_ACCESS_KEY": "k"}, "set both or neither"),
        ({"GONG_BASE_URL": "https://us-1.api.gong.io"}, "GONG_BASE_URL: needs GONG_ACCESS_KEY"),
        ({"GONG_BASE_URL": "api.gong.io", "GONG_ACCESS_TOKEN": "t"}, "must start with https://"),
        ({"GONG_ASSETS_TARGET": "snowflake"}, "SNOWFLAKE_ACCOUNT: is required"),
        (SNOWFLAKE, "Snowflake sign-in: set SNOWFLAKE_PRIVATE_KEY"),
        ({**SNOWFLAKE, "SNOWFLAKE_PASSWORD": "p", "SNOWFLAKE_TOKEN": "t"}, "set only one way to sign in"),
        ({**SNOWFLAKE, "SNOWFLAKE_AUTHENTICATOR": "magic"}, "SNOWFLAKE_AUTHENTICATOR: must be"),
        ({**SNOWFLAKE, "SNOWFLAKE_AUTHENTICATOR": "oauth"}, "needs SNOWFLAKE_TOKEN"),
        (
            {**SNOWFLAKE, "SNOWFLAKE_AUTHENTICATOR": "workload_identity"},
            "needs SNOWFLAKE_WORKLOAD_IDENTITY_PROVIDER",
        ),
        ({"GONG_CORTEX_SEARCH": "true"}, "GONG_CORTEX_SEARCH: exists on Snowflake only"),
        ({"GONG_AGENT_OBJECTS": "true"}, "GONG_AGENT_OBJECTS: exists on Snowflake only"),
        (
            {**SNOWFLAKE, "SNOWFLAKE_PASSWORD": "p", "GONG_CORTEX_SEARCH": "true"},
            "GONG_CORTEX_SEARCH: needs SNOWFLAKE_WAREHOUSE",
        ),
        ({"GONG_CORTEX_SEARCH": "perhaps"}, "GONG_CORTEX_SEARCH"),
        (
            {"SNOWFLAKE_ACCOUNT": "https://org-account.snowflakecomputing.com/"},
            "SNOWFLAKE_ACCOUNT: must be the account identifier, not its address: org-account",
        ),
        (
            {"SNOWFLAKE_ACCOUNT": "xy12345.eu-central-1.SnowflakeComputing.com"},
            "not its address: xy12345.eu-central-1",
        ),
    ],
)
def test_an_invalid_value_is_reported_with_its_variable(
    monkeypatch: pytest.MonkeyPatch, values: dict[str, str], words: str
) -> None:
    set_all(monkeypatch, **values)
    with pytest.raises(SettingsError) as raised:
        load_settings()
    assert words in str(raised.value)


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("SNOWFLAKE_PRIVATE_KEY", "no key at all", "SNOWFLAKE_PRIVATE_KEY: not a readable private key"),
        ("SNOWFLAKE_PRIVATE_KEY_PATH", "missing.p8", "SNOWFLAKE_PRIVATE_KEY_PATH: missing.p8 cannot"),
    ],
)
def test_an_unreadable_private_key_is_a_settings_error(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, words: str
) -> None:
    set_all(monkeypatch, **SNOWFLAKE, **{variable: value})
    with pytest.raises(SettingsError, match=words):
        connection_arguments(load_settings())


_URLS = (
    "GONG_ASSETS_ALERT_WEBHOOK_URL", "GONG_ASSETS_WEBSERVER_URL", "GONG_BASE_URL", "GONG_TOKEN_URL",
    "GONG_WEBHOOK_URL", "AIRBYTE_URL",
)  # fmt: skip


@pytest.mark.parametrize("variable", [*_URLS, "GONG_ASSETS_ALERT_SMTP_URL", "SNOWFLAKE_AUTHENTICATOR"])
@pytest.mark.parametrize(
    "rest",
    [
        "",
        "/services/T0-secret",
        ":443/T0-secret",
        "hooks.acme.example:https/T0-secret",
        "hooks.acme.example:99999/T0-secret",
        "hooks..acme.example/T0-secret",
        "hooks.acme.example\\T0-secret",
        "<host>/T0-secret",
        "[::1/T0-secret",
        "hooks.acme.example/T0-secret and more",
        "hooks.acme.example/T0-secret\n",
    ],
)
def test_a_malformed_url_is_reported_with_its_variable_and_not_shown(
    monkeypatch: pytest.MonkeyPatch, variable: str, rest: str
) -> None:
    scheme = "smtps" if "SMTP" in variable else "https"
    if variable == "SNOWFLAKE_AUTHENTICATOR":
        set_all(monkeypatch, **SNOWFLAKE, SNOWFLAKE_PASSWORD="p")
    elif "SMTP" in variable:
        set_all(monkeypatch, GONG_ASSETS_ALERT_EMAIL_TO="a@acme.example")
    set_all(monkeypatch, GONG_ACCESS_TOKEN="t", **{variable: f"{scheme}://{rest}"})
    with pytest.raises(SettingsError) as raised:
        load_settings()
    assert re.fullmatch(rf"{variable}: is not a valid URL: it[\w ,]+", str(raised.value))
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("variable", [*_URLS, "GONG_ASSETS_ALERT_SMTP_URL"])
def test_a_url_of_another_scheme_is_reported_with_its_variable(
    monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    set_all(monkeypatch, GONG_ACCESS_TOKEN="t", GONG_ASSETS_ALERT_EMAIL_TO="a@acme.example")
    if "SMTP" not in variable:
        set_all(monkeypatch, GONG_ASSETS_ALERT_SMTP_URL="smtp://mail.acme.example")
    for url in ("hooks.acme.example/secret", "ftp://hooks.acme.example/secret", "https:hooks.acme.example"):
        monkeypatch.setenv(variable, url)
        with pytest.raises(SettingsError) as raised:
            load_settings()
        assert re.fullmatch(rf"{variable}: must start with \w+:// or \w+://", str(raised.value))


@pytest.mark.parametrize(
    "host",
    [
        "hooks.acme.example", "hooks.acme.example.", "hooks.müller.example", "my_proxy-1",
        "localhost:8000", "127.0.0.1:9", "[::1]:443", "user:p%40ss@hooks.acme.example:443",
    ],
)  # fmt: skip
def test_a_url_with_any_host_is_accepted(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    set_all(monkeypatch, GONG_ACCESS_TOKEN="t", GONG_ASSETS_ALERT_EMAIL_TO="a@acme.example")
    set_all(monkeypatch, **dict.fromkeys(_URLS, f"https://{host}/a/{{b}}?c=d|e#f"))
    set_all(monkeypatch, GONG_ASSETS_ALERT_SMTP_URL=f"smtp://{host}")
    settings = load_settings()
    assert settings.gong_base_url == f"https://{host}/a/{{b}}?c=d|e#f"


def test_all_problems_are_reported_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    set_all(monkeypatch, GONG_LOOKBACK_DAYS="0", GONG_ASSETS_TARGET="mars")
    with pytest.raises(SettingsError) as raised:
        load_settings()
    assert len(str(raised.value).splitlines()) == 2


@pytest.mark.parametrize(
    "value",
    [
        pem(),
        pem().replace("\n", "\\n"),
        base64.b64encode(pem().encode()).decode(),
        base64.b64encode(DER).decode(),
    ],
    ids=["pem", "pem with escaped newlines", "base64 of pem", "base64 of der"],
)
def test_a_private_key_is_accepted_in_each_common_form(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    set_all(monkeypatch, **SNOWFLAKE, SNOWFLAKE_PRIVATE_KEY=value)
    settings = load_settings()
    arguments = connection_arguments(settings)
    assert sign_in_arguments(arguments, **settings.snowflake_secrets) == {"private_key": DER}


def test_an_encrypted_private_key_file_needs_its_passphrase(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "key.p8").write_text(pem("open sesame"))
    set_all(monkeypatch, **SNOWFLAKE, SNOWFLAKE_PRIVATE_KEY_PATH=str(tmp_path / "key.p8"))
    with pytest.raises(SettingsError, match="SNOWFLAKE_PRIVATE_KEY_PASSPHRASE is needed"):
        connection_arguments(load_settings())
    monkeypatch.setenv("SNOWFLAKE_PRIVATE_KEY_PASSPHRASE", "open sesame")
    settings = load_settings()
    arguments = connection_arguments(settings)
    assert sign_in_arguments(arguments, **settings.snowflake_secrets) == {
        "private_key_file_pwd": "open sesame"
    }


def test_secrets_do_not_appear_in_any_message(monkeypatch: pytest.MonkeyPatch) -> None:
    set_all(monkeypatch, GONG_ACCESS_KEY="s3cret-key", GONG_ACCESS_KEY_SECRET="s3cret-secret", **SNOWFLAKE)
    monkeypatch.setenv("SNOWFLAKE_PASSWORD", "s3cret-password")
    assert "s3cret" not in repr(load_settings())
    monkeypatch.setenv("SNOWFLAKE_PRIVATE_KEY", "s3cret-private-key")
    with pytest.raises(SettingsError) as raised:
        load_settings()
    assert "s3cret" not in f"{raised.value!r} {raised.value}"
    monkeypatch.delenv("SNOWFLAKE_PASSWORD")
    with pytest.raises(SettingsError) as raised:
        connection_arguments(load_settings())
    assert "s3cret" not in f"{raised.value!r} {raised.value}"


def test_schedules_start_by_default_only_where_nothing_is_spent(tmp_path: Path) -> None:
    assert Settings().schedules_enabled
    gong = {"gong_access_key": "k", "gong_access_key_secret": "s"}
    snowflake = {"snowflake_account": "a", "snowflake_user": "u", "snowflake_password": "p"}
    for account in (gong, snowflake):
        assert not Settings(**account).schedules_enabled  # type: ignore[arg-type]
        assert Settings(**account, gong_assets_schedules_enabled=True).schedules_enabled  # type: ignore[arg-type]


def test_a_env_file_cannot_start_the_schedules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a copy of production's file would start a second deployment."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("GONG_ASSETS_SCHEDULES_ENABLED=true\n")
    with pytest.raises(SettingsError, match=r"GONG_ASSETS_SCHEDULES_ENABLED: remove it from .*\.env"):
        load_settings()
    (tmp_path / ".env").write_text("GONG_ASSETS_SCHEDULES_ENABLED=false\n")
    assert not load_settings().schedules_enabled


@pytest.mark.parametrize("field", ["gong_assets_timezone", "gong_company_timezone"])
def test_an_unknown_time_zone_is_rejected(field: str) -> None:
    with pytest.raises(ValidationError, match="unknown time zone 'Berlin'"):
        Settings(**{field: "Berlin"})
