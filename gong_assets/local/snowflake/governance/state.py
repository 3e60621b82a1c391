"""The account's users, roles, grants, policies and tags, in one file of the data directory."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Collection, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from gong_assets.local.snowflake.errors import SnowflakeError

T = TypeVar("T")

# https://docs.snowflake.com/en/user-guide/security-access-control-overview#system-defined-roles
ACCOUNTADMIN, SECURITYADMIN, SYSADMIN, USERADMIN, PUBLIC = (
    "ACCOUNTADMIN", "SECURITYADMIN", "SYSADMIN", "USERADMIN", "PUBLIC",
)  # fmt: skip
SYSTEM_ROLES = (ACCOUNTADMIN, SECURITYADMIN, SYSADMIN, USERADMIN, PUBLIC)
_HIERARCHY = {ACCOUNTADMIN: (SYSADMIN, SECURITYADMIN), SECURITYADMIN: (USERADMIN,)}
_SYSTEM_PRIVILEGES = {
    (SYSADMIN, "CREATE DATABASE"), (SYSADMIN, "CREATE WAREHOUSE"),
    (USERADMIN, "CREATE USER"), (USERADMIN, "CREATE ROLE"),
    (SECURITYADMIN, "MANAGE GRANTS"), (SECURITYADMIN, "CREATE NETWORK POLICY"),
}  # fmt: skip
# Every account has them for everybody: https://docs.snowflake.com/en/user-guide/snowflake-cortex/aisql
_PUBLIC_PRIVILEGES = (
    ("USE AI FUNCTIONS", "ACCOUNT", ""),
    ("USAGE", "DATABASE ROLE", "SNOWFLAKE.CORTEX_USER"),
)

# The user who owns the server. It signs in with the server's password and has all system roles.
ADMINISTRATOR = "LOCAL"
# A warehouse that every user may use, as accounts have one from the start.
WAREHOUSE = "COMPUTE_WH"


@dataclass(frozen=True, order=True)
class Grant:
    """A privilege on an object, granted to a role. A plural kind is a future grant on a container."""

    privilege: str
    kind: str
    name: str
    role: str
    grant_option: bool = False
    granted_by: str = ""


@dataclass
class Attachments:
    """What is attached to a table or view.

    Attributes:
        masking: policy by column.
        row_access: the row access policy, and the columns that it is called with.
        tags: values by tag, by column; those of the whole table are under the empty column.
    """

    masking: dict[str, str] = field(default_factory=dict)
    row_access: tuple[str, list[str]] | None = None
    tags: dict[str, dict[str, str]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.masking or self.row_access or self.tags)


@dataclass(frozen=True)
class Identity:
    """The user and the active roles of a session."""

    user: str
    role: str
    uses_secondary_roles: bool = False


class Governance:
    """The state of the account. All changes are written to the file before their statement succeeds.

    Changes hold the lock. Statements of other sessions read meanwhile: they iterate over the grants, which
    are replaced as a whole, or over copies.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self.lock = threading.RLock()
        self.version = 0
        self._written = file.read_text("utf-8") if file.exists() else ""
        content = json.loads(self._written) if self._written else {}
        self.objects: dict[str, dict[str, dict[str, Any]]] = content.get("objects", {})
        self.grants = frozenset(Grant(**each) for each in content.get("grants", []))
        self.owners: dict[str, str] = content.get("owners", {})
        self.user_roles: dict[str, list[str]] = content.get("user_roles", {})
        self.tag_policies: dict[str, list[str]] = content.get("tag_policies", {})
        self.attachments = {
            name: Attachments(**each) for name, each in content.get("attachments", {}).items()
        }
        if not content:
            self.objects["WAREHOUSE"] = {WAREHOUSE: {"WAREHOUSE_SIZE": "XSMALL"}}
            self.grants |= {Grant("USAGE", "WAREHOUSE", WAREHOUSE, PUBLIC)}
            self.grants |= {Grant(*each, PUBLIC) for each in _PUBLIC_PRIVILEGES}

    def save(self) -> None:
        """Write the state to its file if it differs from what was written before."""
        self.version += 1
        content = {
            "objects": self.objects,
            "grants": [asdict(each) for each in sorted(self.grants)],
            "owners": self.owners,
            "user_roles": self.user_roles,
            "tag_policies": self.tag_policies,
            "attachments": {name: asdict(each) for name, each in self.attachments.items() if each},
        }
        text = json.dumps(content, indent=1, sort_keys=True)
        if text == self._written:
            return
        temporary = self._file.with_suffix(".new")
        with temporary.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self._file)
        self._written = text

    # ---------- users and roles

    @property
    def is_enforced(self) -> bool:
        """Whether privileges and sign-ins are enforced."""
        return bool(self.objects.get("USER"))

    def of_kind(self, kind: str) -> dict[str, dict[str, Any]]:
        return self.objects.setdefault(kind, {})

    @property
    def roles(self) -> list[str]:
        return [*SYSTEM_ROLES, *sorted(self.of_kind("ROLE"))]

    def roles_of_user(self, user: str) -> set[str]:
        """Return the roles that were granted to a user, with PUBLIC."""
        granted = set(SYSTEM_ROLES) if user == ADMINISTRATOR else set()
        return granted | set(self.user_roles.get(user, ())) | {PUBLIC}

    def all_user_roles(self) -> list[tuple[str, list[str]]]:
        """Return a copy of the roles that were granted to each user."""
        return sorted_items(self.user_roles)

    def with_inherited(self, roles: Iterable[str]) -> set[str]:
        """Return the roles, and those that were granted to them, directly or not."""
        found: set[str] = set()
        waiting = [*roles, PUBLIC]
        while waiting:
            role = waiting.pop()
            if role in found:
                continue
            found.add(role)
            waiting += _HIERARCHY.get(role, ())
            waiting += [each.name for each in self.grants if each.role == role and each.kind == "ROLE"]
        return found

    def active_roles(self, identity: Identity) -> set[str]:
        """Return the roles whose privileges a session has."""
        roles = {identity.role}
        if identity.uses_secondary_roles:
            roles |= self.roles_of_user(identity.user)
        return self.with_inherited(roles)

    def may_activate(self, identity: Identity, role: str) -> bool:
        """Return whether a user may use a role: it was granted to the user, or to a role of the user."""
        if not self.is_enforced:
            return True
        return role in self.with_inherited(self.roles_of_user(identity.user))

    # ---------- privileges

    def owner(self, kind: str, name: str) -> str:
        """Return the role that owns an object. One that is older than the first user is SYSADMIN's."""
        if kind in ("USER", "ROLE"):
            return self.owners.get(f"{kind} {name}", USERADMIN)
        return self.owners.get(f"{kind} {name}", SYSADMIN)

    def set_owner(self, kind: str, name: str, role: str) -> None:
        self.owners[f"{kind} {name}"] = role

    def privileges_on(self, roles: set[str], kind: str, name: str) -> set[str]:
        """Return the privileges that the roles have on an object together."""
        found = {
            each.privilege
            for each in self.grants
            if each.role in roles and each.kind == kind and each.name == name
        }
        if kind == "ACCOUNT":
            found |= {privilege for role, privilege in _SYSTEM_PRIVILEGES if role in roles}
            return found | ({"ALL"} if ACCOUNTADMIN in roles else set())
        if self.owner(kind, name) in roles:
            found.add("OWNERSHIP")
        database = name.partition(".")[0]
        if kind in ("DATABASE", "SCHEMA", "TABLE", "VIEW") and any(
            each.privilege == "IMPORTED PRIVILEGES" and each.name == database and each.role in roles
            for each in self.grants
        ):
            found |= {"USAGE", "SELECT"}
        return found

    def has(self, roles: set[str], privilege: str, kind: str, name: str = "") -> bool:
        """Return whether the roles have a privilege on an object, or own it."""
        held = self.privileges_on(roles, kind, name)
        return privilege in held or "OWNERSHIP" in held or "ALL" in held

    def require(self, roles: set[str], privilege: str, kind: str, name: str = "") -> None:
        """Raise SnowflakeError unless the roles have the privilege, or privileges are not enforced."""
        if self.is_enforced and not self.has(roles, privilege, kind, name):
            raise insufficient_privileges(kind, name)

    def add_object(self, kind: str, name: str, role: str) -> None:
        """Record who owns a new object, and apply the future grants of its schema and database."""
        self.set_owner(kind, name, role)
        schema = name.rpartition(".")[0]
        database = name.partition(".")[0]
        at_schema = [each for each in self.grants if (each.kind, each.name) == (f"{kind}S", schema)]
        # Those of the schema take precedence:
        # https://docs.snowflake.com/en/sql-reference/sql/grant-privilege#considerations
        at_database = [each for each in self.grants if (each.kind, each.name) == (f"{kind}S", database)]
        for each in at_schema or at_database:
            if each.privilege == "OWNERSHIP":
                self.set_owner(kind, name, each.role)
            else:
                self.grants |= {Grant(each.privilege, kind, name, each.role, each.grant_option, each.role)}

    def remove_object(self, kind: str, name: str) -> None:
        """Forget an object that was dropped, with its grants, policies and tags, and all within it."""
        inside = f"{name}."
        self.grants = frozenset(
            each
            for each in self.grants
            if not ((each.kind in (kind, f"{kind}S") and each.name == name) or each.name.startswith(inside))
            and not (kind == "ROLE" and each.role == name)
        )
        for key in [
            key for key in self.owners if key == f"{kind} {name}" or key.partition(" ")[2].startswith(inside)
        ]:
            del self.owners[key]
        for key in [key for key in self.attachments if key == name or key.startswith(inside)]:
            del self.attachments[key]

    def attached(self, name: str) -> Attachments:
        """Return the attachments of a table or view, to be changed."""
        return self.attachments.setdefault(name, Attachments())

    def masking_policy(self, table: str, column: str, data_types: Collection[str]) -> str | None:
        """Return the policy that masks a column: its own one, or that of a tag for its type.

        https://docs.snowflake.com/en/user-guide/tag-based-masking-policies: a policy on the column takes
        precedence, and a tag of a database, schema or table applies to the columns in it.

        Args:
            data_types: the types of Snowflake that the column may have; DuckDB stores some of them alike.
        """
        attached = self.attachments.get(table)
        if attached and column in attached.masking:
            return attached.masking[column]
        for tag in self.tags_of_column(table, column):
            for policy in self.tag_policies.get(tag, ()):
                if self.of_kind("MASKING POLICY")[policy]["type"] in data_types:
                    return policy
        return None

    def tags_of_column(self, table: str, column: str) -> dict[str, str]:
        """Return the values of the tags of a column, with those that it inherits."""
        database, schema, _ = table.split(".")
        found: dict[str, str] = {}
        for name, part in ((database, ""), (f"{database}.{schema}", ""), (table, ""), (table, column)):
            if name in self.attachments:
                found |= self.attachments[name].tags.get(part, {})
        return found

    @property
    def has_policies(self) -> bool:
        return any(list(self.attachments.values()))

    def policy_uses(self) -> Iterator[tuple[str, str, str, str]]:
        """Yield (policy, kind of policy, table or tag, column) for each attachment of a policy."""
        for table, attached in sorted_items(self.attachments):
            for column, policy in sorted_items(attached.masking):
                yield policy, "MASKING_POLICY", table, column
            if attached.row_access:
                yield attached.row_access[0], "ROW_ACCESS_POLICY", table, ""
        for tag, policies in sorted_items(self.tag_policies):
            for policy in policies:
                yield policy, "MASKING_POLICY", tag, ""


def sorted_items(changing: dict[str, T]) -> list[tuple[str, T]]:
    """Return the items of a dict that another session may change meanwhile.

    A copy is made at once. Each item is a new object, so that iterating over items can start a garbage
    collection, and with it another thread.
    """
    return sorted(changing.copy().items())


def insufficient_privileges(kind: str, name: str) -> SnowflakeError:
    on = f"{kind.lower()} '{name.rpartition('.')[2]}'" if name else "account"
    return SnowflakeError(
        3001, "42501", f"SQL access control error: Insufficient privileges to operate on {on}."
    )


def does_not_exist(kind: str, name: str) -> SnowflakeError:
    """Return the error of an object that does not exist, or that the role may not know of."""
    label = {"TABLE": "Object", "VIEW": "Object"}.get(kind, kind.capitalize())
    state = "42S02" if kind in ("TABLE", "VIEW") else "02000"
    return SnowflakeError(
        2003, state, f"SQL compilation error: {label} '{name}' does not exist or not authorized."
    )
