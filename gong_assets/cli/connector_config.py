"""Configuration of Airbyte's and Fivetran's Gong connectors, from the settings and without a secret.

The bodies are those of the products' public APIs. Three values are easy to get wrong: Airbyte's cron
expression begins with the seconds, Fivetran accepts few frequencies, and both sign in to Snowflake with a
key pair.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from gong_assets.settings import Settings

Json = dict[str, Any]

# The id of Airbyte's Gong source and of its Snowflake destination.
AIRBYTE_GONG = "32382e40-3b49-4b99-9c5c-4076501914e7"
AIRBYTE_SNOWFLAKE = "424892c4-daac-4491-b35d-c6688ba547ba"
# Every 4 hours: a Quartz expression, whose first field is the seconds.
AIRBYTE_CRON = "0 0 */4 * * ?"
# Days that each sync reads again. With the connector's default of 0 it loses late calls.
AIRBYTE_LOOKBACK_DAYS = 7
# Minutes. Fivetran accepts 1, 5, 15, 30, 60, 120, 180, 360, 480, 720 and 1440.
FIVETRAN_FREQUENCY = 360

_DEDUPED, _OVERWRITE = "incremental_deduped_history", "full_refresh_overwrite"
AIRBYTE_STREAMS: tuple[Json, ...] = (
    {
        "name": "extensiveCalls",
        "syncMode": _DEDUPED,
        "cursorField": ["startdatetime"],
        "primaryKey": [["id"]],
    },
    {"name": "callTranscripts", "syncMode": _DEDUPED, "cursorField": ["started"], "primaryKey": [["callId"]]},
    {"name": "users", "syncMode": _OVERWRITE},
    {"name": "scorecards", "syncMode": _OVERWRITE},
    {
        "name": "answeredScorecards",
        "syncMode": _DEDUPED,
        "cursorField": ["reviewTime"],
        "primaryKey": [["answeredScorecardId"]],
    },
)


def airbyte_requests(settings: Settings) -> list[Json]:
    """Return the requests that create the source, the destination and the connection, in order."""
    workspace = "<AIRBYTE_WORKSPACE_ID>"
    return [
        {
            "method": "POST",
            "path": "/v1/sources",
            "body": {
                "name": "Gong",
                "workspaceId": workspace,
                "definitionId": AIRBYTE_GONG,
                "configuration": _airbyte_source(settings, "<GONG_ACCESS_KEY>", "<GONG_ACCESS_KEY_SECRET>"),
            },
        },
        {
            "method": "POST",
            "path": "/v1/destinations",
            "body": {
                "name": "Snowflake",
                "workspaceId": workspace,
                "definitionId": AIRBYTE_SNOWFLAKE,
                "configuration": _airbyte_destination(settings, "<SNOWFLAKE_PRIVATE_KEY>"),
            },
        },
        {
            "method": "POST",
            "path": "/v1/connections",
            "body": {
                "name": "Gong to Snowflake",
                "sourceId": "<SOURCE_ID>",
                "destinationId": "<DESTINATION_ID>",
                "schedule": {"scheduleType": "cron", "cronExpression": AIRBYTE_CRON},
                "namespaceDefinition": "custom_format",
                "namespaceFormat": destination_schema(settings, "airbyte"),
                "prefix": settings.gong_source_table_prefix,
                "configurations": {"streams": list(AIRBYTE_STREAMS)},
            },
        },
    ]


def destination_schema(settings: Settings, source: str) -> str:
    """Return the schema that the connector writes to, which is that of GONG_SOURCE if it is this source."""
    if settings.gong_source == source:
        return settings.source_schema
    return settings.gong_source_schema or "GONG"


def _airbyte_source(settings: Settings, key: str, secret: str) -> Json:
    return {
        "credentials": {"auth_type": "APIKey", "access_key": key, "access_key_secret": secret},
        "start_date": f"{settings.first_day(datetime.now(UTC).date())}T00:00:00Z",
        "lookback_window_days": AIRBYTE_LOOKBACK_DAYS,
    }


def _airbyte_destination(settings: Settings, private_key: str) -> Json:
    account = settings.snowflake_account or "<SNOWFLAKE_ACCOUNT>"
    return {
        "host": f"{account}.snowflakecomputing.com",
        "role": settings.snowflake_role or "<SNOWFLAKE_ROLE>",
        "warehouse": settings.snowflake_warehouse or "<SNOWFLAKE_WAREHOUSE>",
        "database": settings.gong_source_database or settings.snowflake_database,
        "schema": destination_schema(settings, "airbyte"),
        "username": settings.snowflake_user or "<SNOWFLAKE_USER>",
        "credentials": {"auth_type": "Key Pair Authentication", "private_key": private_key},
    }


def fivetran_requests(settings: Settings) -> list[Json]:
    """Return the request that creates the connection."""
    return [
        {
            "method": "POST",
            "path": "/v1/connections",
            "body": {
                "service": "gongio",
                "group_id": "<FIVETRAN_GROUP_ID>",
                "schedule_type": "auto",
                "sync_frequency": FIVETRAN_FREQUENCY,
                "config": _fivetran_config(settings, "<GONG_ACCESS_KEY>", "<GONG_ACCESS_KEY_SECRET>"),
            },
        }
    ]


def _fivetran_config(settings: Settings, key: str, secret: str) -> Json:
    return {
        "schema": destination_schema(settings, "fivetran").lower(),
        "access_key": key,
        "access_key_secret": secret,
        "base_url": settings.gong_base_url or "https://api.gong.io",
    }


def airbyte_terraform(settings: Settings) -> str:
    """Return resources of the provider airbytehq/airbyte.

    The source is a custom one: `airbyte_source_gong` has no lookback, and older credentials.
    """
    source = _airbyte_source(settings, "${var.gong_access_key}", "${var.gong_access_key_secret}")
    destination = _airbyte_destination(settings, "")
    destination["credentials"] = {"key_pair_authentication": {"private_key": "${var.snowflake_private_key}"}}
    connection = _airbyte_connection(settings)
    workspace = "${var.airbyte_workspace_id}"
    blocks = [
        _provider("airbyte", "airbytehq/airbyte"),
        _variables("airbyte_workspace_id", secrets=("gong_access_key", "gong_access_key_secret")),
        _variables(secrets=("snowflake_private_key",)),
        _resource(
            "airbyte_source_custom",
            "gong",
            {
                "name": "Gong",
                "workspace_id": workspace,
                "definition_id": AIRBYTE_GONG,
                "configuration": AsJson(source),
            },
        ),
        _resource(
            "airbyte_destination_snowflake",
            "snowflake",
            {"name": "Snowflake", "workspace_id": workspace, "configuration": destination},
        ),
        _resource("airbyte_connection", "gong", connection),
    ]
    return "\n\n".join(blocks)


def _airbyte_connection(settings: Settings) -> Json:
    names = {
        "name": "name",
        "syncMode": "sync_mode",
        "cursorField": "cursor_field",
        "primaryKey": "primary_key",
    }
    streams = [{names[key]: value for key, value in stream.items()} for stream in AIRBYTE_STREAMS]
    return {
        "name": "Gong to Snowflake",
        "source_id": "${airbyte_source_custom.gong.source_id}",
        "destination_id": "${airbyte_destination_snowflake.snowflake.destination_id}",
        "schedule": {"schedule_type": "cron", "cron_expression": AIRBYTE_CRON},
        "namespace_definition": "custom_format",
        "namespace_format": destination_schema(settings, "airbyte"),
        "prefix": settings.gong_source_table_prefix,
        "configurations": {"streams": streams},
    }


def fivetran_terraform(settings: Settings) -> str:
    """Return resources of the provider fivetran/fivetran."""
    config = _fivetran_config(settings, "${var.gong_access_key}", "${var.gong_access_key_secret}")
    schema = config.pop("schema")
    connector = {"group_id": "${var.fivetran_group_id}", "service": "gongio"}
    schedule = {
        "connector_id": "${fivetran_connector.gong.id}",
        "schedule_type": "auto",
        "sync_frequency": str(FIVETRAN_FREQUENCY),
    }
    return "\n\n".join(
        [
            _provider("fivetran", "fivetran/fivetran"),
            _variables("fivetran_group_id", secrets=("gong_access_key", "gong_access_key_secret")),
            _resource(
                "fivetran_connector",
                "gong",
                connector,
                blocks={"destination_schema": {"name": schema}, "config": config},
            ),
            _resource("fivetran_connector_schedule", "gong", schedule),
        ]
    )


class AsJson(dict[str, Any]):
    """An object that is an attribute of Terraform as JSON text."""


def _provider(name: str, source: str) -> str:
    return (
        f'terraform {{\n  required_providers {{\n    {name} = {{\n      source = "{source}"\n    }}\n  }}\n}}'
    )


def _variables(*names: str, secrets: tuple[str, ...] = ()) -> str:
    plain = [f'variable "{name}" {{\n  type = string\n}}' for name in names]
    sensitive = [f'variable "{name}" {{\n  type      = string\n  sensitive = true\n}}' for name in secrets]
    return "\n\n".join(plain + sensitive)


def _resource(kind: str, name: str, values: Json, blocks: Json | None = None) -> str:
    lines = [f"  {key} = {_hcl(value, 1)}" for key, value in values.items()]
    for block, content in (blocks or {}).items():
        lines += [
            "",
            f"  {block} {{",
            *(f"    {key} = {_hcl(value, 2)}" for key, value in content.items()),
            "  }",
        ]
    return f'resource "{kind}" "{name}" {{\n' + "\n".join(lines) + "\n}"


def _hcl(value: Any, depth: int) -> str:
    """Return a value in HCL. A text that is only a reference is written as the reference."""
    indent = "  " * (depth + 1)
    if isinstance(value, str) and value.startswith("${") and value.endswith("}"):
        return value[2:-1]
    if isinstance(value, AsJson):
        return f"jsonencode({_hcl(dict(value), depth)})"
    if isinstance(value, dict):
        fields = "".join(f"{indent}{key} = {_hcl(each, depth + 1)}\n" for key, each in value.items())
        return f"{{\n{fields}{'  ' * depth}}}"
    if isinstance(value, list):
        if all(isinstance(each, str) for each in value):
            return json.dumps(value)
        items = "".join(f"{indent}{_hcl(each, depth + 1)},\n" for each in value)
        return f"[\n{items}{'  ' * depth}]"
    return json.dumps(value)
