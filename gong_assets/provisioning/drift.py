"""Comparison of an account with its declaration: missing, different and extra objects.

`observe.py` reads the account by SHOW and DESCRIBE, and `compare` is a pure function of what it read.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from gong_assets.provisioning.governed_models import governed_models
from gong_assets.provisioning.objects import Account, Grant, ServiceUser, Warehouse
from gong_assets.provisioning.owners import owning_layers
from gong_assets.provisioning.statements import policy_statement, user_properties, warehouse_statement

Kind = Literal["missing", "different", "extra"]
# (privilege, kind of object, full name), as SHOW GRANTS lists them. A future grant has a plural kind.
Held = tuple[str, str, str]


@dataclass(frozen=True)
class Drift:
    """A difference, and the statements that remove it. `apply` removes no extra object."""

    kind: Kind
    what: str
    statements: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.kind}: {self.what}"


@dataclass(frozen=True)
class Observed:
    """What an account has. Names are in upper case."""

    roles: Collection[str] = ()
    grants: Mapping[str, Collection[Held]] = field(default_factory=dict)
    readers_of_schema: Collection[tuple[str, str]] = ()
    users: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    roles_of_users: Mapping[str, Collection[str]] = field(default_factory=dict)
    warehouses: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    tag_values: Collection[str] | None = None
    policy_bodies: Mapping[str, str] = field(default_factory=dict)
    policy_uses: Mapping[str, Collection[tuple[str, str]]] = field(default_factory=dict)
    monitors: Mapping[str, str] = field(default_factory=dict)
    network_policies: Mapping[str, str] = field(default_factory=dict)
    relations: Mapping[str, str] = field(default_factory=dict)
    is_partial: bool = False  # Only some roles were observed.


def compare(account: Account, observed: Observed) -> list[Drift]:
    """Return the differences, missing objects first; of a partial observation those that it can show."""
    found = [
        *_owners(account, observed),
        *_row_access(account, observed),
        *missing_grants(account, observed),
        *_extra_grants(account, observed),
    ]
    if not observed.is_partial:
        found += [
            *_roles(account, observed),
            *_users(account, observed),
            *_warehouses(account, observed),
            *_policies(account, observed),
            *_masking(account, observed),
        ]
    order = ("missing", "different", "extra")
    return sorted(found, key=lambda drift: order.index(drift.kind))


def _roles(account: Account, observed: Observed) -> Iterator[Drift]:
    for role in account.roles.values():
        if role.name not in observed.roles:
            yield Drift("missing", f"role {role.name}", (f"CREATE OR ALTER ROLE {role.name}",))


def _users(account: Account, observed: Observed) -> Iterator[Drift]:
    for user in account.users:
        properties = observed.users.get(user.name)
        if properties is None:
            created = f"CREATE USER IF NOT EXISTS {user.name} TYPE = SERVICE"
            yield Drift("missing", f"user {user.name}", (created, user_properties(user)))
            continue
        for name, wanted in _wanted_of_user(account, user).items():
            if wanted is not None and properties.get(name, "") != wanted:
                what = f"{name} of user {user.name} is {properties.get(name) or 'not set'} and not {wanted}"
                fix = (
                    f"ALTER USER {user.name} SET NETWORK_POLICY = {wanted}"
                    if name == "NETWORK_POLICY"
                    else user_properties(user)
                )
                yield Drift("different", what, (fix,))
        granted = set(observed.roles_of_users.get(user.name, ()))
        for role in user.roles:
            if role not in granted:
                sql = f"GRANT ROLE {role} TO USER {user.name}"
                yield Drift("missing", f"role {role} of user {user.name}", (sql,))
        for role in sorted(granted - set(user.roles)):
            sql = f"REVOKE ROLE {role} FROM USER {user.name}"
            yield Drift("extra", f"user {user.name} has role {role}", (sql,))


def _wanted_of_user(account: Account, user: ServiceUser) -> dict[str, str | None]:
    first, second = (key and fingerprint(key) for key in user.public_keys)
    return {
        "TYPE": "SERVICE",
        "DISABLED": "false",
        "DEFAULT_ROLE": user.default_role,
        "DEFAULT_WAREHOUSE": user.default_warehouse,
        "RSA_PUBLIC_KEY_FP": first,
        "RSA_PUBLIC_KEY_2_FP": second,
        "NETWORK_POLICY": account.network_policy,
    }


def fingerprint(public_key: str) -> str:
    """Return the fingerprint that DESCRIBE USER shows of a key."""
    digest = hashlib.sha256(base64.b64decode(public_key)).digest()
    return f"SHA256:{base64.b64encode(digest).decode()}"


def _warehouses(account: Account, observed: Observed) -> Iterator[Drift]:
    for warehouse in account.warehouses:
        properties = observed.warehouses.get(warehouse.name)
        statement = warehouse_statement(warehouse)
        if properties is None:
            yield Drift("missing", f"warehouse {warehouse.name}", (statement,))
            continue
        for name, wanted in _wanted_of_warehouse(account, warehouse).items():
            if (value := properties.get(name, "")).upper() != wanted.upper():
                what = f"{name} of warehouse {warehouse.name} is {value or 'not set'} and not {wanted}"
                fix = (
                    f"ALTER WAREHOUSE {warehouse.name} SET RESOURCE_MONITOR = {wanted}"
                    if name == "resource_monitor"
                    else statement
                )
                yield Drift("different", what, (fix,))
    if account.resource_monitor:
        quota = observed.monitors.get(account.resource_monitor)
        if quota is None:
            yield Drift("missing", f"resource monitor {account.resource_monitor}")
        elif float(quota or 0) != account.credit_quota:
            what = f"the quota of {account.resource_monitor} is {quota} and not {account.credit_quota}"
            fix = f"ALTER RESOURCE MONITOR {account.resource_monitor} SET CREDIT_QUOTA = "
            yield Drift("different", what, (f"{fix}{account.credit_quota}",))


def _wanted_of_warehouse(account: Account, warehouse: Warehouse) -> dict[str, str]:
    wanted = {
        "size": {"XSMALL": "X-Small"}.get(warehouse.size, warehouse.size.title()),
        "auto_suspend": "60",
        "auto_resume": "true",
        "statement_timeout": str(warehouse.statement_timeout),
    }
    return {
        **wanted,
        **({"resource_monitor": account.resource_monitor} if account.resource_monitor else {}),
    }


def _policies(account: Account, observed: Observed) -> Iterator[Drift]:
    if observed.tag_values is None:
        yield Drift("missing", f"tag {account.tag}")
    elif set(observed.tag_values) != set(account.tag_values):
        yield Drift("different", f"the values of tag {account.tag} are {', '.join(observed.tag_values)}")
    for policy in (*account.masking_policies, *account.row_access_policies):
        body = observed.policy_bodies.get(policy.name)
        if body is None:
            yield Drift("missing", f"{policy.kind.lower()} {policy.name}", (policy_statement(policy),))
        elif _normalized(body) != _normalized(policy.body):
            what = f"the body of {policy.kind.lower()} {policy.name}"
            yield Drift("different", what, (policy_statement(policy),))
    if account.network_policy:
        addresses = observed.network_policies.get(account.network_policy)
        if addresses is None:
            yield Drift("missing", f"network policy {account.network_policy}")
        elif set(addresses.split(",")) != set(account.allowed_ips):
            yield Drift("different", f"the addresses of network policy {account.network_policy}: {addresses}")


def _normalized(body: str) -> str:
    return re.sub(r"\s+", "", body).upper()


def _masking(account: Account, observed: Observed) -> Iterator[Drift]:
    """Yield masking policies that are not attached to the tag."""
    tag = account.tag.rpartition(".")[2]
    for policy in account.masking_policies:
        if ("TAG", tag) not in observed.policy_uses.get(policy.name, ()):
            sql = f"ALTER TAG {account.tag} SET MASKING POLICY {policy.name} FORCE"
            yield Drift("missing", f"masking policy {policy.name} of tag {account.tag}", (sql,))


def _row_access(account: Account, observed: Observed) -> Iterator[Drift]:
    """Yield the existing views with private calls that have no row access policy."""
    for model in governed_models().values():
        if model.row_access is None or observed.relations.get(model.name) != "VIEW":
            continue
        policy_name, columns = model.row_access
        name = f"{account.place}.{policy_name}"
        if ("VIEW", model.name) not in observed.policy_uses.get(name, ()):
            sql = f"ALTER VIEW {account.place}.{model.name} ADD ROW ACCESS POLICY {name} ON "
            what = f"row access policy {policy_name} of view {model.name}"
            yield Drift("missing", what, (f"{sql}({', '.join(columns)})",))


def _owners(account: Account, observed: Observed) -> Iterator[Drift]:
    """Yield the tables and views that the role of their layer may not replace."""
    for name, layer in owning_layers().items():
        kind, role = observed.relations.get(name), account.roles[layer].name
        if kind is None or ("OWNERSHIP", kind, f"{account.place}.{name}") in observed.grants.get(role, ()):
            continue
        sql = f"GRANT OWNERSHIP ON {kind} {account.place}.{name} TO ROLE {role} COPY CURRENT GRANTS"
        yield Drift("different", f"{kind.lower()} {name} does not belong to {role}", (sql,))


def missing_grants(account: Account, observed: Observed) -> Iterator[Drift]:
    """Yield the missing grants of the observed roles."""
    for grant in account.grants:
        if observed.is_partial and grant.role not in observed.grants:
            continue
        if grant.is_late and grant.name.rpartition(".")[2] not in observed.relations:
            continue
        held = observed.grants.get(grant.role, ())
        owned = {name for privilege, _, name in held if privilege == "OWNERSHIP"}
        expected = _expected(account, grant, observed)
        if not all(each in held or each[2] in owned for each in expected):
            on = f"{grant.kind} {grant.name}".rstrip()
            what = f"{grant.role} has no {grant.privilege} on {on}"
            yield Drift("missing", what, grant.statements())


def _expected(account: Account, grant: Grant, observed: Observed) -> Iterator[Held]:
    """Yield the rows of SHOW GRANTS that a grant leads to."""
    if grant.privilege == "IMPORTED PRIVILEGES":
        yield "USAGE", "DATABASE", grant.name
        return
    yield grant.privilege, grant.kind, grant.name
    if grant.is_plural and grant.name == account.place:
        singular = grant.kind.removesuffix("S")
        for name, kind in observed.relations.items():
            if kind == singular:
                yield grant.privilege, singular, f"{grant.name}.{name}"


def _extra_grants(account: Account, observed: Observed) -> Iterator[Drift]:
    ours = {role.name for role in account.roles.values()}
    for role in sorted(ours):
        wanted = {
            each
            for grant in account.grants
            if grant.role == role
            for each in _expected(account, grant, observed)
        }
        for privilege, kind, name in sorted(set(observed.grants.get(role, ())) - wanted):
            of_all = (privilege, f"{kind}S", name.rpartition(".")[0])  # as of HubSpot's tables
            if privilege == "OWNERSHIP" or of_all in wanted:
                continue
            what = f"{role} has {privilege} on {kind} {name}".rstrip()
            yield Drift("extra", what, (_revoke(privilege, kind, name, role),))
    for role, privilege in sorted(observed.readers_of_schema):
        if role not in {*ours, "SYSADMIN", "ACCOUNTADMIN"}:
            sql = f"REVOKE {privilege} ON SCHEMA {account.place} FROM ROLE {role}"
            yield Drift("extra", f"{role} has {privilege} on schema {account.place}", (sql,))


def _revoke(privilege: str, kind: str, name: str, role: str) -> str:
    if kind in ("ROLE", "DATABASE ROLE"):
        return f"REVOKE {kind} {name} FROM ROLE {role}"
    if kind in ("TABLES", "VIEWS"):
        return f"REVOKE {privilege} ON FUTURE {kind} IN SCHEMA {name} FROM ROLE {role}"
    return f"REVOKE {privilege} ON {kind} {name}".rstrip() + f" FROM ROLE {role}"
