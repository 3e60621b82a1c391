"""What a deployment needs in its Snowflake account. All names derive from the settings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from gong_assets.provisioning.objects import (
    GRAPH_LAYERS,
    Account,
    Grant,
    Layer,
    Policy,
    Role,
    ServiceUser,
    Warehouse,
)
from gong_assets.settings import Settings, SettingsError
from gong_assets.warehouse import cortex_search
from gong_assets.warehouse.agent_objects import agent, semantic_view
from gong_assets.warehouse.agent_objects.declaration import declared_models

# The relations that agents read: those of `gong_assets/agents`.
AGENT_VIEWS = (
    "VW_ACCOUNT_TIMELINE",
    "VW_COACHING_OPPORTUNITIES",
    "VW_DEAL_CALLS",
    "VW_DEAL_RISK",
    "VW_DIRECTORY",
    "VW_ENRICHED_GONG_CALLS",
    "VW_ENRICHED_GONG_CALL_TRANSCRIPTS",
    "VW_GONG_LANDINGS",
    "VW_SEARCHABLE_SEGMENTS",
)
ANALYST_VIEWS = (
    *AGENT_VIEWS,
    "VW_CALLS_WITHOUT_TRANSCRIPTS",
    "VW_CORTEX_COSTS",
    "VW_CORTEX_STATUS",
    "VW_GONG_CALL_RISKS",
    "VW_GONG_INGESTION_COMPLETENESS",
    "VW_GONG_INGESTION_STATUS",
    "VW_PIPELINE_HEALTH",
    "VW_SALES_PERFORMANCE_ANALYSIS",
)
# A search compares embeddings in the table that stores them. A Cortex Search service has its own index.
EMBEDDINGS = "CORTEX_GONG_CALL_TRANSCRIPTS"

TAG = "PERSONAL_DATA"
# Values of the tag, which dbt sets from `meta.personal_data` of a column.
TAG_VALUES = ("contact", "content")
MASKED_TYPES = ("VARCHAR", "VARIANT", "ARRAY")

_COMMENTS: Mapping[Layer, str] = {
    Layer.LOADER: "Reads Gong and writes the raw tables",
    Layer.TRANSFORMER: "Builds the tables and views of dbt",
    Layer.ENRICHER: "Sends texts to Cortex and keeps the answers",
    Layer.ANALYST: "Reads the views, with personal data masked",
    Layer.AGENT: "Reads the views of AI agents",
    Layer.ADMIN: "Has all other roles, and sees private calls and personal data",
}
_READERS = (Layer.ANALYST, Layer.AGENT)


def declare(settings: Settings) -> Account:
    """Return what the deployment of these settings needs.

    Raises:
        SettingsError: a file with a public key cannot be read.
    """
    prefix = settings.gong_provision_prefix
    database, schema = settings.place["database"].upper(), settings.place["schema"].upper()
    roles = {layer: Role(layer, f"{prefix}_{layer.name}", _COMMENTS[layer]) for layer in Layer}
    warehouses = _warehouses(settings)
    allowed_ips = settings.provision_allowed_ips
    return Account(
        database=database,
        schema=schema,
        roles=roles,
        warehouses=tuple(dict.fromkeys(warehouses.values())),
        users=_users(settings, roles, warehouses),
        grants=tuple(_grants(settings, f"{database}.{schema}", roles, warehouses)),
        tag=f"{database}.{schema}.{TAG}",
        tag_values=TAG_VALUES,
        masking_policies=tuple(_masking_policies(settings, f"{database}.{schema}", roles)),
        row_access_policies=tuple(_row_access_policies(f"{database}.{schema}", roles)),
        owners_table=f"{database}.{schema}.GONG_CALL_OWNERS",
        resource_monitor=f"{prefix}_MONITOR" if settings.gong_provision_credit_quota else None,
        credit_quota=settings.gong_provision_credit_quota,
        budget=f"{database}.{schema}.{prefix}_BUDGET" if settings.gong_provision_budget_credits else None,
        budget_credits=settings.gong_provision_budget_credits,
        network_policy=f"{prefix}_NETWORK" if allowed_ips else None,
        allowed_ips=allowed_ips,
        authentication_policy=f"{database}.{schema}.{prefix}_SIGN_IN",
        share=settings.gong_provision_hubspot_share,
        share_database=settings.hubspot_database.upper(),
        change_tracked=(f"{database}.{schema}.{EMBEDDINGS}",) if settings.gong_cortex_search else (),
    )


def layer_arguments(settings: Settings) -> dict[str, dict[str, str]]:
    """Return the role and the warehouse of each layer as the connector's arguments.

    Empty if the account is not provisioned (GONG_PROVISIONED).
    """
    if not settings.gong_provisioned:
        return {}
    prefix = settings.gong_provision_prefix
    return {
        layer.value: {"role": f"{prefix}_{layer.name}", "warehouse": warehouse.name}
        for layer, warehouse in _warehouses(settings).items()
    }


def agents_search(settings: Settings) -> bool:
    """Return True if agents may use the search service, whose texts no policy masks."""
    return settings.gong_cortex_search and settings.gong_provision_agents_see_personal_data


def grants_on(settings: Settings, kind: str) -> tuple[str, ...]:
    """Return the statements that grant the declared object of this kind, for its owner to run.

    Empty if the account is not provisioned (GONG_PROVISIONED).
    """
    if not settings.gong_provisioned:
        return ()
    grants = (grant for grant in declare(settings).grants if grant.kind == kind)
    return tuple(sql for grant in grants for sql in grant.statements())


def _warehouses(settings: Settings) -> Mapping[Layer, Warehouse]:
    """Return the warehouse of each role."""
    prefix = settings.gong_provision_prefix
    graph = (settings.gong_provision_warehouse or settings.snowflake_warehouse or f"{prefix}_WH").upper()
    readers = f"{prefix}_READERS_WH"

    def warehouse(name: str, comment: str) -> Warehouse:
        return Warehouse(
            name, settings.gong_provision_warehouse_size, settings.gong_provision_statement_timeout, comment
        )

    shared = warehouse(graph, "The graph: ingestion, dbt and Cortex")
    reading = warehouse(readers, "Analysts and agents")
    by_layer = {layer: reading if layer in _READERS else shared for layer in Layer}
    if settings.gong_provision_separate_warehouses:
        by_layer[Layer.LOADER] = warehouse(graph, "Ingestion")
        by_layer[Layer.ADMIN] = by_layer[Layer.LOADER]
        by_layer[Layer.TRANSFORMER] = warehouse(f"{prefix}_DBT_WH", "dbt")
        by_layer[Layer.ENRICHER] = warehouse(f"{prefix}_CORTEX_WH", "Cortex")
    return by_layer


def _users(
    settings: Settings, roles: Mapping[Layer, Role], warehouses: Mapping[Layer, Warehouse]
) -> tuple[ServiceUser, ...]:
    prefix = settings.gong_provision_prefix
    directory = settings.gong_provision_public_keys
    return (
        ServiceUser(
            _graph_user(settings),
            roles[Layer.LOADER].name,
            warehouses[Layer.LOADER].name,
            tuple(roles[layer].name for layer in GRAPH_LAYERS),
            "The graph of gong_assets",
            _public_keys(directory, "pipeline"),
        ),
        ServiceUser(
            f"{prefix}_AGENTS",
            roles[Layer.AGENT].name,
            warehouses[Layer.AGENT].name,
            (roles[Layer.AGENT].name,),
            "AI agents and the MCP server of gong_assets",
            _public_keys(directory, "agents"),
        ),
    )


def _graph_user(settings: Settings) -> str:
    user = settings.gong_provision_user or settings.snowflake_user or settings.gong_provision_prefix
    return user.upper()


def _public_keys(directory: Path | None, name: str) -> tuple[str | None, str | None]:
    """Return the keys of both slots, as Snowflake takes them: the body of the PEM on one line."""
    if directory is None:
        return None, None
    first, second = (_public_key(directory / f"{name}{suffix}.pub") for suffix in ("", "_2"))
    return first, second


def _public_key(file: Path) -> str | None:
    try:
        lines = file.expanduser().read_text().splitlines()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"GONG_PROVISION_PUBLIC_KEYS: {file} cannot be read ({error})") from None
    if any("PRIVATE KEY" in line for line in lines):
        raise SettingsError(f"GONG_PROVISION_PUBLIC_KEYS: {file} is a private key")
    return "".join(line.strip() for line in lines if not line.startswith("-----"))


def _grants(
    settings: Settings,
    place: str,
    roles: Mapping[Layer, Role],
    warehouses: Mapping[Layer, Warehouse],
) -> Iterator[Grant]:
    database = place.partition(".")[0]
    for layer in (*GRAPH_LAYERS, *_READERS):
        name = roles[layer].name
        yield Grant(name, "USAGE", "DATABASE", database)
        yield Grant(name, "USAGE", "SCHEMA", place)
        yield Grant(name, "USAGE", "WAREHOUSE", warehouses[layer].name)
        yield Grant(roles[Layer.ADMIN].name, "USAGE", "ROLE", name)
    yield Grant("SYSADMIN", "USAGE", "ROLE", roles[Layer.ADMIN].name)
    yield from _pipeline_grants(settings, place, roles)
    yield from _reader_grants(settings, place, roles)
    if settings.gong_agent_objects:
        yield from _agent_object_grants(settings, place, roles[Layer.AGENT].name)
    # Without Cortex Search, the text of a search is embedded with the reader's privileges.
    embedding = (Layer.AGENT,) if not settings.gong_cortex_search else ()
    for layer in (Layer.ENRICHER, *embedding):
        yield Grant(roles[layer].name, "USE AI FUNCTIONS", "ACCOUNT")
    serving = (Layer.TRANSFORMER,) if settings.gong_cortex_search else ()
    answering = (Layer.AGENT,) if settings.gong_agent_objects else ()
    for layer in dict.fromkeys((Layer.ENRICHER, *embedding, *serving, *answering)):
        yield Grant(roles[layer].name, "USAGE", "DATABASE ROLE", "SNOWFLAKE.CORTEX_USER")


def _pipeline_grants(settings: Settings, place: str, roles: Mapping[Layer, Role]) -> Iterator[Grant]:
    created = {
        Layer.LOADER: ("CREATE TABLE", "CREATE STAGE"),
        Layer.TRANSFORMER: ("CREATE TABLE", "CREATE VIEW"),
        Layer.ENRICHER: ("CREATE TABLE",),
    }
    if settings.gong_cortex_search:
        created[Layer.TRANSFORMER] += ("CREATE CORTEX SEARCH SERVICE",)
    if settings.gong_agent_objects:
        # Not the transformer: a masking policy shows unmasked values to objects that it owns.
        created[Layer.ENRICHER] += ("CREATE SEMANTIC VIEW", "CREATE AGENT", "CREATE MCP SERVER")
    for layer in GRAPH_LAYERS:
        name = roles[layer].name
        for privilege in created[layer]:
            yield Grant(name, privilege, "SCHEMA", place)
        # Checks of the graph compare all layers.
        yield Grant(name, "SELECT", "TABLES", place)
        yield Grant(name, "SELECT", "VIEWS", place)
    transformer = roles[Layer.TRANSFORMER].name
    yield Grant(transformer, "APPLY", "TAG", f"{place}.{TAG}")
    for policy in _row_access_policies(place, roles):
        yield Grant(transformer, "APPLY", "ROW ACCESS POLICY", policy.name)
    yield from _hubspot_grants(settings, place, transformer)
    loader = roles[Layer.LOADER].name
    # Retention and erasure reach the tables of all layers.
    yield Grant(loader, "DELETE", "TABLES", place)
    yield Grant(loader, "USAGE", "DATABASE ROLE", "SNOWFLAKE.USAGE_VIEWER")
    # For `gong-assets rotate-key`.
    yield Grant(loader, "MODIFY PROGRAMMATIC AUTHENTICATION METHODS", "USER", _graph_user(settings))


def _hubspot_grants(settings: Settings, place: str, role: str) -> Iterator[Grant]:
    database = settings.hubspot_database.upper()
    source = f"{database}.{settings.hubspot_schema}".upper()
    is_elsewhere = database != place.partition(".")[0]
    if settings.hubspot_shape == "share":
        if is_elsewhere:
            yield Grant(role, "IMPORTED PRIVILEGES", "DATABASE", database)
    elif source != place:
        if is_elsewhere:
            yield Grant(role, "USAGE", "DATABASE", database)
        yield Grant(role, "USAGE", "SCHEMA", source)
        yield Grant(role, "SELECT", "TABLES", source)


def _reader_grants(settings: Settings, place: str, roles: Mapping[Layer, Role]) -> Iterator[Grant]:
    for layer, views in ((Layer.AGENT, AGENT_VIEWS), (Layer.ANALYST, ANALYST_VIEWS)):
        for view in views:
            yield Grant(roles[layer].name, "SELECT", "VIEW", f"{place}.{view}", is_late=True)
    # A text can partly be reconstructed from its embedding.
    if not settings.gong_cortex_search and settings.gong_provision_agents_see_personal_data:
        yield Grant(roles[Layer.AGENT].name, "SELECT", "TABLE", f"{place}.{EMBEDDINGS}", is_late=True)


def _agent_object_grants(settings: Settings, place: str, role: str) -> Iterator[Grant]:
    for privilege, kind, name in (
        ("SELECT", "SEMANTIC VIEW", semantic_view.NAME),
        ("REFERENCES", "SEMANTIC VIEW", semantic_view.NAME),
        ("USAGE", "AGENT", agent.AGENT),
        ("USAGE", "MCP SERVER", agent.MCP_SERVER),
        *([("USAGE", "CORTEX SEARCH SERVICE", cortex_search.NAME)] if agents_search(settings) else []),
    ):
        yield Grant(role, privilege, kind, f"{place}.{name}", is_late=True)
    # Queries that Cortex Analyst writes may read the views themselves.
    for model in declared_models(private_calls=settings.gong_include_private_calls):
        if (view := model.name.upper()) not in AGENT_VIEWS:
            yield Grant(role, "SELECT", "VIEW", f"{place}.{view}", is_late=True)


def _in_session(roles: Mapping[Layer, Role], layers: tuple[Layer, ...]) -> str:
    return " OR ".join(f"IS_ROLE_IN_SESSION('{roles[layer].name}')" for layer in layers)


def _masking_policies(settings: Settings, place: str, roles: Mapping[Layer, Role]) -> Iterator[Policy]:
    """Yield a policy for each type of a masked column.

    A view of dbt reads unmasked values, because its owner is the transformer; its own columns are masked for
    who queries it. So a join on an address in a view does not join masked values.
    """
    seeing: tuple[Layer, ...] = (*GRAPH_LAYERS, Layer.ADMIN)
    if settings.gong_provision_agents_see_personal_data:
        seeing = (*seeing, Layer.AGENT)
    visible = f"{_in_session(roles, seeing)} OR INVOKER_ROLE() = '{roles[Layer.TRANSFORMER].name}'"
    for kind in MASKED_TYPES:
        masked = "'*****'" if kind == "VARCHAR" else "NULL"
        yield Policy(
            "MASKING POLICY",
            f"{place}.MASK_{TAG}_{kind}",
            f"VAL {kind}",
            kind,
            f"CASE WHEN {visible} THEN VAL ELSE {masked} END",
            f"Masks columns of type {kind} with the tag {TAG}",
        )


def _row_access_policies(place: str, roles: Mapping[Layer, Role]) -> Iterator[Policy]:
    visible = f"NOT COALESCE(IS_PRIVATE, FALSE) OR {_in_session(roles, (*GRAPH_LAYERS, Layer.ADMIN))}"
    yield Policy(
        "ROW ACCESS POLICY",
        f"{place}.PRIVATE_CALLS",
        "IS_PRIVATE BOOLEAN, OWNER_ID VARCHAR",
        "BOOLEAN",
        f"{visible} OR EXISTS (SELECT 1 FROM {place}.GONG_CALL_OWNERS AS OWNERS "
        "WHERE OWNERS.GONG_USER_ID = OWNER_ID AND OWNERS.SNOWFLAKE_USER = CURRENT_USER())",
        "Private calls are visible to their owner and to administrators",
    )
    yield Policy(
        "ROW ACCESS POLICY",
        f"{place}.PRIVATE_ROWS",
        "IS_PRIVATE BOOLEAN",
        "BOOLEAN",
        visible,
        "Rows of private calls without an owner are visible to administrators",
    )
