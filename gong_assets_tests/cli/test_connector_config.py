"""The configuration of connectors: what the products' APIs accept, and no secret."""

from __future__ import annotations

import json
import re
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from gong_assets.cli.connector_config import (
    airbyte_requests,
    airbyte_terraform,
    fivetran_requests,
    fivetran_terraform,
)
from gong_assets.settings import Settings

SECRETS = {
    "GONG_ACCESS_KEY": "key-of-gong",
    "GONG_ACCESS_KEY_SECRET": "secret-of-gong",
    "SNOWFLAKE_PRIVATE_KEY": "private-key-of-snowflake",
}


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ApiKey(Strict):
    auth_type: Literal["APIKey"]
    access_key: str
    access_key_secret: str


class GongSource(Strict):
    """The connector's specification."""

    credentials: ApiKey
    start_date: Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")]
    lookback_window_days: Annotated[int, Field(ge=0)] = 0
    num_workers: int = 4


class KeyPair(Strict):
    auth_type: Literal["Key Pair Authentication"]
    private_key: str
    private_key_password: str | None = None


class SnowflakeDestination(Strict):
    """The destination's specification from version 5 on, which has no password."""

    host: Annotated[str, Field(pattern=r"\.snowflakecomputing\.(com|cn)$")]
    role: str
    warehouse: str
    database: str
    schema_: Annotated[str, Field(alias="schema")]
    username: str
    credentials: KeyPair


class SourceRequest(Strict):
    name: str
    workspaceId: str
    definitionId: Literal["32382e40-3b49-4b99-9c5c-4076501914e7"]
    configuration: GongSource


class DestinationRequest(Strict):
    name: str
    workspaceId: str
    definitionId: Literal["424892c4-daac-4491-b35d-c6688ba547ba"]
    configuration: SnowflakeDestination


class Schedule(Strict):
    scheduleType: Literal["cron", "manual"]
    # Quartz: seconds, minutes, hours, day, month, weekday. `0 */4` in the first fields is every 4 minutes.
    cronExpression: Annotated[str, Field(pattern=r"^0 0 \S+ \S+ \S+ \?$")]


class StreamConfiguration(Strict):
    name: Literal["users", "calls", "extensiveCalls", "scorecards", "answeredScorecards", "callTranscripts"]
    syncMode: Literal[
        "full_refresh_overwrite",
        "full_refresh_append",
        "incremental_append",
        "incremental_deduped_history",
    ]
    cursorField: list[str] | None = None
    primaryKey: list[list[str]] | None = None


class Streams(Strict):
    streams: list[StreamConfiguration]


class ConnectionRequest(Strict):
    name: str
    sourceId: str
    destinationId: str
    schedule: Schedule
    namespaceDefinition: Literal["source", "destination", "custom_format"]
    namespaceFormat: str
    prefix: str
    configurations: Streams


class FivetranConfig(Strict):
    """Fields of the service `gongio`."""

    schema_: Annotated[str, Field(alias="schema", pattern=r"^[a-z][a-z0-9_]*$")]
    access_key: str
    access_key_secret: str
    base_url: str


class FivetranRequest(Strict):
    service: Literal["gongio"]
    group_id: str
    schedule_type: Literal["auto", "manual"]
    sync_frequency: Literal[1, 5, 15, 30, 60, 120, 180, 360, 480, 720, 1440]
    config: FivetranConfig


ROUTES: dict[str, type[Strict]] = {
    "/v1/sources": SourceRequest,
    "/v1/destinations": DestinationRequest,
    "/v1/connections": ConnectionRequest,
}
FIVETRAN_ROUTES: dict[str, type[Strict]] = {"/v1/connections": FivetranRequest}


@contextmanager
def served(routes: dict[str, type[Strict]]) -> Iterator[tuple[str, list[str]]]:
    """Serve an API that validates what it receives: 422 with the reason, as the products do."""
    accepted: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *arguments: Any) -> None: ...

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status, answer = 200, b"{}"
            try:
                routes[self.path].model_validate(json.loads(body))
                accepted.append(self.path)
            except (KeyError, ValidationError) as error:
                status, answer = 422, str(error).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", accepted
    finally:
        server.shutdown()
        server.server_close()


def send(url: str, requests: list[dict[str, Any]]) -> None:
    for request in requests:
        body = json.dumps(request["body"]).encode()
        try:
            urllib.request.urlopen(
                urllib.request.Request(f"{url}{request['path']}", body, method=request["method"])
            )
        except urllib.error.HTTPError as error:
            pytest.fail(f"{request['path']}: {error.read().decode()}")


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    return Settings(
        snowflake_account="acme-eu1", snowflake_user="LOADER", gong_base_url="https://eu-1.api.gong.io"
    )


def test_airbyte_accepts_the_requests(settings: Settings) -> None:
    with served(ROUTES) as (url, accepted):
        send(url, airbyte_requests(settings))
    assert accepted == ["/v1/sources", "/v1/destinations", "/v1/connections"]


def test_fivetran_accepts_the_request(settings: Settings) -> None:
    with served(FIVETRAN_ROUTES) as (url, accepted):
        send(url, fivetran_requests(settings))
    assert accepted == ["/v1/connections"]
    assert fivetran_requests(settings)[0]["body"]["config"]["base_url"] == "https://eu-1.api.gong.io"


@pytest.mark.parametrize("make", [airbyte_requests, airbyte_terraform, fivetran_requests, fivetran_terraform])
def test_no_configuration_has_a_secret(settings: Settings, make: Any) -> None:
    made = make(settings)
    text = made if isinstance(made, str) else json.dumps(made)
    assert not [secret for secret in SECRETS.values() if secret in text]


def test_the_schema_is_the_one_that_the_graph_reads() -> None:
    settings = Settings(gong_source="airbyte", gong_source_schema="GONG_LOADED")
    connection = airbyte_requests(settings)[-1]["body"]
    assert connection["namespaceFormat"] == "GONG_LOADED"


@pytest.mark.parametrize("make", [airbyte_terraform, fivetran_terraform])
def test_terraform_declares_each_variable_that_it_uses(settings: Settings, make: Any) -> None:
    text = make(settings)
    used = set(re.findall(r"var\.(\w+)", text))
    assert set(re.findall(r'variable "(\w+)"', text)) == used
    sensitive = set(re.findall(r'variable "(\w+)" \{\n  type      = string\n  sensitive = true', text))
    assert sensitive == {name for name in used if "key" in name}
    assert text.count("{") == text.count("}")


# The attributes in the documentation of the providers airbytehq/airbyte and fivetran/fivetran.
_ANY: dict[str, Any] = {}
_DOCUMENTED: dict[str, Any] = {
    "airbyte_source_custom": dict.fromkeys(
        ("configuration", "name", "workspace_id", "definition_id", "secret_id"), _ANY
    ),
    "airbyte_destination_snowflake": {
        **dict.fromkeys(("name", "workspace_id", "definition_id"), _ANY),
        "configuration": {
            **dict.fromkeys(
                ("database", "host", "role", "schema", "username", "warehouse", "cdc_deletion_mode",
                 "disable_type_dedupe", "jdbc_url_params", "raw_data_schema", "retention_period_days"), _ANY),
            "credentials": {
                "key_pair_authentication": dict.fromkeys(("private_key", "private_key_password"), _ANY),
            },
        },
    },
    "airbyte_connection": {
        **dict.fromkeys(
            ("destination_id", "source_id", "name", "namespace_definition", "namespace_format", "prefix",
             "status", "data_residency", "non_breaking_schema_updates_behavior"), _ANY),
        "schedule": dict.fromkeys(("schedule_type", "cron_expression"), _ANY),
        "configurations": {
            "streams": dict.fromkeys(("name", "sync_mode", "cursor_field", "primary_key"), _ANY)
        },
    },
    "fivetran_connector": {
        **dict.fromkeys(("group_id", "service"), _ANY),
        "destination_schema": dict.fromkeys(("name",), _ANY),
        "config": dict.fromkeys(("access_key", "access_key_secret", "base_url"), _ANY),
    },
    "fivetran_connector_schedule": dict.fromkeys(
        ("connector_id", "sync_frequency", "schedule_type", "daily_sync_time", "paused", "pause_after_trial"),
        _ANY,
    ),
}  # fmt: skip


def undocumented(value: Any, documented: dict[str, Any], path: str) -> list[str]:
    """Return the attributes that the documentation lacks. Those without documented parts have any value."""
    if isinstance(value, list):
        return [name for each in value for name in undocumented(each, documented, path)]
    if not isinstance(value, dict) or documented is _ANY:
        return []
    found = [f"{path}.{name}" for name in value.keys() - documented.keys()]
    for name in value.keys() & documented.keys():
        found += undocumented(value[name], documented[name], f"{path}.{name}")
    return found


@pytest.mark.parametrize(("make", "resources"), [(airbyte_terraform, 3), (fivetran_terraform, 2)])
def test_terraform_parses_and_has_documented_attributes_only(
    settings: Settings, make: Any, resources: int
) -> None:
    hcl2 = pytest.importorskip("hcl2")
    parsed = hcl2.loads(make(settings) + "\n")
    assert len(parsed["resource"]) == resources
    found = [
        name
        for resource in parsed["resource"]
        for kind, named in resource.items()
        for values in named.values()
        for name in undocumented(values, _DOCUMENTED[kind], kind)
    ]
    assert found == []
    (providers,) = parsed["terraform"][0]["required_providers"]
    assert {
        kind.partition("_")[0] for resource in parsed["resource"] for kind in resource
    } == providers.keys()


def test_an_undocumented_attribute_is_found() -> None:
    value = {"schedule": {"cron": "0 0 * * * ?"}, "configurations": {"streams": [{"stream": "calls"}]}}
    assert sorted(undocumented(value, _DOCUMENTED["airbyte_connection"], "connection")) == [
        "connection.configurations.streams.stream",
        "connection.schedule.cron",
    ]


def test_the_fake_api_rejects_what_is_often_copied() -> None:
    """These configurations circulate, and none of them works."""
    adapter = TypeAdapter(FivetranRequest)
    body = fivetran_requests(Settings())[0]["body"]
    with pytest.raises(ValidationError, match="sync_frequency"):
        adapter.validate_python({**body, "sync_frequency": 240})
    with pytest.raises(ValidationError, match="cronExpression"):
        Schedule.model_validate({"scheduleType": "cron", "cronExpression": "0 */4 * * * ?"})
