"""The declaration applied to the local account, and what is found after changes by hand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from snowflake.connector import SnowflakeConnection
from snowflake.connector.errors import ProgrammingError

from gong_assets.cli.doctor.privileges import check_provisioned_privileges
from gong_assets.cli.errors import WORK_FAILED, exit_code
from gong_assets.provisioning.apply import ProvisioningError, apply, differences
from gong_assets.provisioning.declaration import declare
from gong_assets.provisioning.drift import Drift, Observed, compare, missing_grants
from gong_assets.provisioning.objects import Account, Layer
from gong_assets.provisioning.observe import Observer
from gong_assets.settings import Settings
from gong_assets.warehouse.connection import fetch
from gong_assets_tests.local.snowflake.conftest import ServerProcess
from gong_assets_tests.local.snowflake.governance.conftest import key_pair

pytestmark = [pytest.mark.extended, pytest.mark.slow]


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Account:
    keys = tmp_path_factory.mktemp("keys")
    for name in ("pipeline", "pipeline_2", "agents"):
        (keys / f"{name}.pub").write_text(key_pair()[1])
    return declare(
        Settings(
            _env_file=None,
            gong_provision_public_keys=keys,
            gong_provision_separate_warehouses=True,
            gong_provision_allowed_ips="192.0.2.7,198.51.100.0/24",
        )
    )


@pytest.fixture(scope="module")
def administrator(
    tmp_path_factory: pytest.TempPathFactory, account: Account
) -> Iterator[SnowflakeConnection]:
    """A connection to an account where the declaration was applied, with one view for readers."""
    server = ServerProcess(Path(tmp_path_factory.mktemp("provisioned")))
    try:
        with server.connect(user="local", database=account.database, schema=account.schema) as connection:
            fetch(connection, f"CREATE DATABASE {account.share_database}")
            fetch(connection, f"CREATE VIEW {account.place}.VW_DIRECTORY AS SELECT 1 AS N")
            list(apply(connection, account))
            yield connection
    finally:
        server.stop()


def found(connection: SnowflakeConnection, account: Account) -> list[Drift]:
    """Return the differences without those of the view, which an administrator created."""
    of_creation = ("row access policy", "does not belong")
    return [each for each in differences(connection, account) if not any(x in each.what for x in of_creation)]


def test_a_view_of_another_role_is_given_to_its_layer(
    administrator: SnowflakeConnection, account: Account
) -> None:
    (drift,) = [each for each in differences(administrator, account) if "belong" in each.what]
    assert str(drift) == "different: view VW_DIRECTORY does not belong to GONG_ASSETS_TRANSFORMER"

    for statement in drift.statements:
        fetch(administrator, statement)
    assert not [each for each in differences(administrator, account) if "belong" in each.what]
    fetch(administrator, "GRANT OWNERSHIP ON VIEW VW_DIRECTORY TO ROLE ACCOUNTADMIN COPY CURRENT GRANTS")


class AccountWithAgent(Observer):
    """Answers SHOW of an account that has the agent, and neither the semantic view nor a grant."""

    def _rows(self, sql: str) -> list[dict[str, Any]]:
        return [{"name": "GONG_AGENT"}] if sql.startswith("SHOW AGENTS IN SCHEMA ") else []


def test_a_grant_lacks_on_an_object_for_agents_once_it_exists() -> None:
    account = declare(
        Settings(
            _env_file=None,
            gong_assets_target="snowflake",
            snowflake_account="org-account",
            snowflake_user="graph",
            snowflake_token=SecretStr("token"),
            gong_agent_objects=True,
        )
    )
    observed = AccountWithAgent(None, account).privileges(["GONG_ASSETS_AGENT"])  # type: ignore[arg-type]
    lacking = {each.what for each in missing_grants(account, observed)}

    assert "GONG_ASSETS_AGENT has no USAGE on AGENT SOPHIA_AI.GONG_DATA.GONG_AGENT" in lacking
    assert not [each for each in lacking if "SEMANTIC VIEW" in each]


def test_an_empty_account_lacks_everything(account: Account) -> None:
    kinds = {each.kind for each in compare(account, Observed())}

    assert kinds == {"missing"}


def test_after_apply_nothing_differs(administrator: SnowflakeConnection, account: Account) -> None:
    assert found(administrator, account) == []


def test_an_administrator_who_is_declared_as_the_service_user_changes_nothing(
    administrator: SnowflakeConnection,
) -> None:
    signed_in = {"snowflake_user": "local", "snowflake_warehouse": "local_wh"}
    wrong = declare(Settings(_env_file=None, **signed_in))
    before = fetch(administrator, "SHOW USERS"), fetch(administrator, "SHOW WAREHOUSES")

    with pytest.raises(ProvisioningError, match=r"signed in as LOCAL, .* set GONG_PROVISION_USER") as refused:
        list(apply(administrator, wrong))
    with pytest.raises(ProvisioningError):
        differences(administrator, wrong)

    assert exit_code(refused.value) == WORK_FAILED
    assert (fetch(administrator, "SHOW USERS"), fetch(administrator, "SHOW WAREHOUSES")) == before


@pytest.mark.parametrize("database", ["SOPHIA_AI", "GONG"])
def test_only_what_may_lack_is_skipped(
    administrator: SnowflakeConnection, account: Account, database: str
) -> None:
    """Also where HubSpot's tables are in the same database, or its name is part of another name."""
    lacking = replace(account, share_database=database, masking_policies=(
        replace(account.masking_policies[0], name=f"{account.database}.GONG_MISSING.MASK"),
    ))  # fmt: skip

    with pytest.raises(ProgrammingError, match="GONG_MISSING"):
        list(apply(administrator, lacking))
    # The statements before it took effect.
    list(apply(administrator, account))


def test_apply_can_be_repeated(administrator: SnowflakeConnection, account: Account) -> None:
    before = fetch(administrator, f"SHOW GRANTS TO ROLE {account.roles[Layer.AGENT].name}")
    skipped = [each.statement.sql for each in apply(administrator, account) if each.skipped]

    assert fetch(administrator, f"SHOW GRANTS TO ROLE {account.roles[Layer.AGENT].name}") == before
    assert not any("VW_DIRECTORY" in sql for sql in skipped)
    assert all("VIEW" in sql or "TABLE" in sql or "HUBSPOT" in sql for sql in skipped)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("REVOKE USAGE ON SCHEMA {place} FROM ROLE GONG_ASSETS_LOADER",
         "missing: GONG_ASSETS_LOADER has no USAGE on SCHEMA {place}"),
        ("REVOKE SELECT ON FUTURE TABLES IN SCHEMA {place} FROM ROLE GONG_ASSETS_TRANSFORMER",
         "missing: GONG_ASSETS_TRANSFORMER has no SELECT on TABLES {place}"),
        ("REVOKE ROLE GONG_ASSETS_AGENT FROM USER GONG_ASSETS_AGENTS",
         "missing: role GONG_ASSETS_AGENT of user GONG_ASSETS_AGENTS"),
        ("GRANT CREATE TABLE ON SCHEMA {place} TO ROLE GONG_ASSETS_AGENT",
         "extra: GONG_ASSETS_AGENT has CREATE TABLE on SCHEMA {place}"),
        ("GRANT USAGE ON SCHEMA {place} TO ROLE PUBLIC", "extra: PUBLIC has USAGE on schema {place}"),
        ("GRANT ROLE ACCOUNTADMIN TO USER GONG_ASSETS", "extra: user GONG_ASSETS has role ACCOUNTADMIN"),
        ("ALTER WAREHOUSE GONG_ASSETS_DBT_WH SET AUTO_SUSPEND = 3600",
         "different: auto_suspend of warehouse GONG_ASSETS_DBT_WH is 3600 and not 60"),
        ("ALTER USER GONG_ASSETS SET DEFAULT_ROLE = PUBLIC",
         "different: DEFAULT_ROLE of user GONG_ASSETS is PUBLIC and not GONG_ASSETS_LOADER"),
        ("ALTER USER GONG_ASSETS UNSET NETWORK_POLICY",
         "different: NETWORK_POLICY of user GONG_ASSETS is not set and not GONG_ASSETS_NETWORK"),
        ("ALTER USER GONG_ASSETS UNSET RSA_PUBLIC_KEY_2",
         "different: RSA_PUBLIC_KEY_2_FP of user GONG_ASSETS is not set and not SHA256:"),
        ("ALTER MASKING POLICY {place}.MASK_PERSONAL_DATA_VARCHAR SET BODY -> VAL",
         "different: the body of masking policy {place}.MASK_PERSONAL_DATA_VARCHAR"),
        ("ALTER TAG {place}.PERSONAL_DATA UNSET MASKING POLICY {place}.MASK_PERSONAL_DATA_ARRAY",
         "missing: masking policy {place}.MASK_PERSONAL_DATA_ARRAY of tag {place}.PERSONAL_DATA"),
        ("ALTER RESOURCE MONITOR GONG_ASSETS_MONITOR SET CREDIT_QUOTA = 5000",
         "different: the quota of GONG_ASSETS_MONITOR is 5000 and not 100"),
        ("ALTER NETWORK POLICY GONG_ASSETS_NETWORK SET ALLOWED_IP_LIST = ('0.0.0.0/0')",
         "different: the addresses of network policy GONG_ASSETS_NETWORK: 0.0.0.0/0"),
    ],
)  # fmt: skip
def test_a_change_by_hand_is_found_and_repaired(
    administrator: SnowflakeConnection, account: Account, change: str, expected: str
) -> None:
    fetch(administrator, "USE ROLE ACCOUNTADMIN")
    fetch(administrator, change.format(place=account.place))

    (drift,) = found(administrator, account)

    assert str(drift).startswith(expected.format(place=account.place))
    if drift.kind == "extra":
        for statement in drift.statements:
            fetch(administrator, statement)
    else:
        list(apply(administrator, account))
    assert found(administrator, account) == []


def test_the_statements_of_a_drift_repair_it(administrator: SnowflakeConnection, account: Account) -> None:
    fetch(administrator, "USE ROLE ACCOUNTADMIN")
    fetch(administrator, f"REVOKE SELECT ON VIEW {account.place}.VW_DIRECTORY FROM ROLE GONG_ASSETS_AGENT")

    (drift,) = found(administrator, account)
    for statement in drift.statements:
        fetch(administrator, statement)

    assert found(administrator, account) == []


def test_the_tables_of_a_connector_are_no_extra_grants(
    administrator: SnowflakeConnection, account: Account
) -> None:
    values: dict[str, Any] = {"hubspot_shape": "airbyte", "hubspot_database": "CRM"}
    declared = declare(Settings(_env_file=None, hubspot_schema="HUBSPOT", **values))
    fetch(administrator, "USE ROLE ACCOUNTADMIN")
    for sql in (
        "CREATE DATABASE CRM",
        "CREATE SCHEMA CRM.HUBSPOT",
        "CREATE TABLE CRM.HUBSPOT.DEALS (ID INT)",
    ):
        fetch(administrator, sql)
    granted = [sql for grant in declared.grants if "CRM" in grant.name for sql in grant.statements()]
    for sql in (*granted, "GRANT INSERT ON TABLE CRM.HUBSPOT.DEALS TO ROLE GONG_ASSETS_TRANSFORMER"):
        fetch(administrator, sql)
    try:
        extra = [str(each) for each in differences(administrator, declared) if "CRM" in each.what]
    finally:
        fetch(administrator, "DROP DATABASE CRM")

    assert extra == ["extra: GONG_ASSETS_TRANSFORMER has INSERT on TABLE CRM.HUBSPOT.DEALS"]


def test_the_doctor_names_the_privilege_that_lacks_and_the_statement_that_grants_it(
    administrator: SnowflakeConnection, account: Account
) -> None:
    deployed = Settings(_env_file=None, gong_provisioned=True, gong_provision_separate_warehouses=True)
    fetch(administrator, "USE ROLE ACCOUNTADMIN")
    fetch(administrator, f"REVOKE CREATE TABLE ON SCHEMA {account.place} FROM ROLE GONG_ASSETS_ENRICHER")

    (result,) = check_provisioned_privileges(administrator, deployed)
    lacks, _, statement = result.message.partition(". Run as SECURITYADMIN: ")
    assert (result.status, lacks) == (
        "fail", f"GONG_ASSETS_ENRICHER has no CREATE TABLE on SCHEMA {account.place}"
    )  # fmt: skip
    fetch(administrator, statement.removesuffix(";"))

    (result,) = check_provisioned_privileges(administrator, deployed)
    assert result.status == "ok"
