"""Fake APIs of Airbyte and Fivetran: what dagster-airbyte and dagster-fivetran request of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

Json = dict[str, Any]

CONNECTION_NAME = "Gong to Snowflake"
STREAMS = ("extensiveCalls", "callTranscripts", "users")


@dataclass
class FakeApi:
    """A server that records its requests, and calls `sync` for each sync that it is asked for."""

    sync: Callable[[], None] = lambda: None
    requests: list[str] = field(default_factory=list)
    synced_at: str = "2026-01-01T00:00:00Z"
    url: str = ""

    def answer(self, method: str, path: str, body: Json) -> Json | None:
        raise NotImplementedError


class Airbyte(FakeApi):
    def answer(self, method: str, path: str, body: Json) -> Json | None:
        job = {"jobId": 1, "status": "succeeded", "jobType": "sync", "connectionId": "c1"}
        if (method, path) == ("POST", "/api/public/v1/jobs"):
            assert body["connectionId"] == "c1"
            self.sync()
            return {**job, "status": "running"}
        if (method, path) == ("POST", "/api/v1/connections/get"):
            return self._connection(body["connectionId"])
        return {
            ("POST", "/api/public/v1/applications/token"): {"access_token": "token"},
            ("GET", "/api/public/v1/workspaces/w1"): {"workspaceId": "w1"},
            ("GET", "/api/public/v1/connections"): {
                "data": [{"connectionId": "c1"}, {"connectionId": "c2"}], "next": ""
            },
            ("GET", "/api/public/v1/destinations/d1"): {
                "destinationId": "d1", "destinationType": "snowflake",
                "configuration": {"database": "SALES", "schema": "GONG"},
            },
            ("GET", "/api/public/v1/jobs"): {"data": [], "next": ""},
            ("GET", "/api/public/v1/jobs/1"): job,
        }.get((method, path))  # fmt: skip

    @staticmethod
    def _connection(connection_id: str) -> Json:
        names = STREAMS if connection_id == "c1" else ("invoices",)
        schema = {"properties": {"id": {"type": ["null", "string"]}}}
        return {
            "connectionId": connection_id,
            "name": CONNECTION_NAME if connection_id == "c1" else "Billing to Snowflake",
            "destinationId": "d1",
            "prefix": "",
            "syncCatalog": {
                "streams": [
                    {"stream": {"name": name, "jsonSchema": schema}, "config": {"selected": True}}
                    for name in names
                ]
            },
        }


class Fivetran(FakeApi):
    def answer(self, method: str, path: str, body: Json) -> Json | None:
        if (method, path) == ("POST", "/v1/connectors/f1/force"):
            self.sync()
            self.synced_at = datetime.now(UTC).isoformat()
            return {"code": "Success"}
        tables = {
            name: {"enabled": True, "name_in_destination": name}
            for name in ("call", "call_participant", "transcript", "users")
        }
        found: Json | None = {
            ("GET", "/v1/groups"): {"items": [{"id": "g1"}]},
            ("GET", "/v1/destinations/g1"): {
                "id": "g1", "service": "snowflake", "config": {"database": "SALES"}
            },
            ("GET", "/v1/groups/g1/connectors"): {"items": [self._connector()]},
            ("GET", "/v1/connectors/f1"): self._connector(),
            ("GET", "/v1/connectors/f1/schemas"): {
                "schemas": {"gong": {"enabled": True, "name_in_destination": "gong", "tables": tables}}
            },
        }.get((method, path))  # fmt: skip
        return {"code": "Success", "data": found} if found else None

    def _connector(self) -> Json:
        return {
            "id": "f1", "schema": "gong", "service": "gongio", "group_id": "g1", "paused": False,
            "status": {"setup_state": "connected", "sync_state": "scheduled"},
            "succeeded_at": self.synced_at, "failed_at": None,
        }  # fmt: skip


@contextmanager
def serve(api: FakeApi) -> Iterator[FakeApi]:
    class Handler(BaseHTTPRequestHandler):
        def _respond(self) -> None:
            path = self.path.partition("?")[0]
            api.requests.append(f"{self.command} {path}")
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            parsed = json.loads(body) if body.startswith(b"{") else {}
            found = api.answer(self.command, path, parsed)
            content = json.dumps(found or {}).encode()
            self.send_response(200 if found is not None else 404)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PATCH = _respond

        def log_message(self, *arguments: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    api.url = f"http://127.0.0.1:{server.server_address[1]}"
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield api
    finally:
        server.shutdown()
        server.server_close()
