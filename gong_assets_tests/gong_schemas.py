"""Gong's OpenAPI document, as far as `data/gong_schemas.json` keeps it: shapes and scopes by endpoint."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

Schema = dict[str, Any]

SCHEMAS: Schema = json.loads((Path(__file__).parent / "data" / "gong_schemas.json").read_text("utf-8"))
SCOPES: dict[str, str] = SCHEMAS["scopes"]


def resolved(schema: Schema) -> Schema:
    """Return the schema that a reference names; another schema is returned as it is."""
    definition: Schema = SCHEMAS["$defs"].get(schema.get("$ref", "").rpartition("/")[2], schema)
    return definition


def record_list(endpoint: str) -> tuple[str, Schema]:
    """Return the key of a response's list of records, and the schema of a record."""
    response = resolved(SCHEMAS["responses"][endpoint])
    lists = {key: schema for key, schema in response["properties"].items() if "items" in schema}
    ((key, schema),) = lists.items()
    return key, resolved(schema["items"])
