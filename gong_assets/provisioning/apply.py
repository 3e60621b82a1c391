"""Runs the declared statements in an account, and compares the account with the declaration."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gong_assets.provisioning.drift import Drift, compare
from gong_assets.provisioning.objects import Account
from gong_assets.provisioning.observe import Observer
from gong_assets.provisioning.statements import Statement, statements
from gong_assets.warehouse.connection import fetch

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection

# Sees all grants, and may run every statement.
ADMINISTRATOR = "ACCOUNTADMIN"
_DOES_NOT_EXIST = (2003, 2043)


class ProvisioningError(Exception):
    """The account cannot be provisioned over this connection. Nothing was changed."""


@dataclass(frozen=True)
class Applied:
    """A statement that ran, or one that was skipped because its object does not exist yet."""

    statement: Statement
    skipped: str | None = None


def differences(connection: SnowflakeConnection, account: Account) -> list[Drift]:
    """Return how the account differs from the declaration.

    Args:
        connection: its user must have ACCOUNTADMIN.

    Raises:
        ProvisioningError: the connection's user is a declared one.
    """
    _check_user(connection, account)
    fetch(connection, f"USE ROLE {ADMINISTRATOR}")
    return compare(account, Observer(connection, account).observe())


def apply(connection: SnowflakeConnection, account: Account) -> Iterator[Applied]:
    """Run all statements, each as its role, and yield them as they are done.

    A statement about a view or a share that does not exist yet is skipped.

    Raises:
        ProvisioningError: the connection's user is a declared one, which the statements would restrict.
        snowflake.connector.errors.Error: a statement failed; those before it took effect.
    """
    import snowflake.connector

    _check_user(connection, account)
    role = None
    for statement in statements(account):
        if statement.role != role:
            role = statement.role
            fetch(connection, f"USE ROLE {role}")
        try:
            fetch(connection, statement.sql)
        except snowflake.connector.errors.ProgrammingError as error:
            if error.errno not in _DOES_NOT_EXIST or not _is_optional(account, statement):
                raise
            yield Applied(statement, skipped=str(error.raw_msg))
        else:
            yield Applied(statement)


def _is_optional(account: Account, statement: Statement) -> bool:
    """Return whether the object of a statement may not exist yet: one of the graph, or HubSpot's database."""
    is_elsewhere = account.share_database != account.database
    names_it = re.search(rf"\b{re.escape(account.share_database)}\b", statement.sql) is not None
    return statement.is_late or (is_elsewhere and names_it)


def _check_user(connection: SnowflakeConnection, account: Account) -> None:
    """Check that the administrator is no declared user, who loses other roles and the sign-in by password."""
    (row,) = fetch(connection, "SELECT CURRENT_USER() AS NAME")
    if row["NAME"] in {user.name for user in account.users}:
        raise ProvisioningError(
            f"The session is signed in as {row['NAME']}, which is declared as a service user. Nothing was "
            "changed. Sign in as an administrator, set GONG_PROVISION_USER to the service user of the graph, "
            "and GONG_PROVISION_WAREHOUSE to its warehouse."
        )
