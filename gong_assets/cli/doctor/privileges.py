"""Check of the privileges that `gong-assets provision` grants to the roles of the graph."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from gong_assets.cli.doctor.results import CheckResult
from gong_assets.provisioning.declaration import declare
from gong_assets.provisioning.drift import missing_grants
from gong_assets.provisioning.objects import GRAPH_LAYERS
from gong_assets.provisioning.observe import Observer
from gong_assets.settings import Settings

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection


def check_provisioned_privileges(
    connection: SnowflakeConnection, settings: Settings
) -> Iterator[CheckResult]:
    """Name each privilege that a role of the graph lacks, with the statement that grants it."""
    if not settings.gong_provisioned:
        return
    account = declare(settings)
    roles = [account.roles[layer].name for layer in GRAPH_LAYERS]
    missing = list(missing_grants(account, Observer(connection, account).privileges(roles)))
    for drift in missing:
        statements = "; ".join(drift.statements)
        yield CheckResult("fail", "privileges", f"{drift.what}. Run as SECURITYADMIN: {statements};")
    if not missing:
        yield CheckResult("ok", "privileges", f"{', '.join(roles)} have all that are declared")
