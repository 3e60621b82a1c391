"""The registry of raw streams matches Gong's OpenAPI document, and the staging models match the registry."""

from __future__ import annotations

from typing import Any

import pytest

from gong_assets.gong import list_endpoint
from gong_assets.ingestion.known_fields import KINDS
from gong_assets.ingestion.stream_types import RawStream, SnapshotStream
from gong_assets.ingestion.streams import RAW_STREAMS
from gong_assets.warehouse.tables import CALLS
from gong_assets_tests.dbt.json_paths import fields_read, raw_tables, rendered, staging_models, unknown_fields
from gong_assets_tests.gong_schemas import SCOPES, Schema, record_list, resolved

pytestmark = pytest.mark.slow

BY_TABLE = {stream.table.name: stream for stream in RAW_STREAMS}
MODELS = staging_models()

# The documented types of each kind of field.
DOCUMENTED = {
    "text": {"string"},
    "number": {"integer", "number"},
    "boolean": {"boolean"},
    "scalar": {"string", "integer"},
}


def documented_fields(stream: RawStream) -> Any:
    """Return the documented types of a record's fields, in the shape of the record."""
    fields = shape(record_list(str(stream.endpoint))[1])
    if stream.table.name == "GONG_LIBRARY_CALLS_RAW":
        return {"folder": shape(record_list("GET /v2/library/folders")[1]), "call": fields}
    return fields


def shape(schema: Schema) -> Any:
    schema = resolved(schema)
    if "properties" in schema:
        return {name: shape(inner) for name, inner in schema["properties"].items()}
    if "items" in schema:
        return [shape(schema["items"])]
    return next((name for name in schema.get("type", ()) if name != "null"), None)


def differences(known: Any, documented: Any, path: str = "") -> list[str]:
    if isinstance(known, dict) and isinstance(documented, dict):
        only_one = [f"{path}.{name}" for name in known.keys() ^ documented.keys()]
        both = known.keys() & documented.keys()
        inner = [differences(known[name], documented[name], f"{path}.{name}") for name in both]
        return [*only_one, *(each for found in inner for each in found)]
    if isinstance(known, list) and isinstance(documented, list):
        return differences(known[0], documented[0], f"{path}[]")
    kind = known.rstrip("!") if isinstance(known, str) else None
    is_same = kind == "any" or (isinstance(documented, str) and documented in DOCUMENTED.get(str(kind), ()))
    return [] if is_same else [path]


@pytest.mark.parametrize("stream", RAW_STREAMS, ids=lambda stream: stream.table.name)
def test_known_fields_match_the_documented_schema(stream: RawStream) -> None:
    # Gong sends trackerOccurrences, but documents it only for the request.
    expected = [".content.trackerOccurrences"] if stream.table is CALLS else []
    assert differences(stream.fields, documented_fields(stream)) == expected


@pytest.mark.parametrize("stream", RAW_STREAMS, ids=lambda stream: stream.table.name)
def test_scopes_match_the_documented_scopes(stream: RawStream) -> None:
    assert stream.endpoint.scope == SCOPES[str(stream.endpoint)]


@pytest.mark.parametrize("stream", RAW_STREAMS, ids=lambda stream: stream.table.name)
def test_descriptions_name_the_endpoint(stream: RawStream) -> None:
    assert str(stream.endpoint) in stream.description
    list_key, _ = record_list(str(stream.endpoint))
    assert f"{list_key}[] of {stream.endpoint}" in stream.table.payload.description


@pytest.mark.parametrize("stream", RAW_STREAMS, ids=lambda stream: stream.table.name)
def test_known_fields_have_known_kinds(stream: RawStream) -> None:
    assert {leaf.rstrip("!") for leaf in leaves(stream.fields)} <= KINDS.keys()


def leaves(fields: Any) -> list[str]:
    if isinstance(fields, str):
        return [fields]
    return [
        leaf for each in (fields.values() if isinstance(fields, dict) else fields) for leaf in leaves(each)
    ]


def known_fields(model: str) -> dict[str, Any]:
    """Return the known fields of the columns with JSON that a model reads."""
    streams = [BY_TABLE[table] for table in dict.fromkeys(raw_tables(model))]
    known = {stream.table.payload.name.lower(): stream.fields for stream in streams}
    assert len(known) == len(streams)
    return known


@pytest.mark.parametrize("model", MODELS)
def test_a_staging_model_reads_only_known_fields(model: str) -> None:
    fields = fields_read(rendered(MODELS[model]))
    assert len(fields) > 1
    assert list(unknown_fields(fields, known_fields(MODELS[model]))) == []


@pytest.mark.parametrize(
    ("text", "renamed", "path"),
    [
        ("content:brief", "content:short", "raw_data.content.short"),
        ("entry.value:name", "entry.value:title", "raw_data.content.topics[].title"),
        ("section.value:items", "section.value:lines", "raw_data.content.highlights[].lines[].text"),
        ("transcript_data:transcript", "transcript_data:turns", "transcript_data.turns[].sentences"),
        ("transcript_data:transcript", "transcript_data:content", "transcript_data.content[].sentences"),
    ],
)
def test_an_unknown_field_in_a_staging_model_is_found(text: str, renamed: str, path: str) -> None:
    model = MODELS["stg_gong_calls"]
    sql = rendered(model)
    assert text in sql
    unknown = unknown_fields(fields_read(sql.replace(text, renamed)), known_fields(model))
    assert path in set(unknown)


def test_every_raw_table_has_a_staging_model() -> None:
    assert {raw_tables(text)[0] for text in MODELS.values()} == BY_TABLE.keys()


class Client:
    """A client that returns the request."""

    def list_records(self, *request: Any) -> Any:
        return request


@pytest.mark.parametrize(("by_workspace", "query"), [(True, {"workspaceId": "42"}), (False, {})])
def test_a_plain_list_is_filtered_by_workspace_only_if_its_endpoint_supports_it(
    by_workspace: bool, query: dict[str, str]
) -> None:
    stream = SnapshotStream(
        table=BY_TABLE["GONG_WORKSPACES_RAW"].table,
        endpoint=list_endpoint("/v2/things", list_key="things", id_key="id", scope="api:things:read"),
        noun="things",
        description="Things.",
        fields={},
        by_workspace=by_workspace,
    )
    client: Any = Client()
    assert stream.request(client, "42") == (stream.endpoint, query)
    assert stream.request(client, None) == (stream.endpoint, {})
