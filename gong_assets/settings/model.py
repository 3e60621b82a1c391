"""Every environment variable of this project: its type, default and description.

A field has the name of its variable in lower case. A `.env` file of the project is read like the
environment. docs/settings.md is generated from this module. Clients, connections and schedules are built from
the settings elsewhere.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr, field_validator, model_validator
from pydantic_settings import SettingsConfigDict

from gong_assets.settings.alert_settings import AlertSettings
from gong_assets.settings.dbt_vars import changed_vars, valid_timezone
from gong_assets.settings.gong_sign_in_settings import GongSignInSettings
from gong_assets.settings.project_directory import HOME_NAME, project_directory
from gong_assets.settings.provisioning_settings import ProvisioningSettings
from gong_assets.settings.retention_settings import RetentionSettings
from gong_assets.settings.snowflake_sign_in import account_problem, authenticator_problems
from gong_assets.settings.source_settings import SourceSettings
from gong_assets.settings.webhook_settings import WebhookSettings

Target = Literal["local", "snowflake"]
HubSpotShape = Literal["share", "fivetran", "airbyte", "plain"]
TimeZone = Annotated[str, AfterValidator(valid_timezone)]

# Gong was founded in 2015, so with this default no call is older than the first partition.
FIRST_POSSIBLE_CALL_DATE = date(2015, 1, 1)


class Settings(
    GongSignInSettings,
    AlertSettings,
    WebhookSettings,
    SourceSettings,
    RetentionSettings,
    ProvisioningSettings,
):
    """The settings of one deployment. The docstring of each field is its description."""

    model_config = SettingsConfigDict(
        env_ignore_empty=True,
        validate_default=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
        use_attribute_docstrings=True,
    )

    gong_assets_target: Target | None = None
    """Warehouse: `local` for the local stack, or `snowflake`. Defaults to `snowflake` if SNOWFLAKE_ACCOUNT is
    set, and to `local` otherwise."""
    gong_assets_source: Literal["gong", "simulated"] | None = None
    """Source of the calls: `gong`, or `simulated` for the simulated tenant. Defaults to `gong` if Gong
    credentials are set, and to `simulated` otherwise. The simulated tenant is written to Snowflake only with
    `simulated`, and a real Gong to the local stack only with GONG_ASSETS_TARGET=`local`."""
    gong_assets_esc: str | None = None
    """Pulumi ESC environment, `organization/project/environment`, that fills the variables that are not set.
    Needs PULUMI_ACCESS_TOKEN and the extra `esc`."""
    gong_assets_home: Path = Path(HOME_NAME)
    """Directory for the state of the local stack, the parsed dbt project, the latest OAuth refresh token, and
    Dagster's state if DAGSTER_HOME is not set. The default is also found from a subdirectory."""
    dagster_home: Path | None = None
    """Directory for Dagster's state. Defaults to `dagster` in GONG_ASSETS_HOME for the `gong-assets`
    commands."""
    gong_assets_run_retention_days: Annotated[int, Field(ge=0, le=3650)] = 30
    """Days after which the runs of the graph are deleted from Dagster's storage, if later runs have
    materialized their partitions, and the logs of steps. 0 keeps all of them."""
    gong_assets_schedules_enabled: bool | None = None
    """Start schedules and sensors by default. Defaults to true for the simulated tenant with the local
    warehouse, and to false otherwise. Set it to true in the environment of one deployment. A `.env` file must
    not, because a copy of the file would start a second deployment. The UI can start and stop each. Only
    `gong_orphaned_runs`, a sensor that repairs dead runs and costs nothing, always starts."""
    gong_assets_timezone: TimeZone = "UTC"
    """Time zone of the schedules, such as `Europe/Berlin`. Days and partitions are always UTC."""
    gong_assets_ingestion_cron: str | None = None
    """When the lookback days are read again. Defaults to every 4 hours."""
    gong_assets_reconciliation_cron: str | None = None
    """When older days are compared with Gong. Defaults to Sundays at 01:30."""
    gong_assets_reference_data_cron: str | None = None
    """When reference data is read. Defaults to every day at 00:45."""
    gong_assets_hubspot_cron: str | None = None
    """When the HubSpot tables are rebuilt. Defaults to every day at 06:05 for HubSpot's own share (V2_DAILY),
    and to every hour at minute 5 otherwise."""
    gong_assets_standing_checks_cron: str | None = None
    """When the checks over all days run. Defaults to every day at 06:30."""
    gong_assets_storage_cleanup_cron: str | None = None
    """When old runs and logs are deleted from Dagster's storage. Defaults to every day at 03:20."""
    gong_assets_agent_objects_cron: str | None = None
    """When changed objects of GONG_AGENT_OBJECTS are replaced. Defaults to every day at 06:45."""

    gong_workspace_id: str | None = None
    """Read only the calls, trackers and library of this Gong workspace. Defaults to all workspaces."""
    gong_max_requests_per_second: Annotated[float, Field(ge=0, le=1000)] = 3.0
    """Gong's rate limit for your company. 0 disables the limit."""
    gong_max_requests_per_day: Annotated[int, Field(ge=0)] = 10_000
    """Maximum number of Gong requests per day. All integrations of your company share Gong's daily quota. 0
    disables the limit."""
    gong_start_date: date = FIRST_POSSIBLE_CALL_DATE
    """First daily partition, as a UTC date (YYYY-MM-DD). Without it, partitions start at the first call once
    `gong-assets dev`, `doctor` or `sync --mode full` has looked it up; it is kept in GONG_ASSETS_HOME."""
    gong_lookback_days: Annotated[int, Field(ge=1, le=366)] = 7
    """Number of days that each scheduled sync reads again, including today."""
    gong_include_private_calls: bool = False
    """Land private calls. By default they are counted but not landed. Agents and Cortex Search always exclude
    them."""
    gong_transcript_retry_days: Annotated[int, Field(ge=0, le=366)] = 14
    """Number of days after a call during which its missing transcript is requested at least daily. Later,
    the weekly reconciliation requests it."""
    gong_reconciliation_days: Annotated[int, Field(ge=1, le=5000)] = 365
    """Number of days that the weekly reconciliation compares with Gong's list of calls, and whose missing
    transcripts it requests."""
    gong_max_vanished_share: Annotated[float, Field(ge=0, le=1)] = 0.5
    """Maximum fraction of the landed records of a run's days that may be deleted without confirmation,
    because Gong no longer returns them. If more are missing, or all of them, the run fails and changes
    nothing. 1 disables this guard."""

    snowflake_account: str | None = None
    """Snowflake account identifier, `<organization>-<account>`."""
    snowflake_user: str | None = None
    """Snowflake user."""
    snowflake_role: str | None = None
    """Snowflake role. Defaults to the user's default role."""
    snowflake_warehouse: str | None = None
    """Snowflake warehouse. Defaults to the user's default warehouse."""
    snowflake_database: str = "SOPHIA_AI"
    """Database of all tables and views."""
    snowflake_schema: str = "GONG_DATA"
    """Schema of all tables and views."""
    snowflake_host: str | None = None
    """Host of the account, if it is not `<account>.snowflakecomputing.com`."""
    snowflake_port: Annotated[int | None, Field(ge=1, le=65535)] = None
    """Port of the host. Defaults to 443."""
    snowflake_protocol: Literal["http", "https"] | None = None
    """Protocol, `http` or `https`. Defaults to `https`."""
    snowflake_authenticator: str | None = None
    """Sign-in method: `snowflake`, `username_password_mfa`, `externalbrowser`, `snowflake_jwt`, `oauth`,
    `programmatic_access_token`, `workload_identity`, or the https URL of your Okta account. Defaults to
    key-pair, token or password sign-in, whichever is set."""
    snowflake_private_key: SecretStr | None = None
    """Private key for key-pair sign-in: PEM, or base64 of PEM or DER."""
    snowflake_private_key_path: Path | None = None
    """File with the private key, instead of SNOWFLAKE_PRIVATE_KEY."""
    snowflake_private_key_passphrase: SecretStr | None = None
    """Passphrase of an encrypted private key."""
    snowflake_token: SecretStr | None = None
    """Programmatic access token, or the token of authenticator `oauth` or `workload_identity`."""
    snowflake_password: SecretStr | None = None
    """Password, for trial accounts and people. Snowflake does not accept passwords for service users."""
    snowflake_workload_identity_provider: Literal["AWS", "AZURE", "GCP", "OIDC"] | None = None
    """Provider of authenticator `workload_identity`: `AWS`, `AZURE`, `GCP` or `OIDC`."""

    hubspot_database: str = "HUBSPOT_SHARE"
    """Database with HubSpot's tables: the mounted share, or a connector's target."""
    hubspot_schema: str = "V2_DAILY"
    """Schema with HubSpot's tables: `V2_DAILY` or `V2_LIVE` for the share, else the connector's."""
    hubspot_shape: HubSpotShape = "share"
    """Layout of HubSpot's tables: `share` (HubSpot's data share), `fivetran`, `airbyte`, or `plain` (tables
    DEALS, CONTACTS and COMPANIES)."""

    gong_redact_transcripts: bool = False
    """Redact personal data (AI_REDACT) in all that is shown. Each day changes with its next run."""
    gong_cortex_token_budget: Annotated[int | None, Field(ge=0)] = None
    """Tokens that a run may send to Cortex, instead of the dbt var `cortex_token_budget`; 0 sends nothing."""
    gong_cortex_credit_budget: Annotated[float | None, Field(ge=0)] = None
    """AI credits that one run may spend on Cortex. Defaults to 100, the dbt var `cortex_credit_budget`."""
    gong_dbt_vars_file: Path | None = None
    """YAML file with values of the vars in `gong_assets/dbt/dbt_project.yml`, such as models and prices."""
    gong_company_timezone: TimeZone | None = None
    """The company's time zone, such as `America/New_York`, for close dates and months and days of figures.
    Defaults to UTC, the dbt var `company_timezone`. Partitions stay days in UTC."""
    gong_cortex_monthly_budget: Annotated[float | None, Field(gt=0)] = None
    """Dollars that Cortex may cost in 30 days, by the estimates of the sent batches. A check fails beyond."""
    gong_cortex_search: bool = False
    """Add a Cortex Search service to the graph. Snowflake only; the service has a standing cost."""
    gong_agent_objects: bool = False
    """Add a semantic view, a Cortex Agent and an MCP server to the graph. Snowflake only."""

    @property
    def target(self) -> Target:
        return self.gong_assets_target or ("snowflake" if self.snowflake_account else "local")

    @property
    def receives_webhook(self) -> bool:
        """Whether the graph reads announced calls: with a webhook of Gong's, or the simulated tenant's."""
        return self.gong_webhook_url is not None or self.uses_simulated_gong

    @field_validator("gong_assets_home", mode="after")
    @classmethod
    def _absolute(cls, home: Path) -> Path:
        # Resolved here, because dagster-dbt changes the working directory of the process.
        if home == Path(HOME_NAME):
            variables = [name.upper() for name in cls.model_fields]
            return project_directory(Path.cwd(), variables) / HOME_NAME
        return home.expanduser().absolute()

    @field_validator("gong_dbt_vars_file", mode="after")
    @classmethod
    def _valid_vars(cls, file: Path | None) -> Path | None:
        file = file and file.expanduser().absolute()
        changed_vars(file)  # Raises a ValueError.
        return file

    @field_validator("snowflake_account", mode="after")
    @classmethod
    def _identifier(cls, account: str | None) -> str | None:
        if account and (problem := account_problem(account)):
            raise ValueError(problem)
        return account

    def first_day(self, today: date) -> date:
        """Return the first day that is read and kept: GONG_START_DATE, or later by GONG_RETENTION_DAYS."""
        return max(self.gong_start_date, self.first_kept_day(today) or self.gong_start_date)

    @property
    def home(self) -> Path:
        return self.gong_assets_home

    @property
    def place(self) -> dict[str, str]:
        """Database and schema of the raw tables and the views, by the connector's argument names."""
        return {"database": self.snowflake_database, "schema": self.snowflake_schema}

    @property
    def uses_simulated_gong(self) -> bool:
        if self.gong_assets_source == "simulated":
            return True
        return not (self.is_adopted or self.gong_base_url or self._gong_credentials)

    @property
    def can_read_gong(self) -> bool:
        """Whether Gong's API can be read: always, unless another product is the source."""
        return bool(self.uses_simulated_gong or self._gong_credentials or not self.is_adopted)

    @property
    def requests_missing_transcripts(self) -> bool:
        """Whether transcripts that are not landed are requested from Gong until they arrive."""
        return not self.is_adopted or (self.gong_source_heal and self.can_read_gong)

    @property
    def schedules_enabled(self) -> bool:
        """Whether schedules and sensors start by default: without accounts they spend nothing."""
        if self.gong_assets_schedules_enabled is None:
            return self.target == "local" and self.uses_simulated_gong
        return self.gong_assets_schedules_enabled

    @property
    def needs_local_stack(self) -> bool:
        return self.target == "local" or self.uses_simulated_gong

    @property
    def snowflake_secrets(self) -> dict[str, str | None]:
        """Secrets of the Snowflake sign-in, by the connector's argument names."""
        names = ("password", "token", "private_key", "private_key_passphrase")
        values = ((name, getattr(self, f"snowflake_{name}")) for name in names)
        return {name: value.get_secret_value() if value else None for name, value in values}

    @model_validator(mode="after")
    def _check(self) -> Settings:
        problems = [
            *self._gong_sign_in_problems,
            *self._start_date_problems(),
            *self._snowflake_problems(),
            *self._snowflake_only_problems(),
            *self._alert_problems,
            *self._webhook_problems,
            *self._connection_problems,
        ]
        if problems:
            raise ValueError("\n".join(problems))
        return self

    def _start_date_problems(self) -> list[str]:
        if self.gong_start_date <= datetime.now(UTC).date():
            return []
        return [f"GONG_START_DATE: {self.gong_start_date} is in the future"]

    def _snowflake_problems(self) -> list[str]:
        if self.target == "local":
            return []
        required = {"SNOWFLAKE_ACCOUNT", "SNOWFLAKE_USER"}
        missing = sorted(required - set(self._names_of_set("snowflake_account", "snowflake_user")))
        problems = [f"{name}: is required when GONG_ASSETS_TARGET is snowflake" for name in missing]
        credentials = self._names_of_set(
            "snowflake_password", "snowflake_private_key", "snowflake_private_key_path", "snowflake_token"
        )
        if len(credentials) > 1:
            problems.append(f"{' and '.join(credentials)}: set only one way to sign in")
        return problems + authenticator_problems(
            self.snowflake_authenticator, credentials, self.snowflake_workload_identity_provider
        )

    def _snowflake_only_problems(self) -> list[str]:
        if self.target == "local":
            chosen = self._names_of_set(
                "gong_cortex_search", "gong_agent_objects", "gong_provision_budget_credits"
            )
            fix = "unset it, or set GONG_ASSETS_TARGET=snowflake"
            return [f"{name}: exists on Snowflake only; {fix}" for name in chosen]
        if self.gong_cortex_search and self.snowflake_warehouse is None:
            return ["GONG_CORTEX_SEARCH: needs SNOWFLAKE_WAREHOUSE, which refreshes the service"]
        return []


class SettingsWithoutSignIn(Settings):
    """Settings of a graph whose Snowflake sign-in is elsewhere."""

    @property
    def target(self) -> Target:
        return "snowflake"

    def _snowflake_problems(self) -> list[str]:
        return []
