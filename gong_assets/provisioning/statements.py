"""The declaration as SQL, grouped by the role that runs it. Every statement can be repeated.

`CREATE OR ALTER` is used where Snowflake has it, except for the database and the schema: it would reset their
properties that are not declared here. https://docs.snowflake.com/en/sql-reference/sql/create-or-alter
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

from gong_assets.provisioning.budget import budget_statements
from gong_assets.provisioning.objects import Account, Grant, Layer, Policy, ServiceUser, Warehouse
from gong_assets.warehouse.literals import literal

# Who runs a statement, in the order of the sections.
USERADMIN, SYSADMIN, SECURITYADMIN, ACCOUNTADMIN = "USERADMIN", "SYSADMIN", "SECURITYADMIN", "ACCOUNTADMIN"
ROLES = (USERADMIN, SYSADMIN, SECURITYADMIN, ACCOUNTADMIN)

# Grants that only this role can make; SECURITYADMIN makes all others.
_BY_ACCOUNTADMIN = ("USE AI FUNCTIONS", "IMPORTED PRIVILEGES")


@dataclass(frozen=True)
class Statement:
    """A statement, the role that runs it, and whether its objects exist after the first run only."""

    role: str
    sql: str
    is_late: bool = False


def statements(account: Account) -> list[Statement]:
    """Return all statements in the order in which they must run."""
    return [
        *(Statement(USERADMIN, sql) for sql in _of_useradmin(account)),
        *(Statement(SYSADMIN, sql) for sql in _of_sysadmin(account)),
        *(Statement(SECURITYADMIN, sql) for sql in _of_securityadmin(account)),
        *(Statement(ACCOUNTADMIN, sql) for sql in _of_accountadmin(account)),
        *_late(account),
    ]


def script(account: Account, role: str | None = None) -> str:
    """Return the statements as a script, or those of one role."""
    return script_of(each for each in statements(account) if role is None or each.role == role.upper())


def script_of(chosen: Iterable[Statement]) -> str:
    """Return these statements as a script that changes to the role of each."""
    parts = []
    for (runs_as, is_late), group in groupby(chosen, lambda each: (each.role, each.is_late)):
        when = " After the first `gong-assets sync`, which creates the tables and views." if is_late else ""
        parts.append(f"-- As {runs_as}.{when}\nUSE ROLE {runs_as};\n")
        parts += [f"{statement.sql};\n" for statement in group]
    return "\n".join(parts)


def _of_useradmin(account: Account) -> Iterator[str]:
    for role in account.roles.values():
        yield f"CREATE OR ALTER ROLE {role.name} COMMENT = {literal(role.comment)}"
    for user in account.users:
        yield f"CREATE USER IF NOT EXISTS {user.name} TYPE = SERVICE"
        yield user_properties(user)


def user_properties(user: ServiceUser) -> str:
    """Return the statement that sets what is declared of a user. A key that is not declared is kept."""
    properties = {
        "DEFAULT_ROLE": user.default_role,
        "DEFAULT_WAREHOUSE": user.default_warehouse,
        # Otherwise each session has the privileges of all roles of the user.
        "DEFAULT_SECONDARY_ROLES": "()",
        "COMMENT": literal(user.comment),
    }
    for name, key in zip(("RSA_PUBLIC_KEY", "RSA_PUBLIC_KEY_2"), user.public_keys, strict=True):
        if key is not None:
            properties[name] = literal(key)
    listed = " ".join(f"{name} = {value}" for name, value in properties.items())
    return f"ALTER USER {user.name} SET {listed}"


def _of_sysadmin(account: Account) -> Iterator[str]:
    for warehouse in account.warehouses:
        yield warehouse_statement(warehouse)
    yield f"CREATE DATABASE IF NOT EXISTS {account.database}"
    yield f"CREATE SCHEMA IF NOT EXISTS {account.place}"
    yield f"CREATE OR ALTER TAG {account.tag} ALLOWED_VALUES " + ", ".join(map(literal, account.tag_values))
    yield (
        f"CREATE TABLE IF NOT EXISTS {account.owners_table} "
        "(SNOWFLAKE_USER VARCHAR NOT NULL, GONG_USER_ID VARCHAR NOT NULL)"
    )
    for policy in (*account.masking_policies, *account.row_access_policies):
        yield policy_statement(policy)
    yield (
        f"CREATE OR ALTER AUTHENTICATION POLICY {account.authentication_policy} AUTHENTICATION_METHODS = "
        "('KEYPAIR', 'PROGRAMMATIC_ACCESS_TOKEN', 'WORKLOAD_IDENTITY', 'OAUTH')"
    )


def warehouse_statement(warehouse: Warehouse) -> str:
    return (
        f"CREATE OR ALTER WAREHOUSE {warehouse.name} WAREHOUSE_SIZE = {warehouse.size} AUTO_SUSPEND = 60 "
        f"AUTO_RESUME = TRUE INITIALLY_SUSPENDED = TRUE "
        f"STATEMENT_TIMEOUT_IN_SECONDS = {warehouse.statement_timeout} COMMENT = {literal(warehouse.comment)}"
    )


def policy_statement(policy: Policy) -> str:
    return (
        f"CREATE OR ALTER {policy.kind} {policy.name} AS ({policy.arguments}) RETURNS {policy.returns} -> "
        f"{policy.body} COMMENT = {literal(policy.comment)}"
    )


def _of_securityadmin(account: Account) -> Iterator[str]:
    for grant in account.grants:
        if not grant.is_late and not _is_accountadmins(grant):
            yield from grant.statements()
    for user in account.users:
        for role in user.roles:
            yield f"GRANT ROLE {role} TO USER {user.name}"
    if account.network_policy:
        addresses = ", ".join(map(literal, account.allowed_ips))
        yield f"CREATE OR ALTER NETWORK POLICY {account.network_policy} ALLOWED_IP_LIST = ({addresses})"
        for user in account.users:
            yield f"ALTER USER {user.name} SET NETWORK_POLICY = {account.network_policy}"


def _of_accountadmin(account: Account) -> Iterator[str]:
    if account.share:
        yield f"CREATE DATABASE IF NOT EXISTS {account.share_database} FROM SHARE {account.share}"
    for grant in account.grants:
        if _is_accountadmins(grant):
            yield from grant.statements()
    for policy in account.masking_policies:
        yield f"ALTER TAG {account.tag} SET MASKING POLICY {policy.name} FORCE"
    for user in account.users:
        yield f"ALTER USER {user.name} SET AUTHENTICATION POLICY {account.authentication_policy} FORCE"
    if account.resource_monitor:
        yield (
            f"CREATE RESOURCE MONITOR IF NOT EXISTS {account.resource_monitor} WITH "
            f"CREDIT_QUOTA = {account.credit_quota} FREQUENCY = MONTHLY START_TIMESTAMP = IMMEDIATELY "
            "TRIGGERS ON 80 PERCENT DO NOTIFY ON 100 PERCENT DO SUSPEND ON 110 PERCENT DO SUSPEND_IMMEDIATE"
        )
        yield f"ALTER RESOURCE MONITOR {account.resource_monitor} SET CREDIT_QUOTA = {account.credit_quota}"
        for warehouse in account.warehouses:
            yield f"ALTER WAREHOUSE {warehouse.name} SET RESOURCE_MONITOR = {account.resource_monitor}"

    yield from budget_statements(account)


def _is_accountadmins(grant: Grant) -> bool:
    return grant.privilege in _BY_ACCOUNTADMIN or grant.name.startswith("SNOWFLAKE.")


def _late(account: Account) -> Iterator[Statement]:
    for grant in account.grants:
        if grant.is_late:
            for sql in grant.statements():
                yield Statement(SECURITYADMIN, sql, is_late=True)
    for table in account.change_tracked:
        role = account.roles[Layer.TRANSFORMER].name
        yield Statement(role, f"ALTER TABLE {table} SET CHANGE_TRACKING = TRUE", is_late=True)
