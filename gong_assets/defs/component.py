"""The Dagster component `gong_assets.GongAssets`, with which a `defs.yaml` adds the graph to a project.

It only declares attributes. The graph is assembled in `build.py`, which takes seconds to import.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated, Any, get_args

import dagster as dg
from pydantic import SecretStr, create_model

from gong_assets.defs.options import GraphOptions
from gong_assets.settings import Settings, load_settings


def _yaml_type(annotation: Any) -> Any:
    """Return the type of a setting in YAML, in which dates and paths are strings."""
    types = {date: str, Path: str}
    optional = type(None) in get_args(annotation)
    (kind,) = [each for each in get_args(annotation) if each is not type(None)] if optional else [annotation]
    return types.get(kind, kind) | None


class _Attributes(dg.Model, dg.Resolvable):
    """Base of the attributes that are derived from the settings."""


# Read from the environment before the attributes are.
_ENVIRONMENT_ONLY = ("dagster_home", "gong_assets_esc")


def _overrides() -> type[_Attributes]:
    fields: dict[str, Any] = {
        name: (
            Annotated[_yaml_type(field.annotation), dg.Resolver.default(description=field.description)],
            None,
        )
        for name, field in Settings.model_fields.items()
        if SecretStr not in (field.annotation, *get_args(field.annotation)) and name not in _ENVIRONMENT_ONLY
    }
    return create_model("SettingsOverrides", __base__=_Attributes, **fields)


SettingsOverrides: Any = _overrides()


class GongAssets(dg.Component, GraphOptions):
    """Gong calls and transcripts in Snowflake, with staged tables, Cortex enrichment and views for agents.

    Accounts and secrets are environment variables such as GONG_ACCESS_KEY and SNOWFLAKE_ACCOUNT. Without
    them, the graph reads a simulated Gong tenant into a local warehouse, which needs the extra `local`.
    """

    settings: Annotated[
        SettingsOverrides,
        dg.Resolver.default(
            description="Settings that replace those of the environment, by the lower-case name of the "
            "variable. Secrets are set in the environment only."
        ),
    ] = SettingsOverrides()

    @classmethod
    def get_spec(cls) -> dg.ComponentTypeSpec:
        return dg.ComponentTypeSpec(
            tags=["gong", "snowflake", "dbt"],
            produces=["asset", "asset_check", "schedule", "sensor", "job", "resource"],
        )

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        from gong_assets.defs.build import build_defs

        overrides = self.settings.model_dump(exclude_none=True)
        sign_in = self.resource_keys.snowflake is None
        return build_defs(load_settings(snowflake_sign_in=sign_in, **overrides), self)
