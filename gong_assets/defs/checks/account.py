"""Check that the Snowflake account is still as `gong-assets provision` declares it."""

import dagster as dg

from gong_assets.defs.checks.results import HEALTH_ASSET, Finding, connection_of_check
from gong_assets.defs.options import DEFAULT_OPTIONS, GraphOptions
from gong_assets.defs.resources import SnowflakeResource
from gong_assets.provisioning.declaration import declare
from gong_assets.provisioning.drift import compare
from gong_assets.provisioning.objects import GRAPH_LAYERS, Layer
from gong_assets.provisioning.observe import Observer
from gong_assets.settings import Settings

NAME = "account_is_as_declared"


def build_account_check(
    settings: Settings, options: GraphOptions = DEFAULT_OPTIONS
) -> list[dg.AssetChecksDefinition]:
    """Return the check, which the job gong_standing_checks evaluates; none without GONG_PROVISIONED."""
    if not settings.gong_provisioned:
        return []

    @dg.asset_check(
        name=NAME,
        asset=options.asset_key(HEALTH_ASSET),
        description="The roles of the graph have the privileges that `gong-assets provision` declares and no "
        "others, no other role reads the schema, and the row access policies are attached. The user of the "
        "graph sees no other roles, users or warehouses: `gong-assets provision check` compares these.",
    )
    def account_is_as_declared(gong_snowflake: SnowflakeResource) -> dg.AssetCheckResult:
        account = declare(settings)
        roles = [account.roles[layer].name for layer in GRAPH_LAYERS]
        # The transformer owns the views, so it may list their policies.
        with connection_of_check(gong_snowflake, Layer.TRANSFORMER) as connection:
            found = compare(account, Observer(connection, account).visible_to_the_graph(roles))
        statements = "; ".join(statement for drift in found for statement in drift.statements)
        advice = f"Run as an administrator, or change the settings GONG_PROVISION_*: {statements}"
        finding = Finding(len(found), [str(drift) for drift in found], advice=advice)
        return finding.result(dg.AssetCheckKey(options.asset_key(HEALTH_ASSET), NAME))

    return [account_is_as_declared]
