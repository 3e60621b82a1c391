"""The session in which an account statement runs, and the result that it returns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from gong_assets.local.snowflake.errors import SnowflakeError
from gong_assets.local.snowflake.governance.state import Governance, Identity, does_not_exist

SUCCESS = "SELECT 'Statement executed successfully.' AS \"status\""


@dataclass(frozen=True)
class Scope:
    """A session as account statements see it.

    Attributes:
        kind_of: `TABLE` or `VIEW` for the full name of a relation, else None.
        relations: the (kind, full name) pairs of the relations of a database or schema.
        has_container: whether a database or schema of this full name exists.
    """

    governance: Governance
    identity: Identity
    database: str | None
    schema: str | None
    kind_of: Callable[[str], str | None]
    relations: Callable[[str], list[tuple[str, str]]]
    has_container: Callable[[str], bool]

    @property
    def roles(self) -> set[str]:
        return self.governance.active_roles(self.identity)

    def full_name(self, kind: str, parts: Sequence[str]) -> str:
        """Return the name of an object with its database and schema, if it has them."""
        if kind in ACCOUNT_KINDS:
            return parts[-1]
        qualified: list[str | None] = [*parts]
        if kind in ("SCHEMA", "DATABASE ROLE"):
            qualified = [self.database, *qualified][-2:]
        else:
            qualified = [self.database, self.schema, *qualified][-3:]
        if None in qualified:
            raise SnowflakeError(
                90105, "22000", "Cannot perform operation. This session does not have a current database."
            )
        return ".".join(map(str, qualified))

    def require_existing(self, kind: str, name: str) -> None:
        """Raise SnowflakeError unless there is an object of this kind and name."""
        if kind in ("DATABASE", "SCHEMA"):
            exists = self.has_container(name)
        elif kind in ("TABLE", "VIEW"):
            exists = self.kind_of(name) == kind
        elif kind == "ROLE":
            exists = name in self.governance.roles
        elif kind in KINDS_WITH_STATE:
            exists = name in self.governance.of_kind(kind)
        else:
            return
        if not exists:
            raise does_not_exist(kind, name)

    def require_owner(self, kind: str, name: str) -> None:
        self.governance.require(self.roles, "OWNERSHIP", kind, name)


# By the words of the statement. An object of the account has no qualifiers.
ACCOUNT_KINDS = (
    "ROLE", "USER", "WAREHOUSE", "DATABASE", "NETWORK POLICY", "RESOURCE MONITOR", "INTEGRATION",
    "STORAGE INTEGRATION", "SECURITY INTEGRATION", "API INTEGRATION", "NOTIFICATION INTEGRATION",
    "APPLICATION ROLE",
)  # fmt: skip
SCHEMA_KINDS = (
    "MASKING POLICY", "ROW ACCESS POLICY", "TAG", "AUTHENTICATION POLICY", "SESSION POLICY",
    "PASSWORD POLICY", "NETWORK RULE",
)  # fmt: skip
KINDS_WITH_STATE = (
    "USER", "WAREHOUSE", "NETWORK POLICY", "RESOURCE MONITOR", "MASKING POLICY", "ROW ACCESS POLICY", "TAG",
)  # fmt: skip


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return the query whose result has these rows."""
    listed = [", ".join(_literal(value) for value in row) for row in rows]
    if not listed:
        empty = ", ".join(f'NULL::VARCHAR AS "{name}"' for name in columns)
        return f"SELECT {empty} WHERE FALSE"
    selected = ", ".join(f'column{place} AS "{name}"' for place, name in enumerate(columns, 1))
    values = ", ".join(f"({row})" for row in listed)
    return f"SELECT {selected} FROM (VALUES {values})"


def _literal(value: object) -> str:
    if value is None:
        return "NULL"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    escaped = text.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"
