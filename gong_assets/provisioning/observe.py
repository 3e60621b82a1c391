"""Reads by SHOW and DESCRIBE what an account has of the declared objects."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from gong_assets.provisioning.drift import Held, Observed
from gong_assets.provisioning.objects import Account
from gong_assets.warehouse.connection import fetch

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection

_DOES_NOT_EXIST = (2003, 2043)


class Observer:
    """Reads an account over one connection, whose role must see grants: ACCOUNTADMIN or SECURITYADMIN."""

    def __init__(self, connection: SnowflakeConnection, account: Account) -> None:
        self._connection = connection
        self._account = account

    def observe(self) -> Observed:
        """Return what there is. What does not exist, or the role may not see, is not in the result."""
        account = self._account
        roles = {row["name"] for row in self._rows("SHOW ROLES")}
        ours = [role.name for role in account.roles.values() if role.name in roles]
        grantees = {*ours, *({"SYSADMIN"} & roles)}
        policies = (*account.masking_policies, *account.row_access_policies)
        users = {user.name: found for user in account.users if (found := self._user(user.name))}
        return Observed(
            roles=roles,
            grants={role: self._grants(role) for role in grantees},
            readers_of_schema=self._readers_of_schema(),
            users=users,
            roles_of_users={
                user: {row["role"] for row in self._rows(f"SHOW GRANTS TO USER {user}")} for user in users
            },
            warehouses=self._warehouses(),
            tag_values=self._tag_values(),
            policy_bodies={
                policy.name: row["body"]
                for policy in policies
                for row in self._rows(f"DESCRIBE {policy.kind} {policy.name}")
            },
            policy_uses={policy.name: self._uses(policy.name) for policy in policies},
            monitors={row["name"]: str(row["credit_quota"]) for row in self._rows("SHOW RESOURCE MONITORS")},
            network_policies=self._network_policies(),
            relations=self._relations(),
        )

    def privileges(self, roles: Iterable[str]) -> Observed:
        """Return only the grants of these roles, which a user with the roles may list."""
        return Observed(
            grants={role: self._grants(role) for role in roles}, relations=self._relations(), is_partial=True
        )

    def visible_to_the_graph(self, roles: Iterable[str]) -> Observed:
        """Return what the transformer of the graph, whose user has these roles, may list."""
        return replace(
            self.privileges(roles),
            readers_of_schema=self._readers_of_schema(),
            policy_uses={
                policy.name: self._uses(policy.name) for policy in self._account.row_access_policies
            },
        )

    def _readers_of_schema(self) -> set[tuple[str, str]]:
        return {
            (row["grantee_name"], row["privilege"])
            for row in self._rows(f"SHOW GRANTS ON SCHEMA {self._account.place}")
            if row["privilege"] != "OWNERSHIP"
        }

    def _rows(self, sql: str) -> list[dict[str, Any]]:
        """Return the rows of a statement; none if its object does not exist."""
        import snowflake.connector

        try:
            return [
                {name if name.isupper() else name.lower(): value for name, value in row.items()}
                for row in fetch(self._connection, sql)
            ]
        except snowflake.connector.errors.ProgrammingError as error:
            if error.errno in _DOES_NOT_EXIST:
                return []
            raise

    def _grants(self, role: str) -> set[Held]:
        found: set[Held] = set()
        for row in self._rows(f"SHOW GRANTS TO ROLE {role}"):
            kind = str(row["granted_on"]).replace("_", " ")
            name = "" if kind == "ACCOUNT" else str(row["name"]).replace('"', "")
            found.add((row["privilege"], kind, name))
        for row in self._rows(f"SHOW FUTURE GRANTS TO ROLE {role}"):
            schema = str(row["name"]).rpartition(".")[0].replace('"', "")
            found.add((row["privilege"], f"{row['grant_on']}S", schema))
        return found

    def _user(self, name: str) -> dict[str, str]:
        found = {}
        for row in self._rows(f"DESCRIBE USER {name}"):
            value = row["value"]
            found[row["property"]] = "" if value in (None, "null") else str(value)
        if found:
            parameter = f"SHOW PARAMETERS LIKE 'NETWORK_POLICY' IN USER {name}"
            found["NETWORK_POLICY"] = _first(self._rows(parameter), "value")
        return found

    def _warehouses(self) -> dict[str, dict[str, str]]:
        declared = {warehouse.name for warehouse in self._account.warehouses}
        found = {}
        for row in self._rows("SHOW WAREHOUSES"):
            if row["name"] not in declared:
                continue
            parameter = f"SHOW PARAMETERS LIKE 'STATEMENT_TIMEOUT_IN_SECONDS' IN WAREHOUSE {row['name']}"
            names = ("size", "auto_suspend", "auto_resume", "resource_monitor")
            found[row["name"]] = {
                **{name: "" if row[name] in (None, "null") else str(row[name]) for name in names},
                "statement_timeout": _first(self._rows(parameter), "value"),
            }
        return found

    def _tag_values(self) -> list[str] | None:
        name = self._account.tag.rpartition(".")[2]
        for row in self._rows(f"SHOW TAGS LIKE '{name}' IN SCHEMA {self._account.place}"):
            return list(json.loads(row["allowed_values"] or "[]"))
        return None

    def _uses(self, policy: str) -> set[tuple[str, str]]:
        function = f"{self._account.database}.INFORMATION_SCHEMA.POLICY_REFERENCES"
        rows = self._rows(
            f"SELECT REF_ENTITY_DOMAIN, REF_ENTITY_NAME FROM TABLE({function}(POLICY_NAME => '{policy}'))"
        )
        return {(row["REF_ENTITY_DOMAIN"], row["REF_ENTITY_NAME"]) for row in rows}

    def _network_policies(self) -> dict[str, str]:
        name = self._account.network_policy
        if name is None:
            return {}
        rows = self._rows(f"DESCRIBE NETWORK POLICY {name}")
        listed = [row["value"] for row in rows if row["name"] == "ALLOWED_IP_LIST"]
        return {name: listed[0]} if listed else {}

    def _relations(self) -> dict[str, str]:
        """Return the kind of each table and view, and of the objects that a late grant names."""
        rows = self._rows(
            f"SELECT TABLE_NAME, TABLE_TYPE FROM {self._account.database}.INFORMATION_SCHEMA.TABLES "
            f"WHERE TABLE_SCHEMA = '{self._account.schema}'"
        )
        found = {row["TABLE_NAME"]: "VIEW" if "VIEW" in row["TABLE_TYPE"] else "TABLE" for row in rows}
        late = {grant.kind for grant in self._account.grants if grant.is_late}
        for kind in sorted(late - {"TABLE", "VIEW"}):
            shown = self._rows(f"SHOW {kind}S IN SCHEMA {self._account.place}")
            found |= {row["name"]: kind for row in shown}
        return found


def _first(rows: Iterable[dict[str, Any]], column: str) -> str:
    return next((str(row[column]) for row in rows), "")
