"""Credentials of dbt from environment variables."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

import pytest
from dbt.clients.yaml_helper import load_yaml_text
from dbt.config.profile import Profile
from dbt.config.renderer import ProfileRenderer
from dbt.flags import set_from_args
from dbt_common.context import set_invocation_context

from gong_assets_tests.dbt.project import PROJECT_DIR

ACCOUNT = {"SNOWFLAKE_ACCOUNT": "org-account", "SNOWFLAKE_USER": "gong"}


def profile(environment: dict[str, str]) -> Any:
    set_invocation_context(environment)
    set_from_args(Namespace(), None)
    profiles = load_yaml_text((PROJECT_DIR / "profiles.yml").read_text()) or {}
    return Profile.from_raw_profiles(profiles, "gong_assets", ProfileRenderer({}))


def test_without_variables_the_target_is_the_local_server() -> None:
    local = profile({})
    assert (local.target_name, local.credentials.host, local.credentials.protocol) == (
        "local",
        "127.0.0.1",
        "http",
    )
    assert (local.credentials.database, local.credentials.schema) == ("SOPHIA_AI", "GONG_DATA")


def test_an_account_makes_snowflake_the_target_and_a_named_target_wins() -> None:
    assert profile(ACCOUNT).target_name == "snowflake"
    assert profile(ACCOUNT | {"GONG_ASSETS_TARGET": "local"}).target_name == "local"


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"SNOWFLAKE_PASSWORD": "p"}, {"password": "p", "authenticator": None}),
        ({"SNOWFLAKE_PRIVATE_KEY_PATH": "/key.p8"}, {"private_key_path": "/key.p8", "authenticator": None}),
        (
            {"SNOWFLAKE_PRIVATE_KEY": "k", "SNOWFLAKE_PRIVATE_KEY_PASSPHRASE": "s"},
            {"private_key": "k", "private_key_passphrase": "s"},
        ),
        ({"SNOWFLAKE_TOKEN": "t"}, {"token": "t", "authenticator": "programmatic_access_token"}),
        (
            {"SNOWFLAKE_TOKEN": "t", "SNOWFLAKE_AUTHENTICATOR": "OAUTH"},
            {"token": "t", "authenticator": "oauth"},
        ),
        (
            {"SNOWFLAKE_AUTHENTICATOR": "WORKLOAD_IDENTITY", "SNOWFLAKE_WORKLOAD_IDENTITY_PROVIDER": "AWS"},
            {"authenticator": "workload_identity", "workload_identity_provider": "AWS"},
        ),
        (
            {"SNOWFLAKE_HOST": "elsewhere", "SNOWFLAKE_PORT": "8080", "SNOWFLAKE_PROTOCOL": "http"},
            {"host": "elsewhere", "port": 8080, "protocol": "http"},
        ),
        (
            {"SNOWFLAKE_ROLE": "R", "SNOWFLAKE_WAREHOUSE": ""},
            {"role": "R", "warehouse": None, "query_tag": None},
        ),
    ],
)
def test_each_sign_in_method_gets_what_it_needs(variables: dict[str, str], expected: dict[str, Any]) -> None:
    credentials = profile(ACCOUNT | variables).credentials
    assert {name: getattr(credentials, name) for name in expected} == expected
