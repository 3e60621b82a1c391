"""Settings of a source other than Gong's API: the tables of another product."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from gong_assets.settings.urls import url_problems

GongSource = Literal["api", "airbyte", "fivetran", "data_cloud"]

# The settings with which the API of a product is called, for GONG_SOURCE_CONNECTION.
_CONNECTION_SETTINGS = {
    "airbyte": ("airbyte_workspace_id", "airbyte_client_id", "airbyte_client_secret"),
    "fivetran": ("fivetran_api_key", "fivetran_api_secret"),
}

# The default schema of each source.
_SCHEMAS = {"airbyte": "GONG", "fivetran": "GONG", "data_cloud": "GONG_DATA_CLOUD"}


class SourceSettings(BaseSettings):
    """Where the raw tables get their records from. The docstring of each field is its description."""

    model_config = SettingsConfigDict(use_attribute_docstrings=True)

    gong_source: GongSource = "api"
    """Source of the raw tables: `api` (Gong's API), or what another product has loaded into Snowflake:
    `airbyte`, `fivetran`, or `data_cloud` (Gong's own share). See docs/sources.md."""
    gong_source_database: str | None = None
    """Database of the tables of GONG_SOURCE. Defaults to SNOWFLAKE_DATABASE."""
    gong_source_schema: str | None = None
    """Schema of the tables of GONG_SOURCE, in the case in which the product created it. Defaults to
    GONG_DATA_CLOUD for `data_cloud`, and to GONG otherwise."""
    gong_source_table_form: Literal["typed", "raw", "v1"] = "typed"
    """Form of Airbyte's tables: `typed` (final tables, such as EXTENSIVECALLS), `raw` (the schema
    `airbyte_internal` of a destination without final tables), or `v1` (tables such as _AIRBYTE_RAW_CALLS)."""
    gong_source_table_prefix: str = ""
    """Prefix of the stream names in the Airbyte connection."""
    gong_source_heal: bool = True
    """Whether the audit of GONG_SOURCE also repairs what it finds: it reads lost calls and transcripts from
    Gong's API, and deletes those that Gong no longer has. Needs Gong credentials."""

    gong_source_content_audits: Annotated[int, Field(ge=0, le=100)] = 4
    """Number of weekly audits in which the content of each landed call is compared with Gong's once, with one
    request for 100 calls. 1 compares all calls in each audit, and 0 none."""
    gong_source_connection: str | None = None
    """ID or name of the Gong connection in Airbyte or Fivetran. Dagster then shows its streams as assets
    upstream of the raw tables, and can run its sync. Needs the extra `airbyte` or `fivetran`, and one run of
    `gong-assets source refresh`."""
    airbyte_url: str | None = None
    """URL of a self-managed Airbyte, such as https://airbyte.example.com. Defaults to Airbyte Cloud."""
    airbyte_workspace_id: str | None = None
    """ID of the Airbyte workspace of GONG_SOURCE_CONNECTION."""
    airbyte_client_id: str | None = None
    """ID of an application in Airbyte. Requires AIRBYTE_CLIENT_SECRET."""
    airbyte_client_secret: SecretStr | None = None
    """Secret of the application in Airbyte."""
    fivetran_api_key: str | None = None
    """API key of Fivetran, for GONG_SOURCE_CONNECTION. Requires FIVETRAN_API_SECRET."""
    fivetran_api_secret: SecretStr | None = None
    """Secret of Fivetran's API key."""

    @property
    def is_adopted(self) -> bool:
        """Whether the raw tables come from another product."""
        return self.gong_source != "api"

    @property
    def source_schema(self) -> str:
        return self.gong_source_schema or _SCHEMAS[self.gong_source]

    @property
    def _connection_problems(self) -> list[str]:
        problems = url_problems("AIRBYTE_URL", self.airbyte_url)
        if self.gong_source_connection is None:
            return problems
        if self.gong_source not in _CONNECTION_SETTINGS:
            return [*problems, "GONG_SOURCE_CONNECTION: needs GONG_SOURCE airbyte or fivetran"]
        needed = _CONNECTION_SETTINGS[self.gong_source]
        if missing := [name.upper() for name in needed if not getattr(self, name)]:
            problems.append(f"GONG_SOURCE_CONNECTION: needs {', '.join(missing)}")
        return problems
