"""SHOW and DESCRIBE of account objects, and POLICY_REFERENCES."""

from __future__ import annotations

import fnmatch
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from gong_assets.local.snowflake.governance.scope import Scope, table
from gong_assets.local.snowflake.governance.sign_in import fingerprint
from gong_assets.local.snowflake.governance.state import Grant, does_not_exist, sorted_items
from gong_assets.local.snowflake.governance.words import Words

_GRANT_COLUMNS = (
    "created_on", "privilege", "granted_on", "name", "granted_to", "grantee_name", "grant_option",
    "granted_by",
)  # fmt: skip
_POLICY_REFERENCES = re.compile(
    r"table\s*\(\s*(?:[\w\"]+\s*\.\s*)?information_schema\s*\.\s*policy_references\s*\("
    r"\s*(?P<by>policy_name|ref_entity_name)\s*=>\s*'(?P<name>[^']+)'[^)]*\)\s*\)",
    re.IGNORECASE,
)
_SIZES = {"XSMALL": "X-Small", "XXLARGE": "2X-Large", "XLARGE": "X-Large"}


def show(words: Words, scope: Scope) -> str | None:
    """Run SHOW of grants or account objects; None for other objects."""
    if words.take("GRANTS"):
        return _grants(words, scope)
    if words.take("FUTURE", "GRANTS"):
        return _future_grants(words, scope)
    if words.take("PARAMETERS"):
        return _parameters(words, scope)
    for plural, listing in _LISTINGS.items():
        if words.take(*plural.split()):
            columns, rows = listing(scope)
            return table(columns, _like(words, columns, rows))
    return None


def _like(words: Words, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> list[Sequence[object]]:
    pattern = words.next().text.upper() if words.take("LIKE") else "%"
    glob = pattern.replace("%", "*").replace("_", "?")
    place = columns.index("name")
    return [row for row in rows if fnmatch.fnmatchcase(str(row[place]).upper(), glob)]


def _grants(words: Words, scope: Scope) -> str:
    governance = scope.governance
    if words.take("TO", "USER"):
        user = words.identifier()
        scope.require_existing("USER", user)
        rows = [(None, role, "USER", user, "") for role in sorted(governance.user_roles.get(user, ()))]
        return table(("created_on", "role", "granted_to", "grantee_name", "granted_by"), rows)
    if words.take("TO", "ROLE"):
        role = words.identifier()
        scope.require_existing("ROLE", role)
        return table(_GRANT_COLUMNS, _grants_of_role(scope, role))
    if words.take("OF", "ROLE"):
        role = words.identifier()
        scope.require_existing("ROLE", role)
        held: list[Sequence[object]] = [
            (None, role, "USER", user, "") for user, of_user in governance.all_user_roles() if role in of_user
        ]
        held += [
            (None, role, "ROLE", each.role, each.granted_by)
            for each in sorted(governance.grants)
            if (each.kind, each.name) == ("ROLE", role)
        ]
        return table(("created_on", "role", "granted_to", "grantee_name", "granted_by"), held)
    if words.take("ON"):
        kind = words.take_one("ACCOUNT", *_OBJECTS)
        if kind is None:
            raise words.error()
        name = "" if kind == "ACCOUNT" else scope.full_name(kind, words.name())
        scope.require_existing(kind, name)
        found = [each for each in sorted(governance.grants) if (each.kind, each.name) == (kind, name)]
        listed: list[Sequence[object]] = [_row(each) for each in found]
        if kind != "ACCOUNT":
            listed.append(_row(Grant("OWNERSHIP", kind, name, governance.owner(kind, name), True)))
        return table(_GRANT_COLUMNS, listed)
    if not words.at_end:
        raise words.error()
    roles = sorted(governance.user_roles.get(scope.identity.user, ()))
    rows = [(None, role, "USER", scope.identity.user, "") for role in roles]
    return table(("created_on", "role", "granted_to", "grantee_name", "granted_by"), rows)


def _grants_of_role(scope: Scope, role: str) -> Iterator[tuple[object, ...]]:
    governance = scope.governance
    for each in sorted(governance.grants):
        if each.role == role and not _is_future(each):
            yield _row(each)
    for key, owner in sorted_items(governance.owners):
        if owner == role:
            kind = next(k for k in _OBJECTS if key.startswith(f"{k} "))
            yield _row(Grant("OWNERSHIP", kind, key.removeprefix(f"{kind} "), role, True))


def _is_future(each: Grant) -> bool:
    return each.kind in ("TABLES", "VIEWS", "SCHEMAS", "STAGES")


def _row(each: Grant) -> tuple[object, ...]:
    # Imported privileges are shown as USAGE of the database.
    privilege = "USAGE" if each.privilege == "IMPORTED PRIVILEGES" else each.privilege
    granted_on, name = each.kind.replace(" ", "_"), each.name or "LOCAL"
    return None, privilege, granted_on, name, "ROLE", each.role, each.grant_option, each.granted_by


def _future_grants(words: Words, scope: Scope) -> str:
    if words.take("TO", "ROLE"):
        role = words.identifier()
        found = [each for each in sorted(scope.governance.grants) if each.role == role and _is_future(each)]
    else:
        words.expect("IN")
        kind = words.take_one("SCHEMA", "DATABASE")
        if kind is None:
            raise words.error()
        name = scope.full_name(kind, words.name())
        found = [each for each in sorted(scope.governance.grants) if each.name == name and _is_future(each)]
    columns = ("created_on", "privilege", "grant_on", "name", "grant_to", "grantee_name", "grant_option")
    rows = []
    for each in found:
        kind = each.kind.removesuffix("S")
        rows.append(
            (None, each.privilege, kind, f"{each.name}.<{kind}>", "ROLE", each.role, each.grant_option)
        )
    return table(columns, rows)


# The parameters of an object, with their default and type.
_PARAMETERS: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "WAREHOUSE": {
        "STATEMENT_QUEUED_TIMEOUT_IN_SECONDS": ("0", "NUMBER"),
        "STATEMENT_TIMEOUT_IN_SECONDS": ("172800", "NUMBER"),
    },
    "USER": {"NETWORK_POLICY": ("", "STRING")},
}


def _parameters(words: Words, scope: Scope) -> str | None:
    """https://docs.snowflake.com/en/sql-reference/sql/show-parameters"""
    pattern = words.next().text.upper() if words.take("LIKE") else "%"
    if not words.take("IN") or (kind := words.take_one(*_PARAMETERS)) is None:
        return None
    name = words.identifier()
    scope.require_existing(kind, name)
    found = scope.governance.of_kind(kind)[name]
    rows = [
        (key, found.get(key, default), default, kind if key in found else "", "", of_type)
        for key, (default, of_type) in _PARAMETERS[kind].items()
        if fnmatch.fnmatchcase(key, pattern.replace("%", "*").replace("_", "?"))
    ]
    return table(("key", "value", "default", "level", "description", "type"), rows)


_OBJECTS = (
    "ROW ACCESS POLICY", "AUTHENTICATION POLICY", "RESOURCE MONITOR", "MASKING POLICY", "SESSION POLICY",
    "PASSWORD POLICY", "NETWORK POLICY", "NETWORK RULE", "DATABASE ROLE", "STORAGE INTEGRATION", "WAREHOUSE",
    "SECURITY INTEGRATION", "API INTEGRATION", "NOTIFICATION INTEGRATION", "DATABASE", "SCHEMA", "STAGE",
    "TABLE", "VIEW", "USER", "ROLE", "TAG", "SEQUENCE", "FILE FORMAT", "APPLICATION ROLE",
)  # fmt: skip
_Listing = tuple[Sequence[str], list[Sequence[object]]]


def _roles(scope: Scope) -> _Listing:
    governance = scope.governance
    columns = ("created_on", "name", "is_current", "assigned_to_users", "granted_roles", "owner", "comment")
    rows: list[Sequence[object]] = []
    for role in governance.roles:
        users = sum(role in of_user for _, of_user in governance.all_user_roles())
        granted = sum(each.role == role and each.kind == "ROLE" for each in governance.grants)
        comment = governance.of_kind("ROLE").get(role, {}).get("COMMENT", "")
        current = "Y" if role == scope.identity.role else "N"
        rows.append((None, role, current, users, granted, governance.owner("ROLE", role), comment))
    return columns, rows


def _users(scope: Scope) -> _Listing:
    columns = ("name", "login_name", "disabled", "default_warehouse", "default_role", "owner", "type")
    rows: list[Sequence[object]] = [
        (
            name, name, bool(user.get("DISABLED")), user.get("DEFAULT_WAREHOUSE"), user.get("DEFAULT_ROLE"),
            scope.governance.owner("USER", name), user.get("TYPE"),
        )
        for name, user in sorted_items(scope.governance.of_kind("USER"))
    ]  # fmt: skip
    return columns, rows


def _warehouses(scope: Scope) -> _Listing:
    columns = ("name", "state", "type", "size", "auto_suspend", "auto_resume", "resource_monitor", "owner",
               "comment")  # fmt: skip
    rows: list[Sequence[object]] = []
    for name, warehouse in sorted_items(scope.governance.of_kind("WAREHOUSE")):
        size = str(warehouse.get("WAREHOUSE_SIZE", "XSMALL")).replace("-", "").upper()
        rows.append((
            name, "STARTED", "STANDARD", _SIZES.get(size, size.title()),
            warehouse.get("AUTO_SUSPEND", "600"), warehouse.get("AUTO_RESUME", True),
            warehouse.get("RESOURCE_MONITOR", "null"), scope.governance.owner("WAREHOUSE", name),
            warehouse.get("COMMENT", ""),
        ))  # fmt: skip
    return columns, rows


def _in_schema(scope: Scope, kind: str) -> Iterator[tuple[str, str, str, dict[str, Any]]]:
    for name, properties in sorted_items(scope.governance.of_kind(kind)):
        database, schema, last = name.split(".")
        yield last, database, schema, properties


def _policies(kind: str) -> Any:
    def listing(scope: Scope) -> _Listing:
        columns = ("created_on", "name", "database_name", "schema_name", "kind", "owner")
        rows: list[Sequence[object]] = [
            (None, name, database, schema, kind.replace(" ", "_"),
             scope.governance.owner(kind, f"{database}.{schema}.{name}"))
            for name, database, schema, _ in _in_schema(scope, kind)
        ]  # fmt: skip
        return columns, rows

    return listing


def _tags(scope: Scope) -> _Listing:
    columns = ("created_on", "name", "database_name", "schema_name", "owner", "comment", "allowed_values")
    rows: list[Sequence[object]] = [
        (None, name, database, schema, scope.governance.owner("TAG", f"{database}.{schema}.{name}"),
         tag.get("COMMENT", ""), json.dumps(tag.get("allowed_values") or []))
        for name, database, schema, tag in _in_schema(scope, "TAG")
    ]  # fmt: skip
    return columns, rows


def _resource_monitors(scope: Scope) -> _Listing:
    rows: list[Sequence[object]] = [
        (name, monitor.get("CREDIT_QUOTA"), "0", monitor.get("FREQUENCY", "MONTHLY"))
        for name, monitor in sorted_items(scope.governance.of_kind("RESOURCE MONITOR"))
    ]
    return ("name", "credit_quota", "used_credits", "frequency"), rows


def _network_policies(scope: Scope) -> _Listing:
    rows: list[Sequence[object]] = [
        (None, name, policy.get("COMMENT", ""), len(policy.get("ALLOWED_IP_LIST", ())))
        for name, policy in sorted_items(scope.governance.of_kind("NETWORK POLICY"))
    ]
    return ("created_on", "name", "comment", "entries_in_allowed_ip_list"), rows


_LISTINGS: dict[str, Any] = {
    "ROLES": _roles,
    "USERS": _users,
    "WAREHOUSES": _warehouses,
    "TAGS": _tags,
    "RESOURCE MONITORS": _resource_monitors,
    "NETWORK POLICIES": _network_policies,
    **{
        f"{kind.removesuffix('Y')}IES": _policies(kind)
        for kind in ("MASKING POLICY", "ROW ACCESS POLICY", "AUTHENTICATION POLICY", "SESSION POLICY")
    },
}


def describe(words: Words, scope: Scope) -> str | None:
    """Run DESCRIBE of a user or policy; None for other objects."""
    kind = words.take_one("USER", "MASKING POLICY", "ROW ACCESS POLICY", "NETWORK POLICY")
    if kind is None:
        return None
    name = scope.full_name(kind, words.name())
    found = scope.governance.of_kind(kind).get(name)
    if found is None:
        raise does_not_exist(kind, name)
    if kind == "USER":
        return _describe_user(scope, name, found)
    if kind == "NETWORK POLICY":
        rows = [(key, ",".join(value)) for key, value in found.items() if isinstance(value, list)]
        return table(("name", "value"), rows)
    signature = "(" + ", ".join(f"{argument} {each}" for argument, each in found["arguments"]) + ")"
    short = name.rpartition(".")[2]
    return table(
        ("name", "signature", "return_type", "body"), [(short, signature, found["returns"], found["body"])]
    )


def _describe_user(scope: Scope, name: str, user: dict[str, Any]) -> str:
    """https://docs.snowflake.com/en/sql-reference/sql/desc-user"""
    if name != scope.identity.user:  # A user may describe itself.
        scope.require_owner("USER", name)
    secondary = user.get("DEFAULT_SECONDARY_ROLES", ["ALL"])
    shown: dict[str, object] = {
        "NAME": name,
        "COMMENT": user.get("COMMENT"),
        "TYPE": user.get("TYPE", "PERSON"),
        "DISABLED": bool(user.get("DISABLED")),
        "DEFAULT_WAREHOUSE": user.get("DEFAULT_WAREHOUSE"),
        "DEFAULT_ROLE": user.get("DEFAULT_ROLE"),
        "DEFAULT_SECONDARY_ROLES": json.dumps(secondary),
        "HAS_RSA_PUBLIC_KEY": "RSA_PUBLIC_KEY" in user,
        "PASSWORD": "********" if user.get("PASSWORD") else None,
    }
    for slot in ("RSA_PUBLIC_KEY", "RSA_PUBLIC_KEY_2"):
        shown[slot] = user.get(slot)
        shown[f"{slot}_FP"] = fingerprint(user[slot]) if slot in user else None
    rows = [(key, value if value is not None else "null", "null", "") for key, value in shown.items()]
    return table(("property", "value", "default", "description"), rows)


def with_policy_references(sql: str, scope: Scope) -> str:
    """Replace the table function POLICY_REFERENCES by its rows.

    https://docs.snowflake.com/en/sql-reference/functions/policy_references
    """
    if "policy_references" not in sql.lower():
        return sql
    return _POLICY_REFERENCES.sub(lambda found: f"({_references(scope, found)}) AS POLICY_REFERENCES", sql)


def _references(scope: Scope, found: re.Match[str]) -> str:
    by_policy = found["by"].lower() == "policy_name"
    wanted = scope.full_name("TABLE", [part.strip('"').upper() for part in found["name"].split(".")])
    rows = []
    for policy, kind, entity, column in scope.governance.policy_uses():
        if wanted != (policy if by_policy else entity):
            continue
        database, schema, name = policy.split(".")
        entity_database, entity_schema, entity_name = entity.split(".")
        domain = "TAG" if entity in scope.governance.tag_policies else scope.kind_of(entity)
        attached = scope.governance.attachments.get(entity)
        arguments = attached.row_access if attached and kind == "ROW_ACCESS_POLICY" else None
        rows.append((
            database, schema, name, kind, entity_database, entity_schema, entity_name, domain, column or None,
            json.dumps(arguments[1]) if arguments else None, "ACTIVE",
        ))  # fmt: skip
    columns = (
        "POLICY_DB", "POLICY_SCHEMA", "POLICY_NAME", "POLICY_KIND", "REF_DATABASE_NAME", "REF_SCHEMA_NAME",
        "REF_ENTITY_NAME", "REF_ENTITY_DOMAIN", "REF_COLUMN_NAME", "REF_ARG_COLUMN_NAMES", "POLICY_STATUS",
    )  # fmt: skip
    return table(columns, rows)
