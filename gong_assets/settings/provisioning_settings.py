"""Settings of the roles, users and warehouses that `gong-assets provision` declares."""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_$]*")

WarehouseSize = Literal["XSMALL", "SMALL", "MEDIUM", "LARGE"]


class ProvisioningSettings(BaseSettings):
    """What `gong-assets provision` declares. The docstring of each field is its description."""

    model_config = SettingsConfigDict(use_attribute_docstrings=True)

    gong_provisioned: bool = False
    """Use what `gong-assets provision` declares: the graph runs ingestion, dbt and Cortex each with its role
    and warehouse, and attaches tags and policies to tables and views."""
    gong_provision_prefix: str = "GONG_ASSETS"
    """Start of the names of roles, users, warehouses and policies: `GONG_ASSETS_LOADER` and so on."""
    gong_provision_user: str | None = None
    """Service user of the graph. Defaults to SNOWFLAKE_USER, and without that to the prefix. Set it where an
    administrator's SNOWFLAKE_USER runs `gong-assets provision`."""
    gong_provision_warehouse: str | None = None
    """Warehouse of the graph. Defaults to SNOWFLAKE_WAREHOUSE, and without that to `<prefix>_WH`. Set it
    where SNOWFLAKE_WAREHOUSE is an administrator's warehouse."""
    gong_provision_separate_warehouses: bool = False
    """Give ingestion, dbt, Cortex and readers a warehouse each, instead of one for the graph and one for
    readers."""
    gong_provision_warehouse_size: WarehouseSize = "XSMALL"
    """Size of each warehouse: `XSMALL`, `SMALL`, `MEDIUM` or `LARGE`. AI functions gain nothing above
    `MEDIUM`."""
    gong_provision_statement_timeout: Annotated[int, Field(ge=60, le=604_800)] = 3600
    """Seconds after which a warehouse cancels a statement."""
    gong_provision_credit_quota: Annotated[int, Field(ge=0)] = 100
    """Credits that all warehouses together may spend in a month, before they are suspended. It does not cover
    Cortex. 0 declares no resource monitor."""
    gong_provision_budget_credits: Annotated[int | None, Field(ge=1)] = None
    """Credits in a month from which Snowflake notifies: a budget of the warehouses and of the AI functions
    that the service users call. Snowflake only. Without it no budget is declared."""
    gong_provision_allowed_ips: str | None = None
    """Addresses from which the service users may sign in, such as `203.0.113.7,198.51.100.0/24`. Without it
    they have no network policy, and Snowflake accepts no programmatic access token of theirs."""
    gong_provision_public_keys: Path | None = None
    """Directory with the public keys of the service users: `pipeline.pub` and `agents.pub`, and
    `pipeline_2.pub` and `agents_2.pub` for their second slot."""
    gong_provision_hubspot_share: str | None = None
    """HubSpot's share as `<provider account>.<share>`, from which HUBSPOT_DATABASE is created. Without it the
    database must exist."""
    gong_provision_agents_see_personal_data: bool = True
    """Whether the agents' role reads names, addresses, transcripts and summaries. Otherwise they are masked
    for agents, as they always are for analysts, and agents cannot search by meaning."""

    @field_validator("gong_provision_prefix", "gong_provision_user", "gong_provision_warehouse", mode="after")
    @classmethod
    def _valid_identifier(cls, name: str | None) -> str | None:
        if name is None:
            return None
        if not _IDENTIFIER.fullmatch(name):
            raise ValueError("must consist of letters, digits, _ and $, and start with a letter")
        return name.upper()

    @field_validator("gong_provision_allowed_ips", mode="after")
    @classmethod
    def _valid_addresses(cls, addresses: str | None) -> str | None:
        for address in (addresses or "").split(","):
            if address.strip():
                ipaddress.ip_network(address.strip(), strict=False)  # Raises a ValueError.
        return addresses

    @property
    def provision_allowed_ips(self) -> tuple[str, ...]:
        listed = (address.strip() for address in (self.gong_provision_allowed_ips or "").split(","))
        return tuple(address for address in listed if address)
