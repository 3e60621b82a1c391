"""The kinds of objects and grants that a declaration consists of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Layer(StrEnum):
    """The roles of a deployment. Each has the least privileges that its part of the system needs."""

    LOADER = "loader"
    TRANSFORMER = "transformer"
    ENRICHER = "enricher"
    ANALYST = "analyst"
    AGENT = "agent"
    ADMIN = "admin"


# The layers of the user of the graph.
GRAPH_LAYERS = (Layer.LOADER, Layer.TRANSFORMER, Layer.ENRICHER)


@dataclass(frozen=True)
class Role:
    layer: Layer
    name: str
    comment: str


@dataclass(frozen=True)
class Warehouse:
    name: str
    size: str
    statement_timeout: int
    comment: str


@dataclass(frozen=True)
class ServiceUser:
    """A user of TYPE = SERVICE, which signs in with a key pair. Its keys are in two slots, for rotation."""

    name: str
    default_role: str
    default_warehouse: str
    roles: tuple[str, ...]
    comment: str
    public_keys: tuple[str | None, str | None] = (None, None)


@dataclass(frozen=True, order=True)
class Grant:
    """A privilege of a role.

    Attributes:
        kind: kind of the object as in GRANT: `DATABASE`, `SCHEMA`, `VIEW`, `DATABASE ROLE`, `ACCOUNT`, ... A
            plural (`TABLES`) means all and future ones of a schema.
        name: full name of the object, or of the schema of a plural; empty for `ACCOUNT`.
        is_late: the object exists after the first run of the graph only.
    """

    role: str
    privilege: str
    kind: str
    name: str = ""
    is_late: bool = False

    @property
    def is_plural(self) -> bool:
        return self.kind in ("TABLES", "VIEWS")

    def statements(self) -> tuple[str, ...]:
        """Return the statements that grant the privilege; they can be repeated."""
        to = f"TO ROLE {self.role}"
        if self.kind in ("ROLE", "DATABASE ROLE"):
            return (f"GRANT {self.kind} {self.name} {to}",)
        if self.is_plural:
            scopes = ("ALL", "FUTURE")
            return tuple(
                f"GRANT {self.privilege} ON {scope} {self.kind} IN SCHEMA {self.name} {to}"
                for scope in scopes
            )
        return (f"GRANT {self.privilege} ON {self.kind} {self.name}".rstrip() + f" {to}",)


@dataclass(frozen=True)
class Policy:
    """A masking policy or a row access policy: the body of a condition over its arguments."""

    kind: str
    name: str
    arguments: str
    returns: str
    body: str
    comment: str


@dataclass(frozen=True)
class Account:
    """All objects that a deployment needs in a Snowflake account."""

    database: str
    schema: str
    roles: Mapping[Layer, Role]
    warehouses: tuple[Warehouse, ...]
    users: tuple[ServiceUser, ...]
    grants: tuple[Grant, ...]
    tag: str
    tag_values: tuple[str, ...]
    masking_policies: tuple[Policy, ...]
    row_access_policies: tuple[Policy, ...]
    owners_table: str
    resource_monitor: str | None
    credit_quota: int
    budget: str | None
    budget_credits: int | None
    network_policy: str | None
    allowed_ips: tuple[str, ...]
    authentication_policy: str
    share: str | None
    share_database: str
    change_tracked: tuple[str, ...] = field(default=())

    @property
    def place(self) -> str:
        return f"{self.database}.{self.schema}"
