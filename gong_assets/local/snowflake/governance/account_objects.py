"""CREATE, ALTER and DROP of users, roles, warehouses, tags and policies."""

from __future__ import annotations

import hashlib
import re
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

from gong_assets.local.snowflake.errors import SnowflakeError
from gong_assets.local.snowflake.governance.scope import ACCOUNT_KINDS, SCHEMA_KINDS, SUCCESS, Scope, table
from gong_assets.local.snowflake.governance.sign_in import public_key
from gong_assets.local.snowflake.governance.state import PUBLIC, SYSTEM_ROLES, does_not_exist
from gong_assets.local.snowflake.governance.words import Value, Words

_KINDS = sorted(
    (*(kind for kind in ACCOUNT_KINDS if kind != "DATABASE"), *SCHEMA_KINDS, "DATABASE ROLE"),
    key=len,
    reverse=True,
)
_POLICIES = ("MASKING POLICY", "ROW ACCESS POLICY")
_KEYS = ("RSA_PUBLIC_KEY", "RSA_PUBLIC_KEY_2")
# Who has it may change these keys and the access tokens of a user, and nothing else:
# https://docs.snowflake.com/en/user-guide/key-pair-auth, "Grant the privilege to assign a public key"
_AUTHENTICATION_METHODS = "MODIFY PROGRAMMATIC AUTHENTICATION METHODS"
_AUTHENTICATION_CHANGE = re.compile(
    r"(SET\s+RSA_PUBLIC_KEY(_2)?\s*=\s*'[^']*'|UNSET\s+RSA_PUBLIC_KEY(_2)?|"
    r"(ADD|ROTATE|REMOVE)\s+(PAT|PROGRAMMATIC\s+ACCESS\s+TOKEN)\s.*)",
    re.IGNORECASE | re.DOTALL,
)
# Types that a policy and a column may name differently.
_TYPES = {
    "STRING": "VARCHAR", "TEXT": "VARCHAR", "CHAR": "VARCHAR", "INT": "NUMBER", "INTEGER": "NUMBER",
    "BIGINT": "NUMBER", "DECIMAL": "NUMBER", "NUMERIC": "NUMBER", "DOUBLE": "FLOAT", "REAL": "FLOAT",
}  # fmt: skip


def type_name(text: str) -> str:
    """Return the name of a data type without its size, by which policies and columns are compared."""
    word = text.strip().upper().partition("(")[0].strip()
    return _TYPES.get(word, word)


def create(words: Words, scope: Scope) -> str | None:
    """Run CREATE of an account object; None if the statement creates another object."""
    or_replace, or_alter = words.take("OR", "REPLACE"), words.take("OR", "ALTER")
    kind = words.take_one(*_KINDS)
    if kind is None:
        return None
    if_not_exists = words.take("IF", "NOT", "EXISTS")
    name = scope.full_name(kind, words.name())
    governance, existing = scope.governance, scope.governance.of_kind(kind)
    if name in existing or (kind == "ROLE" and name in SYSTEM_ROLES):
        if if_not_exists:
            return SUCCESS
        if not (or_replace or or_alter):
            raise SnowflakeError(2002, "42710", f"SQL compilation error: Object '{name}' already exists.")
        scope.require_owner(kind, name)
    else:
        _require_create(scope, kind, name)
    with governance.lock:
        definition = _definition(kind, words)
        if kind in _POLICIES and or_replace and any(each[0] == name for each in governance.policy_uses()):
            raise SnowflakeError(
                3736, "23001", f"Policy '{name}' cannot be dropped/replaced as it is associated with one or "
                "more entities."
            )  # fmt: skip
        is_new, was_enforced = name not in existing, governance.is_enforced
        existing[name] = {**(existing.get(name, {}) if or_alter and kind == "USER" else {}), **definition}
        # Before the first user the role of a session is a mere name, and PUBLIC by default.
        if is_new and (was_enforced or scope.identity.role != PUBLIC):
            governance.set_owner(kind, name, scope.identity.role)
        governance.save()
    return SUCCESS


def _require_create(scope: Scope, kind: str, name: str) -> None:
    if kind in ACCOUNT_KINDS:
        scope.governance.require(scope.roles, f"CREATE {kind}", "ACCOUNT")
        return
    schema = name.rpartition(".")[0]
    container = "DATABASE" if kind == "DATABASE ROLE" else "SCHEMA"
    scope.require_existing(container, schema)
    scope.governance.require(scope.roles, f"CREATE {kind}", container, schema)


def _definition(kind: str, words: Words) -> dict[str, Any]:
    if kind in _POLICIES:
        return _policy(words)
    if kind == "TAG":
        allowed: list[str] = []
        if words.take("ALLOWED_VALUES"):
            allowed.append(words.next().text)
            while words.take(","):
                allowed.append(words.next().text)
        return {"allowed_values": allowed, **words.properties()}
    properties = words.properties()
    return _user_properties(properties) if kind == "USER" else dict(properties)


def _policy(words: Words) -> dict[str, Any]:
    words.expect("AS")
    words.expect("(")
    arguments = []
    while not words.take(")"):
        name, kind = words.identifier(), words.next().text.upper()
        if words.take("("):
            while not words.take(")"):
                words.next()
        arguments.append([name, type_name(kind)])
        words.take(",")
    words.expect("RETURNS")
    returns = type_name(words.next().text)
    words.expect("->")
    body = words.text_until("COMMENT", "=")
    return {"arguments": arguments, "type": arguments[0][1], "returns": returns, "body": body}


def _user_properties(properties: dict[str, Value]) -> dict[str, Any]:
    found: dict[str, Any] = dict(properties)
    if "PASSWORD" in found:
        found["PASSWORD"] = _hash(str(found["PASSWORD"]))
    for key in _KEYS:
        if key in found:
            public_key(str(found[key]))  # Raises SnowflakeError.
    return found


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def alter(words: Words, scope: Scope) -> str | None:
    """Run ALTER of an account object; None if the statement alters another object."""
    kind = words.take_one(*_KINDS)
    if kind is None:
        return None
    if_exists = words.take("IF", "EXISTS")
    name = scope.full_name(kind, words.name())
    found = scope.governance.of_kind(kind).get(name)
    if found is None:
        if if_exists:
            return SUCCESS
        raise does_not_exist(kind, name)
    with scope.governance.lock:
        if kind == "TAG" and (words.sees("SET", "MASKING") or words.sees("UNSET", "MASKING")):
            result = _alter_tag(words, scope, name)
        else:
            if not (kind == "USER" and _may_change_authentication(words, scope, name)):
                scope.require_owner(kind, name)
            result = _alter(words, kind, found)
        scope.governance.save()
    return result


def _may_change_authentication(words: Words, scope: Scope, user: str) -> bool:
    is_only_that = _AUTHENTICATION_CHANGE.fullmatch(words.text().strip().rstrip(";").rstrip()) is not None
    return is_only_that and scope.governance.has(scope.roles, _AUTHENTICATION_METHODS, "USER", user)


def _alter(words: Words, kind: str, found: dict[str, Any]) -> str:
    if kind in _POLICIES and words.take("SET", "BODY"):
        words.expect("->")
        found["body"] = words.text()
    elif kind == "USER" and (action := words.take_one("ADD", "ROTATE", "REMOVE")):
        return _token(words, action, found)
    elif kind == "USER" and words.take("SET", "AUTHENTICATION", "POLICY"):
        found["AUTHENTICATION_POLICY"] = ".".join(words.name())
    elif words.take("SET"):
        properties = words.properties()
        found |= _user_properties(properties) if kind == "USER" else properties
    elif words.take("UNSET"):
        while not words.at_end:
            found.pop(words.identifier(), None)
            words.take(",")
    return SUCCESS


def _token(words: Words, action: str, user: dict[str, Any]) -> str:
    """Run ADD, ROTATE or REMOVE of a programmatic access token.

    https://docs.snowflake.com/en/user-guide/programmatic-access-tokens
    """
    if not words.take("PAT"):
        words.expect("PROGRAMMATIC", "ACCESS", "TOKEN")
    name = words.identifier()
    tokens = user.setdefault("tokens", {})
    if action != "ADD" and name not in tokens:
        raise does_not_exist("PROGRAMMATIC ACCESS TOKEN", name)
    if action == "REMOVE":
        del tokens[name]
        return SUCCESS
    properties = words.properties()
    secret = secrets.token_urlsafe(48)
    now = datetime.now(UTC)
    token: dict[str, Any] = {
        "hash": _hash(secret),
        "expires": (now + timedelta(days=15)).isoformat(),
        "role": None,
    }
    if action == "ADD":
        days = int(str(properties.get("DAYS_TO_EXPIRY", 15)))
        role = properties.get("ROLE_RESTRICTION")
        token |= {"expires": (now + timedelta(days=days)).isoformat(), "role": role}
    else:
        hours = int(str(properties.get("EXPIRE_ROTATED_TOKEN_AFTER_HOURS", 24)))
        token["role"] = tokens[name]["role"]
        old = {**tokens[name], "expires": (now + timedelta(hours=hours)).isoformat()}
        tokens[f"{name}_ROTATED_{now:%Y%m%d%H%M%S%f}"] = old
    tokens[name] = token
    return table(("token_name", "token_secret"), [(name, secret)])


def _alter_tag(words: Words, scope: Scope, tag: str) -> str:
    """Set or unset masking policies of a tag.

    https://docs.snowflake.com/en/user-guide/tag-based-masking-policies: it needs APPLY MASKING POLICY on the
    account, or APPLY on the policy and ownership of the tag; a tag has one policy for each data type.
    """
    governance = scope.governance
    removes = words.next().text.upper() == "UNSET"
    policies = governance.tag_policies.setdefault(tag, [])
    forced = words.text().upper().rstrip("; ").endswith("FORCE")
    while words.take("MASKING", "POLICY"):
        policy = scope.full_name("MASKING POLICY", words.name())
        scope.require_existing("MASKING POLICY", policy)
        require_apply(scope, "MASKING POLICY", policy, ("TAG", tag))
        kind = governance.of_kind("MASKING POLICY")[policy]["type"]
        same = [p for p in policies if governance.of_kind("MASKING POLICY")[p]["type"] == kind]
        if same and not removes and not forced:
            raise SnowflakeError(
                3875, "23001", f"Tag {tag} already has a masking policy for data type {kind}."
            )
        for each in same:
            policies.remove(each)
        if not removes:
            policies.append(policy)
        words.take(",")
    return SUCCESS


def require_apply(scope: Scope, kind: str, policy: str, target: tuple[str, str]) -> None:
    """Raise SnowflakeError unless the session may attach the policy or tag to the target."""
    governance, roles = scope.governance, scope.roles
    if not governance.is_enforced or governance.has(roles, f"APPLY {kind}", "ACCOUNT"):
        return
    governance.require(roles, "APPLY", kind, policy)
    governance.require(roles, "OWNERSHIP", *target)


def drop(words: Words, scope: Scope) -> str | None:
    """Run DROP of an account object; None if the statement drops another object."""
    kind = words.take_one(*_KINDS)
    if kind is None:
        return None
    if_exists = words.take("IF", "EXISTS")
    name = scope.full_name(kind, words.name())
    governance = scope.governance
    if name not in governance.of_kind(kind):
        if if_exists:
            return SUCCESS
        raise does_not_exist(kind, name)
    scope.require_owner(kind, name)
    if any(name == policy for policy, *_ in governance.policy_uses()):
        raise SnowflakeError(
            3736, "23001", f"Policy '{name}' cannot be dropped/replaced as it is associated with one or more "
            "entities."
        )  # fmt: skip
    with governance.lock:
        del governance.of_kind(kind)[name]
        governance.remove_object(kind, name)
        governance.tag_policies.pop(name, None)
        if kind == "USER":
            governance.user_roles.pop(name, None)
        for roles in governance.user_roles.values():
            if kind == "ROLE" and name in roles:
                roles.remove(name)
        governance.save()
    return SUCCESS
