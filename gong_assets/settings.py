"""Every environment variable of this project: typed, documented, with its default.

Only here are variables named and checked. A field is called as its variable is, in lower case, and a `.env` file in the
working directory is read like the environment. What is built from the settings (clients, connections, schedules) does
not belong here.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from dotenv import load_dotenv
from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

Target = Literal["local", "snowflake"]
HubSpotShape = Literal["share", "fivetran", "airbyte", "plain"]

# What the connector calls `authenticator`, see
# https://docs.snowflake.com/en/developer-guide/python-connector/python-connector-api#connect.
# An Okta sign-in is the https URL of the Okta account instead of one of these names.
Authenticator = Literal[
    "snowflake",
    "username_password_mfa",
    "externalbrowser",
    "snowflake_jwt",
    "oauth",
    "programmatic_access_token",
    "workload_identity",
]

# Gong was founded in 2015: with this default no call is older than the first partition, and nothing is silently out of
# reach. Set GONG_START_DATE to your first call for a shorter partition list.
FIRST_POSSIBLE_CALL_DATE = date(2015, 1, 1)


class SettingsError(Exception):
    """Environment variables that make no sense; its text has one line for each."""


class Settings(BaseSettings):
    model_config = SettingsConfigDict(
        env_ignore_empty=True, validate_default=True, extra="ignore", frozen=True, hide_input_in_errors=True
    )

    gong_assets_target: Annotated[
        Target | None, Field(description="`local` or `snowflake`; `local` unless SNOWFLAKE_ACCOUNT is set.")
    ] = None
    gong_assets_home: Annotated[
        Path,
        Field(description="Where the local stack keeps its state, and Dagster if DAGSTER_HOME is unset."),
    ] = Path(".gong_assets")
    dagster_home: Annotated[Path | None, Field(description="Dagster's own home; see GONG_ASSETS_HOME.")] = (
        None
    )

    gong_assets_alert_webhook_url: Annotated[
        SecretStr | None,
        Field(description='Failed runs are posted there as {"text": ...}, as Slack takes it.'),
    ] = None

    gong_base_url: Annotated[
        str | None,
        Field(
            description="Base URL of your company's Gong API, as Gong's API page shows it (often regional); "
            "the simulated tenant when no key is set, else https://api.gong.io."
        ),
    ] = None
    gong_access_key: Annotated[SecretStr | None, Field(description="Access key of the Gong API.")] = None
    gong_access_key_secret: Annotated[SecretStr | None, Field(description="Its secret.")] = None
    gong_access_token: Annotated[
        SecretStr | None, Field(description="OAuth bearer token, instead of a key and secret.")
    ] = None
    gong_client_id: Annotated[
        str | None,
        Field(description="OAuth app that renews its bearer token itself, instead of a key or a token."),
    ] = None
    gong_client_secret: Annotated[SecretStr | None, Field(description="Its secret.")] = None
    gong_refresh_token: Annotated[
        SecretStr | None,
        Field(
            description="The refresh token of the app's authorization. Gong replaces it at each use: the latest one is kept "
            "under GONG_ASSETS_HOME."
        ),
    ] = None
    gong_token_url: Annotated[
        str | None, Field(description="Where the OAuth app renews its token; Gong's own address by default.")
    ] = None
    gong_workspace_id: Annotated[
        str | None,
        Field(description="Read the calls, trackers and library of this workspace only; all by default."),
    ] = None
    gong_max_requests_per_second: Annotated[
        float, Field(ge=0, le=1000, description="Gong's limit for your company; 0 turns the limit off.")
    ] = 3.0
    gong_max_requests_per_day: Annotated[
        int, Field(ge=0, description="Gong's limit for your company; 0 turns the limit off.")
    ] = 10_000
    gong_start_date: Annotated[
        date, Field(description="First daily partition (UTC call date, YYYY-MM-DD).")
    ] = FIRST_POSSIBLE_CALL_DATE
    gong_lookback_days: Annotated[
        int, Field(ge=1, le=366, description="Days that each scheduled sync re-reads, today included.")
    ] = 7
    gong_include_private_calls: Annotated[
        bool, Field(description="Land private calls too; by default they are counted but not landed.")
    ] = False
    gong_transcript_retry_days: Annotated[
        int, Field(ge=0, le=366, description="Days after a call that its missing transcript is re-requested.")
    ] = 14
    gong_reconciliation_days: Annotated[
        int,
        Field(
            ge=1,
            le=5000,
            description="Days back that the weekly reconciliation compares with Gong's list of calls.",
        ),
    ] = 365
    gong_max_vanished_share: Annotated[
        float,
        Field(
            ge=0,
            le=1,
            description="How large a part of the calls that are landed for the days of a run may be gone from Gong; with "
            "more, or with all of them gone, the run fails and changes nothing. 1 turns this guard off.",
        ),
    ] = 0.5

    snowflake_account: Annotated[str | None, Field(description="Account identifier, `<org>-<account>`.")] = (
        None
    )
    snowflake_user: str | None = None
    snowflake_role: str | None = None
    snowflake_warehouse: str | None = None
    snowflake_database: str = "SOPHIA_AI"
    snowflake_schema: str = "GONG_DATA"
    snowflake_host: Annotated[str | None, Field(description="Other host than the account's own.")] = None
    snowflake_port: Annotated[int | None, Field(ge=1, le=65535)] = None
    snowflake_protocol: Literal["http", "https"] | None = None
    snowflake_authenticator: Annotated[
        str | None,
        Field(
            description="One of: " + ", ".join(get_args(Authenticator)) + ", or the https URL of your Okta."
        ),
    ] = None
    snowflake_private_key: Annotated[
        SecretStr | None, Field(description="Key-pair sign-in: the key as PEM, or base64 of the PEM or DER.")
    ] = None
    snowflake_private_key_path: Annotated[Path | None, Field(description="The key's file, instead.")] = None
    snowflake_private_key_passphrase: SecretStr | None = None
    snowflake_token: Annotated[
        SecretStr | None,
        Field(
            description="Programmatic access token; with authenticator oauth or workload_identity, their token."
        ),
    ] = None
    snowflake_password: SecretStr | None = None
    snowflake_workload_identity_provider: Literal["AWS", "AZURE", "GCP", "OIDC"] | None = None

    hubspot_database: Annotated[
        str,
        Field(
            description="Database that HubSpot's data share was mounted as, or that a connector writes to."
        ),
    ] = "HUBSPOT_SHARE"
    hubspot_schema: Annotated[
        str, Field(description="V2_DAILY or V2_LIVE for the share, else the connector's schema.")
    ] = "V2_DAILY"
    hubspot_shape: Annotated[
        HubSpotShape,
        Field(
            description="`share` (HubSpot's own), `fivetran`, `airbyte`, or `plain` (DEALS, CONTACTS, COMPANIES)."
        ),
    ] = "share"

    gong_redact_transcripts: Annotated[
        bool,
        Field(
            description="Whether agents, search and summaries get transcripts with personal data taken out (AI_REDACT)."
        ),
    ] = False
    gong_cortex_token_budget: Annotated[
        int | None,
        Field(
            ge=0,
            description="Tokens that one run may send to Cortex, instead of the dbt var cortex_token_budget; "
            "0 only says what a run would cost.",
        ),
    ] = None
    gong_cortex_search: Annotated[
        bool,
        Field(
            description="Whether a Cortex Search service is one more asset of the graph; Snowflake only, with a standing cost."
        ),
    ] = False

    @property
    def target(self) -> Target:
        return self.gong_assets_target or ("snowflake" if self.snowflake_account else "local")

    @field_validator("gong_assets_home", mode="after")
    @classmethod
    def _absolute(cls, home: Path) -> Path:
        # At once: dagster-dbt changes the working directory of the process while it runs.
        return home.expanduser().absolute()

    @property
    def home(self) -> Path:
        return self.gong_assets_home

    @property
    def uses_simulated_gong(self) -> bool:
        return not (self.gong_base_url or self._gong_credentials)

    @property
    def _gong_credentials(self) -> list[str]:
        """The ways to sign in to Gong that are given, by the variable that each begins with."""
        names = ("gong_access_key", "gong_access_token", "gong_client_id")
        return [name.upper() for name in names if getattr(self, name)]

    @property
    def needs_local_stack(self) -> bool:
        return self.target == "local" or self.uses_simulated_gong

    @property
    def snowflake_secrets(self) -> dict[str, str | None]:
        """The secret values of the Snowflake sign-in, by the name of the connector's argument."""
        names = ("password", "token", "private_key", "private_key_passphrase")
        values = ((name, getattr(self, f"snowflake_{name}")) for name in names)
        return {name: value.get_secret_value() if value else None for name, value in values}

    @model_validator(mode="after")
    def _check(self) -> Settings:
        problems = [*self._gong_problems(), *self._snowflake_problems(), *self._cortex_search_problems()]
        if problems:
            raise ValueError("\n".join(problems))
        return self

    def _gong_problems(self) -> list[str]:
        problems = []
        if self.gong_start_date > datetime.now(UTC).date():
            problems.append(f"GONG_START_DATE: {self.gong_start_date} is in the future")
        if (self.gong_access_key is None) != (self.gong_access_key_secret is None):
            problems.append("GONG_ACCESS_KEY and GONG_ACCESS_KEY_SECRET: set both or neither")
        oauth = (self.gong_client_id, self.gong_client_secret, self.gong_refresh_token)
        if any(oauth) and not all(oauth):
            problems.append(
                "GONG_CLIENT_ID, GONG_CLIENT_SECRET and GONG_REFRESH_TOKEN: set all three or none"
            )
        if len(self._gong_credentials) > 1:
            problems.append(f"{' and '.join(self._gong_credentials)}: set only one way to sign in")
        if self.gong_base_url:
            if not self.gong_base_url.startswith(("https://", "http://")):
                problems.append("GONG_BASE_URL: must start with https:// (as Gong's API page shows it)")
            if not self._gong_credentials:
                problems.append(
                    "GONG_BASE_URL: needs GONG_ACCESS_KEY and GONG_ACCESS_KEY_SECRET, GONG_ACCESS_TOKEN, or "
                    "GONG_CLIENT_ID, GONG_CLIENT_SECRET and GONG_REFRESH_TOKEN"
                )
        return problems

    def _snowflake_problems(self) -> list[str]:
        if self.target == "local":
            return []
        problems = [
            f"{name.upper()}: is required when GONG_ASSETS_TARGET is snowflake"
            for name in ("snowflake_account", "snowflake_user")
            if getattr(self, name) is None
        ]
        given = [
            name.upper()
            for name in (
                "snowflake_password",
                "snowflake_private_key",
                "snowflake_private_key_path",
                "snowflake_token",
            )
            if getattr(self, name) is not None
        ]
        if len(given) > 1:
            problems.append(f"{' and '.join(given)}: set only one way to sign in")
        problems += self._authenticator_problems(given)
        return problems

    def _cortex_search_problems(self) -> list[str]:
        if not self.gong_cortex_search:
            return []
        if self.target == "local":
            return [
                "GONG_CORTEX_SEARCH: Cortex Search is on Snowflake only; unset it, or set GONG_ASSETS_TARGET=snowflake"
            ]
        if self.snowflake_warehouse is None:
            return ["GONG_CORTEX_SEARCH: needs SNOWFLAKE_WAREHOUSE, which keeps the service fresh"]
        return []

    def _authenticator_problems(self, given: list[str]) -> list[str]:
        authenticator = (self.snowflake_authenticator or "").lower()
        if not authenticator:
            needed = (
                "SNOWFLAKE_PRIVATE_KEY, SNOWFLAKE_PRIVATE_KEY_PATH, SNOWFLAKE_TOKEN or SNOWFLAKE_PASSWORD"
            )
            return [] if given else [f"Snowflake sign-in: set {needed}, or SNOWFLAKE_AUTHENTICATOR"]
        if authenticator.startswith("https://"):
            needs = {"SNOWFLAKE_PASSWORD"}
        elif authenticator not in get_args(Authenticator):
            return [
                f"SNOWFLAKE_AUTHENTICATOR: must be an https URL or one of {', '.join(get_args(Authenticator))}"
            ]
        else:
            needs = {
                "snowflake": {"SNOWFLAKE_PASSWORD"},
                "username_password_mfa": {"SNOWFLAKE_PASSWORD"},
                "externalbrowser": set[str](),
                "snowflake_jwt": {"SNOWFLAKE_PRIVATE_KEY", "SNOWFLAKE_PRIVATE_KEY_PATH"},
                "oauth": {"SNOWFLAKE_TOKEN"},
                "programmatic_access_token": {"SNOWFLAKE_TOKEN"},
                "workload_identity": set[str](),
            }[authenticator]
        problems = []
        if needs and not needs & set(given):
            problems.append(f"SNOWFLAKE_AUTHENTICATOR={authenticator}: needs {' or '.join(sorted(needs))}")
        if authenticator == "workload_identity" and self.snowflake_workload_identity_provider is None:
            problems.append(
                "SNOWFLAKE_AUTHENTICATOR=workload_identity: needs SNOWFLAKE_WORKLOAD_IDENTITY_PROVIDER"
            )
        return problems


class _WithoutSignIn(Settings):
    """Settings of a graph whose Snowflake sign-in is elsewhere."""

    @property
    def target(self) -> Target:
        return "snowflake"

    def _snowflake_problems(self) -> list[str]:
        return []


def load_settings(*, snowflake_sign_in: bool = True, **overrides: Any) -> Settings:
    """Read the environment, after adding to it what only `.env` in the working directory sets.

    It is added to the environment itself, so that Dagster's `EnvVar`s and the commands that we start see it too.

    Args:
        snowflake_sign_in: whether the target is read from the settings too. False if a Dagster resource of the user signs in
            to Snowflake.
        overrides: values that replace those of the environment.

    Raises:
        SettingsError: a value makes no sense; the text names the variables and shows no value of a secret.
    """
    load_dotenv(Path.cwd() / ".env")
    try:
        return Settings(**overrides) if snowflake_sign_in else _WithoutSignIn(**overrides)
    except ValidationError as error:
        lines = []
        for problem in error.errors(include_url=False, include_input=False, include_context=False):
            message = problem["msg"].removeprefix("Value error, ")
            if problem["loc"]:
                message = f"{str(problem['loc'][0]).upper()}: {message[0].lower()}{message[1:]}"
            lines.append(message)
        raise SettingsError("\n".join(lines)) from None
