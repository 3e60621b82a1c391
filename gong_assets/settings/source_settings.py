"""Settings of a source other than Gong's API: the tables of another product."""

from __future__ import annotations

from typing import Literal

from pydantic_settings import BaseSettings, SettingsConfigDict

GongSource = Literal["api", "airbyte", "fivetran", "data_cloud"]

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

    @property
    def is_adopted(self) -> bool:
        """Whether the raw tables come from another product."""
        return self.gong_source != "api"

    @property
    def source_schema(self) -> str:
        return self.gong_source_schema or _SCHEMAS[self.gong_source]
