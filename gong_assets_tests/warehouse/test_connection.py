"""The connector's arguments for each way to sign in, and the errors of a failed sign-in."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from gong_assets.settings import Settings
from gong_assets.warehouse import connection
from gong_assets.warehouse.connection import Warehouse, open_warehouse
from gong_assets.warehouse.errors import WarehouseSignInFailed
from gong_assets_tests.serving import serving
from gong_assets_tests.test_settings import DER, pem

ACCOUNT = {"gong_assets_target": "snowflake", "snowflake_account": "org-account", "snowflake_user": "gong"}
LOCATION = {"account": "org-account", "user": "gong", "database": "SOPHIA_AI", "schema": "GONG_DATA"}


def arguments(**values: Any) -> dict[str, Any]:
    return open_warehouse(Settings(**ACCOUNT, **values)).arguments


# https://docs.snowflake.com/en/developer-guide/python-connector/python-connector-connect
@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"snowflake_password": "p"}, {"password": "p"}),
        (
            {"snowflake_password": "p", "snowflake_authenticator": "username_password_mfa"},
            {"password": "p", "authenticator": "USERNAME_PASSWORD_MFA"},
        ),
        (
            {"snowflake_password": "p", "snowflake_authenticator": "https://acme.okta.com"},
            {"password": "p", "authenticator": "https://acme.okta.com"},
        ),
        ({"snowflake_authenticator": "externalbrowser"}, {"authenticator": "EXTERNALBROWSER"}),
        ({"snowflake_private_key": pem()}, {"private_key": DER, "authenticator": "SNOWFLAKE_JWT"}),
        (
            {"snowflake_private_key": pem("word"), "snowflake_private_key_passphrase": "word"},
            {"private_key": DER, "authenticator": "SNOWFLAKE_JWT"},
        ),
        ({"snowflake_token": "t"}, {"token": "t", "authenticator": "PROGRAMMATIC_ACCESS_TOKEN"}),
        (
            {"snowflake_token": "t", "snowflake_authenticator": "oauth"},
            {"token": "t", "authenticator": "OAUTH"},
        ),
        (
            {"snowflake_authenticator": "workload_identity", "snowflake_workload_identity_provider": "AWS"},
            {"authenticator": "WORKLOAD_IDENTITY", "workload_identity_provider": "AWS"},
        ),
        (
            {
                "snowflake_token": "t",
                "snowflake_authenticator": "workload_identity",
                "snowflake_workload_identity_provider": "OIDC",
            },
            {"token": "t", "authenticator": "WORKLOAD_IDENTITY", "workload_identity_provider": "OIDC"},
        ),
    ],
)
def test_each_sign_in_uses_the_documented_arguments_of_the_connector(
    settings: dict[str, Any], expected: dict[str, Any]
) -> None:
    assert arguments(**settings) == {**LOCATION, **expected}


def test_the_connector_reads_the_private_key_file(tmp_path: Any) -> None:
    file = tmp_path / "key.p8"
    file.write_text(pem("word"))
    assert arguments(snowflake_private_key_path=file, snowflake_private_key_passphrase="word") == {
        **LOCATION,
        "private_key_file": str(file),
        "private_key_file_pwd": "word",
        "authenticator": "SNOWFLAKE_JWT",
    }


def test_host_port_protocol_role_and_warehouse_reach_the_connector() -> None:
    given = {"host": "127.0.0.1", "port": 8801, "protocol": "http", "role": "LOADER", "warehouse": "WH"}
    settings = {f"snowflake_{name}": value for name, value in given.items()}
    assert arguments(snowflake_password="p", **settings) == {**LOCATION, "password": "p", **given}


def test_the_first_use_by_several_threads_resolves_the_arguments(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another thread finishes between the check and the call of the function."""

    def callable_until_another_thread_is_done(value: Any) -> bool:
        if is_callable := callable(value):
            monkeypatch.undo()
            assert warehouse.arguments == {"account": "a"}
        return is_callable

    warehouse = Warehouse(lambda: {"account": "a"})
    monkeypatch.setattr(connection, "callable", callable_until_another_thread_is_done, raising=False)
    assert warehouse.arguments == {"account": "a"}


def test_a_failed_connection_has_the_error_of_the_connector_as_its_only_cause() -> None:
    with serving(
        login_endpoint(200, {"success": False, "code": "390100", "message": "no", "data": {}})
    ) as url:
        port = int(url.rpartition(":")[2])
        location = {"host": "127.0.0.1", "port": port, "protocol": "http", **LOCATION}
        with pytest.raises(WarehouseSignInFailed) as raised:
            Warehouse({**location, "password": "s3cret"}).check()
    cause = raised.value.__cause__
    assert cause is not None
    while cause.__context__ is not None:
        cause = cause.__context__
        assert not isinstance(cause, IndexError)


def login_endpoint(status: int, body: dict[str, Any]) -> Starlette:
    async def login(_: Request) -> JSONResponse:
        return JSONResponse(body, status_code=status)

    return Starlette(routes=[Route("/session/v1/login-request", login, methods=["POST"])])


# https://docs.snowflake.com/en/user-guide/key-pair-auth-troubleshooting
@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("390100", "Incorrect username or password was specified."),
        ("390144", "JWT token is invalid. [e8a3a5d6-4b7e-4f0e-9d0b-0a1c2d3e4f50]"),
        ("390303", "Invalid OAuth access token. [a1b2c3]"),
        ("390201", "Role 'NOBODY' specified in the connect string does not exist or not authorized."),
    ],
)
def test_a_sign_in_that_the_server_refuses_is_reported_with_its_reason(code: str, message: str) -> None:
    refusal = {"success": False, "code": code, "message": message, "data": {}}
    with serving(login_endpoint(200, refusal)) as url:
        port = int(url.rpartition(":")[2])
        location = {"host": "127.0.0.1", "port": port, "protocol": "http", **LOCATION}
        with pytest.raises(WarehouseSignInFailed) as raised:
            Warehouse({**location, "password": "s3cret"}).check()
    assert f"127.0.0.1:{port}" in str(raised.value)
    assert message.split(".")[0] in str(raised.value)
    assert "s3cret" not in str(raised.value)


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("TIMEZONE", "UTC"),
        ("DATE_INPUT_FORMAT", "AUTO"),
        ("TIMESTAMP_INPUT_FORMAT", "AUTO"),
        ("WEEK_START", "1"),
    ],
)
def test_dates_and_times_do_not_depend_on_the_accounts_parameters(
    warehouse: Warehouse, parameter: str, value: str
) -> None:
    (row,) = warehouse.query(f"SHOW PARAMETERS LIKE '{parameter}'")
    assert (row["value"], row["level"]) == (value, "SESSION")
