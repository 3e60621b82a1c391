"""GRANT and REVOKE. https://docs.snowflake.com/en/sql-reference/sql/grant-privilege"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gong_assets.local.snowflake.errors import SnowflakeError
from gong_assets.local.snowflake.governance.scope import ACCOUNT_KINDS, SCHEMA_KINDS, SUCCESS, Scope
from gong_assets.local.snowflake.governance.state import (
    SYSTEM_ROLES,
    Grant,
    does_not_exist,
    insufficient_privileges,
)
from gong_assets.local.snowflake.governance.words import Words

_KINDS = sorted(
    (
        *ACCOUNT_KINDS, *SCHEMA_KINDS, "SCHEMA", "TABLE", "VIEW", "STAGE", "SEQUENCE", "FUNCTION",
        "PROCEDURE", "FILE FORMAT", "CORTEX SEARCH SERVICE", "DATABASE ROLE",
    ),
    key=len,
    reverse=True,
)  # fmt: skip
_PLURALS = {
    kind: f"{kind.removesuffix('Y')}IES" if kind.endswith("POLICY") else f"{kind}S" for kind in _KINDS
}
# What ALL PRIVILEGES means: https://docs.snowflake.com/en/user-guide/security-access-control-privileges
_ALL = {
    "TABLE": ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES"),
    "VIEW": ("SELECT", "REFERENCES"),
    "SCHEMA": ("USAGE", "MODIFY", "MONITOR", "CREATE TABLE", "CREATE VIEW", "CREATE STAGE", "CREATE TAG",
               "CREATE MASKING POLICY", "CREATE ROW ACCESS POLICY", "CREATE SEQUENCE", "CREATE FILE FORMAT"),
    "DATABASE": ("USAGE", "MODIFY", "MONITOR", "CREATE SCHEMA"),
    "WAREHOUSE": ("USAGE", "OPERATE", "MODIFY", "MONITOR", "APPLYBUDGET"),
    "STAGE": ("READ", "WRITE"),
}  # fmt: skip


@dataclass(frozen=True)
class _Target:
    """The objects of a statement: one, the existing ones of a container, or the future ones."""

    kind: str
    names: tuple[str, ...]
    is_future: bool = False

    @property
    def granted_kind(self) -> str:
        return f"{self.kind}S" if self.is_future else self.kind


def grant(words: Words, scope: Scope) -> str:
    """Run GRANT."""
    return _change(words, scope, grants=True)


def revoke(words: Words, scope: Scope) -> str:
    """Run REVOKE."""
    words.take("GRANT", "OPTION", "FOR")
    return _change(words, scope, grants=False)


def _change(words: Words, scope: Scope, *, grants: bool) -> str:
    with scope.governance.lock:
        if words.take("ROLE"):
            _change_role(words, scope, grants=grants)
        elif kind := words.take_one("DATABASE ROLE", "APPLICATION ROLE"):
            name = ".".join(words.name())
            _change_privileges(
                scope, ("USAGE",), _Target(kind, (name,)), _grantee(words, scope, grants), grants
            )
        else:
            _change_privileges_of_statement(words, scope, grants=grants)
        scope.governance.save()
    return SUCCESS


def _change_role(words: Words, scope: Scope, *, grants: bool) -> None:
    governance = scope.governance
    role = words.identifier()
    scope.require_existing("ROLE", role)
    _require_grantor(scope, "ROLE", role)
    words.expect("TO" if grants else "FROM")
    if words.take("USER"):
        user = words.identifier()
        scope.require_existing("USER", user)
        roles = governance.user_roles.setdefault(user, [])
        if grants and role not in roles:
            roles.append(role)
        elif not grants and role in roles:
            roles.remove(role)
        return
    words.expect("ROLE")
    grantee = words.identifier()
    scope.require_existing("ROLE", grantee)
    if grants and grantee in governance.with_inherited([role]) - {"PUBLIC"}:
        raise SnowflakeError(3012, "42501", f"SQL execution error: Cyclic grants of roles {role}, {grantee}.")
    _update(scope, {("USAGE", "ROLE", role)}, grantee, grants, with_option=False)


def _grantee(words: Words, scope: Scope, grants: bool) -> str:
    words.expect("TO" if grants else "FROM")
    words.take_one("DATABASE ROLE", "ROLE")
    role = ".".join(words.name())
    if role not in scope.governance.roles and role not in scope.governance.of_kind("DATABASE ROLE"):
        raise does_not_exist("ROLE", role)
    return role


def _change_privileges_of_statement(words: Words, scope: Scope, *, grants: bool) -> None:
    if words.sees("INHERITED") or words.sees("CALLER"):
        raise NotImplementedError("inherited and caller grants")
    privileges = _privileges(words)
    target = _target(words, scope)
    role = _grantee(words, scope, grants)
    if privileges == ["OWNERSHIP"] and not target.is_future:
        _give_ownership(words, scope, target, role)
        return
    with_option = words.take("WITH", "GRANT", "OPTION")
    _change_privileges(scope, privileges, target, role, grants, with_option=with_option)


def _privileges(words: Words) -> list[str]:
    found: list[str] = []
    parts: list[str] = []
    while not words.take("ON"):
        if words.take(","):
            found.append(" ".join(parts))
            parts = []
        else:
            parts.append(words.next().text.upper())
    found.append(" ".join(parts))
    return [each.removesuffix(" PRIVILEGES") if each.startswith("ALL") else each for each in found]


def _target(words: Words, scope: Scope) -> _Target:
    if words.take("ACCOUNT"):
        return _Target("ACCOUNT", ("",))
    if scope_word := words.take_one("FUTURE", "ALL"):
        kind = next((kind for kind, plural in _PLURALS.items() if words.take(*plural.split())), None)
        if kind is None:
            raise words.error()
        words.expect("IN")
        container_kind = words.take_one("SCHEMA", "DATABASE")
        if container_kind is None:
            raise words.error()
        container = scope.full_name(container_kind, words.name())
        scope.require_existing(container_kind, container)
        if scope_word == "FUTURE":
            return _Target(kind, (container,), is_future=True)
        return _Target(kind, tuple(name for each, name in scope.relations(container) if each == kind))
    kind = words.take_one(*_KINDS)
    if kind is None:
        raise words.error()
    name = scope.full_name(kind, words.name())
    if kind == "TABLE" and scope.kind_of(name) == "VIEW":
        kind = "VIEW"  # Snowflake accepts TABLE for a view too.
    scope.require_existing(kind, name)
    return _Target(kind, (name,))


def _change_privileges(
    scope: Scope,
    privileges: Iterable[str],
    target: _Target,
    role: str,
    grants: bool,
    *,
    with_option: bool = False,
) -> None:
    for name in target.names:
        for privilege in privileges:
            _require_grantor(scope, target.granted_kind, name, privilege)
            expanded = _ALL.get(target.kind, ("ALL",)) if privilege == "ALL" else (privilege,)
            changed = {(each, target.granted_kind, name) for each in expanded}
            _update(scope, changed, role, grants, with_option=with_option)


def _update(
    scope: Scope, changed: set[tuple[str, str, str]], role: str, grants: bool, *, with_option: bool
) -> None:
    governance = scope.governance
    governance.grants = frozenset(
        each
        for each in governance.grants
        if not (each.role == role and (each.privilege, each.kind, each.name) in changed)
    )
    if grants:
        governance.grants |= {Grant(*each, role, with_option, scope.identity.role) for each in changed}


def _require_grantor(scope: Scope, kind: str, name: str, privilege: str = "") -> None:
    """Raise SnowflakeError unless the session may grant: it owns the object, or has MANAGE GRANTS.

    A privilege WITH GRANT OPTION may be granted too.
    """
    governance, roles = scope.governance, scope.roles
    if not governance.is_enforced or governance.has(roles, "MANAGE GRANTS", "ACCOUNT"):
        return
    with_option = any(
        each.grant_option and each.role in roles
        for each in governance.grants
        if (each.privilege, each.kind, each.name) == (privilege, kind, name)
    )
    is_object = kind not in ("ACCOUNT", "DATABASE ROLE", "APPLICATION ROLE")
    owns = is_object and governance.owner(kind, name) in roles and name not in SYSTEM_ROLES
    if not (with_option or owns):
        raise insufficient_privileges(kind, name)


def _give_ownership(words: Words, scope: Scope, target: _Target, role: str) -> None:
    """Transfer ownership. Grants that others have must be copied or revoked.

    https://docs.snowflake.com/en/sql-reference/sql/grant-ownership
    """
    governance = scope.governance
    choice = words.take_one("COPY CURRENT GRANTS", "REVOKE CURRENT GRANTS")
    for name in target.names:
        _require_grantor(scope, target.kind, name)
        outbound = {each for each in governance.grants if (each.kind, each.name) == (target.kind, name)}
        if outbound and choice is None and target.kind not in ("ROLE", "USER"):
            raise SnowflakeError(
                3036, "42501", f"SQL execution error: Dependent grant of privilege on {target.kind} {name} "
                "exists. It must be revoked first, or use the option COPY CURRENT GRANTS."
            )  # fmt: skip
        if choice == "REVOKE CURRENT GRANTS":
            governance.grants -= outbound
        governance.set_owner(target.kind, name, role)
