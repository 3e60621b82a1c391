"""Settings from a Pulumi ESC environment, by the official SDK over HTTP."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import dagster as dg
import pytest
import yaml  # type: ignore[import-untyped]

from gong_assets.defs.failures import failure
from gong_assets.defs.resources import SnowflakeResource, without_config
from gong_assets.settings import SettingsError, esc, load_settings
from gong_assets.settings.esc_definition import UnknownSecret, with_secret
from gong_assets.warehouse.errors import WarehouseSignInFailed

pytest.importorskip("pulumi_esc_sdk", reason="the extra esc is not installed")

TOKEN = "pul-0123456789abcdef"
PLACE = "acme/gong/production"


@dataclass
class Esc:
    """The part of ESC's API that opens and changes an environment.

    Attributes:
        values: what an opened environment has: values, or maps of them.
        definition: the YAML; a changed one is evaluated, if it has no references and imports.
    """

    values: dict[str, Any] = field(default_factory=dict)
    definition: str = ""
    opened: int = 0
    url: str = ""
    is_down: bool = False
    refuses: bool = False

    @contextmanager
    def served(self) -> Iterator[None]:
        server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{server.server_port}"
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield
        finally:
            server.shutdown()
            server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        esc_server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                esc_server.opened += 1
                self._answer({"id": f"session-{esc_server.opened}"}, f"/api/esc/environments/{PLACE}/open")

            def do_PATCH(self) -> None:
                text = self.rfile.read(int(self.headers["Content-Length"])).decode()
                problems = [{"summary": "sentinel-body"}] if esc_server.refuses else []
                if not (problems or esc_server.is_down):
                    esc_server.definition, esc_server.values = text, _evaluated(text)
                self._answer({"diagnostics": problems}, f"/api/esc/environments/{PLACE}")

            def do_GET(self) -> None:
                if self.path == f"/api/esc/environments/{PLACE}" and not esc_server.is_down:
                    self._send(200, esc_server.definition.encode(), "application/x-yaml")
                    return
                body = {"properties": {name: _property(value) for name, value in esc_server.values.items()}}
                session = f"session-{esc_server.opened}"
                self._answer(body, f"/api/esc/environments/{PLACE}/open/{session}")

            def _answer(self, body: Any, path: str) -> None:
                status = 200
                if esc_server.is_down:
                    status, body = 503, {"message": "sentinel-body"}
                elif self.headers["Authorization"] != f"token {TOKEN}":
                    status, body = 401, {"message": "sentinel-body"}
                elif self.path != path:
                    status, body = 404, {"message": "sentinel-body"}
                self._send(status, json.dumps(body).encode(), "application/json")

            def _send(self, status: int, encoded: bytes, kind: str) -> None:
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(encoded)))
                self.end_headers()
                self.wfile.write(encoded)

            def log_message(self, *_: Any) -> None: ...

        return Handler


def _evaluated(definition: str) -> dict[str, Any]:
    """Return the variables of a definition that have a value of their own."""
    variables = yaml.safe_load(definition)["values"]["environmentVariables"]
    plain = {name: each["fn::secret"] if isinstance(each, dict) else each for name, each in variables.items()}
    return {"environmentVariables": {name: each for name, each in plain.items() if "${" not in each}}


def _property(value: Any) -> dict[str, Any]:
    if isinstance(value, dict):
        return {"value": {name: _property(each) for name, each in value.items()}, "trace": {}}
    return {"value": value, "secret": True, "trace": {}}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Esc]:
    """The server, in an environment that is restored afterwards."""
    before = dict(os.environ)
    server = Esc({"environmentVariables": {"GONG_ACCESS_KEY": "KEY-1", "GONG_ACCESS_KEY_SECRET": "S3CRET-1"}})
    with server.served():
        monkeypatch.chdir(tmp_path)
        os.environ |= {
            "GONG_ASSETS_ESC": PLACE,
            "PULUMI_ACCESS_TOKEN": TOKEN,
            "PULUMI_BACKEND_URL": server.url,
        }
        esc.expire()
        yield server
    os.environ.clear()
    os.environ.update(before)
    esc.expire()


def secret() -> str | None:
    value = load_settings(gong_assets_target="local").gong_access_key_secret
    return value.get_secret_value() if value else None


def test_variables_that_are_not_set_are_filled(server: Esc) -> None:
    os.environ["GONG_ACCESS_KEY"] = "OWN"
    server.values["environmentVariables"] |= {"GONG_LOOKBACK_DAYS": "3", "OTHER": "x"}
    settings = load_settings(gong_assets_target="local")
    assert settings.gong_access_key is not None
    assert (settings.gong_access_key.get_secret_value(), secret()) == ("OWN", "S3CRET-1")
    assert settings.gong_lookback_days == 3
    assert "OTHER" not in os.environ


def test_the_older_keys_at_the_top_are_accepted(server: Esc) -> None:
    server.values = {
        "gong_access_key": "KEY-2",
        "gong_access_key_secret": "S3CRET-2",
        "gong_lookback_days": 4,
    }
    assert (secret(), load_settings(gong_assets_target="local").gong_lookback_days) == ("S3CRET-2", 4)


def test_it_is_opened_once_for_a_lease(server: Esc, monkeypatch: pytest.MonkeyPatch) -> None:
    assert {secret() for _ in range(5)} == {"S3CRET-1"}
    assert server.opened == 1
    server.values["environmentVariables"]["GONG_ACCESS_KEY_SECRET"] = "S3CRET-2"
    monkeypatch.setattr(esc, "LEASE_SECONDS", 0.0)
    assert (secret(), server.opened) == ("S3CRET-2", 2)


def test_a_run_after_a_failed_sign_in_uses_the_rotated_secret(server: Esc) -> None:
    """The resources of a code server that lives on."""
    os.environ["SNOWFLAKE_PASSWORD"] = ""
    server.values["environmentVariables"] = {"SNOWFLAKE_PASSWORD": "old"}
    load_settings(gong_assets_target="local")
    arguments = {"account": "a", "user": "u", "database": "d", "schema": "s"}
    resource = SnowflakeResource(arguments=arguments, password=dg.EnvVar("SNOWFLAKE_PASSWORD"))
    definition = without_config(resource)

    def password() -> str | None:
        with dg.build_resources({"snowflake": definition}) as resources:
            return str(resources.snowflake.warehouse().arguments["password"])

    assert password() == "old"
    server.values["environmentVariables"] = {"SNOWFLAKE_PASSWORD": "rotated"}
    assert password() == "old"
    failure(WarehouseSignInFailed("Incorrect username or password was specified."))
    assert password() == "rotated"


def test_values_in_use_survive_an_outage_of_pulumi(server: Esc) -> None:
    assert secret() == "S3CRET-1"
    server.is_down = True
    esc.expire()
    assert secret() == "S3CRET-1"


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"PULUMI_ACCESS_TOKEN": "pul-wrong"}, r"acme/gong/production cannot be opened \(HTTP 401\)"),
        ({"PULUMI_ACCESS_TOKEN": ""}, "needs PULUMI_ACCESS_TOKEN"),
        ({"GONG_ASSETS_ESC": "acme/gong/other"}, r"HTTP 404"),
        ({"GONG_ASSETS_ESC": "production"}, "must be organization/project/environment"),
        ({"PULUMI_BACKEND_URL": "http://127.0.0.1:9"}, "Pulumi cannot be reached"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_an_environment_that_cannot_be_opened_is_an_error_without_its_values(
    server: Esc, variables: dict[str, str], message: str
) -> None:
    os.environ.update(variables)
    with pytest.raises(SettingsError, match=message) as raised:
        load_settings()
    shown = f"{raised.value!r} {raised.value.__cause__!r}"
    assert "sentinel" not in shown
    assert TOKEN not in shown


def test_nothing_is_printed_or_logged(
    server: Esc, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        secret()
    text = "".join(capfd.readouterr()) + caplog.text
    assert [each for each in ("S3CRET-1", "KEY-1", TOKEN) if each in text] == []


DEFINITION = """\
# The environment of production.
imports: [acme/logins]
values:
  gong_access_key: {fn::secret: {ciphertext: ZXNjeAAAAAEAAA}}  # by hand
  environmentVariables:
    SNOWFLAKE_USER: GONG_ASSETS
    SNOWFLAKE_PRIVATE_KEY:
      fn::secret: |
        -----BEGIN PRIVATE KEY-----
        old
        -----END PRIVATE KEY-----
    # The last one.
    GONG_ACCESS_KEY: ${gong_access_key}
"""
NEW = '-----BEGIN PRIVATE KEY-----\nnew: "#\n-----END PRIVATE KEY-----\n'


@pytest.mark.parametrize(
    ("variable", "path"),
    [
        ("SNOWFLAKE_PRIVATE_KEY", ("environmentVariables", "SNOWFLAKE_PRIVATE_KEY")),
        ("GONG_ACCESS_KEY", ("gong_access_key",)),
    ],
)
def test_a_secret_is_replaced_in_a_definition_and_nothing_else(variable: str, path: tuple[str, ...]) -> None:
    changed = with_secret(DEFINITION, variable, NEW)

    before, after = yaml.safe_load(DEFINITION), yaml.safe_load(changed)
    for document in (before, after):
        node = document["values"]
        for name in path:
            node = node[name]
        replaced = node.pop("fn::secret")
    assert (before, replaced) == (after, NEW)
    assert [line for line in DEFINITION.splitlines() if "#" in line and path[0] not in line] == [
        line for line in changed.splitlines() if "# " in line and path[0] not in line
    ]


@pytest.mark.parametrize(
    "definition",
    [
        "values: {environmentVariables: {SNOWFLAKE_PRIVATE_KEY: '${rotated.privateKey}'}}",
        "values: {rotated: {'fn::rotate::snowflake-user': {inputs: {}}}}",
        "values: {environmentVariables: {SNOWFLAKE_PRIVATE_KEY: plain}}",
        "imports: [acme/other]",
        "",
    ],
)
def test_a_value_that_is_not_a_stored_secret_is_refused(definition: str) -> None:
    with pytest.raises(UnknownSecret, match="SNOWFLAKE_PRIVATE_KEY"):
        with_secret(definition, "SNOWFLAKE_PRIVATE_KEY", NEW)


def test_a_new_secret_is_stored_and_used_by_the_next_run(server: Esc) -> None:
    server.definition = DEFINITION
    server.values = {"environmentVariables": {"SNOWFLAKE_PRIVATE_KEY": "old"}}
    load_settings(gong_assets_target="local")
    assert esc.is_filled("SNOWFLAKE_PRIVATE_KEY")

    esc.store_secret("SNOWFLAKE_PRIVATE_KEY", NEW)

    assert server.definition == with_secret(DEFINITION, "SNOWFLAKE_PRIVATE_KEY", NEW)
    load_settings(gong_assets_target="local")
    assert os.environ["SNOWFLAKE_PRIVATE_KEY"] == NEW


@pytest.mark.parametrize("trouble", ["refuses", "is_down"])
def test_a_secret_that_esc_does_not_take_is_an_error_without_it(server: Esc, trouble: str) -> None:
    server.definition = DEFINITION
    setattr(server, trouble, True)
    with pytest.raises(esc.EscError) as raised:
        esc.store_secret("SNOWFLAKE_PRIVATE_KEY", NEW)
    assert "PRIVATE KEY-" not in str(raised.value)
    assert "sentinel-body" not in str(raised.value)
    assert server.definition == DEFINITION
