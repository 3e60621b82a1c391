"""The assets of the objects for agents: which statements a run sends. No server but Snowflake has them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml
from snowflake.connector.errors import ProgrammingError

from gong_assets.defs.assets.agent_objects import build_agent_objects, build_agent_objects_schedule
from gong_assets.defs.build import build_defs
from gong_assets.defs.parts import Part
from gong_assets.provisioning.objects import Layer
from gong_assets.settings import Settings
from gong_assets.warehouse.agent_objects.declaration import declared_models
from gong_assets_tests.defs.recorded_account import (
    AccountResource,
    Answer,
    RecordedAccount,
    account_settings,
)

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("agent objects")]

ASSETS = ("gong_semantic_view", "gong_agent", "gong_mcp_server")
_NAME = re.compile(r"(SEMANTIC VIEW|AGENT|MCP SERVER)S? (?:LIKE '(\w+)'|[\w.]*?(\w+))(?:\s|\Z)")


class Account(RecordedAccount):
    """An account with such objects: their comments, and the specification of the MCP server."""

    def __init__(self) -> None:
        super().__init__()
        self.model: str | None = "snowflake-arctic-embed-m-v1.5"
        self.comments: dict[str, str | None] = {}
        self.server_spec = ""

    def answer(self, sql: str) -> Answer:
        if sql.startswith("SELECT EMBEDDING_MODEL"):
            return ["EMBEDDING_MODEL"], [(self.model,)] if self.model else []
        if sql.startswith("GRANT"):
            return ["status"], [("done",)]
        found = _NAME.search(sql)
        assert found, sql
        name = found[2] or found[3]
        if sql.startswith("SHOW"):
            pattern = name.replace("_", ".")
            shown = [each for each in self.comments.items() if re.fullmatch(pattern, each[0])]
            return ["created_on", "name", "comment"], [(0, *each) for each in shown]
        if sql.startswith("DESCRIBE"):
            return ["name", "server_spec"], [(name, self.server_spec)]
        return self._create(name, sql)

    def _create(self, name: str, sql: str) -> Answer:
        assert sql.startswith("CREATE"), sql
        if name in self.comments and "OR REPLACE" not in sql:
            raise ProgrammingError(f"Object '{name}' already exists.", errno=2002)
        if "MCP SERVER" in sql:
            # As in Snowflake's example of the answer: without titles and descriptions.
            (tool,) = yaml.safe_load(sql.split("$$")[1])["tools"]
            kept = {key: tool[key] for key in ("name", "identifier", "type")}
            self.server_spec = json.dumps({"version": 1, "tools": [kept]})
            self.comments[name] = None
        else:
            self.comments[name] = re.findall(r"\nCOMMENT = '([^']*)'", sql)[-1]
        return ["status"], [("done",)]


def settings(home: Path, **values: Any) -> Settings:
    return account_settings(home, **{"gong_agent_objects": True, **values})


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Account:
    account = Account()
    monkeypatch.setattr(AccountResource, "account", account)
    return account


Run = Callable[..., dict[str, dict[str, Any]]]


@pytest.fixture
def run(account: Account, manifest_file: Path, tmp_path: Path) -> Run:
    """Materializes the assets, and gives the metadata of each."""

    def materialize(**values: Any) -> dict[str, dict[str, Any]]:
        assets = build_agent_objects(settings(tmp_path, **values), manifest_file)
        result = dg.materialize(assets, resources={"gong_snowflake": AccountResource()})
        return {
            event.asset_key.to_user_string(): {
                name: entry.value for name, entry in event.materialization.metadata.items()
            }
            for event in result.get_asset_materialization_events()
            if event.asset_key
        }

    return materialize


def changes(metadata: dict[str, dict[str, Any]]) -> tuple[str, ...]:
    return tuple(metadata[name]["change"] for name in ASSETS)


def test_the_first_run_creates_them_in_order_and_the_next_one_keeps_them(run: Run, account: Account) -> None:
    assert changes(run()) == ("created",) * 3
    created = account.told("CREATE")
    assert [sql.split("\n")[0] for sql in created] == [
        "CREATE SEMANTIC VIEW SOPHIA_AI.GONG_DATA.GONG_SEMANTIC_VIEW",
        "CREATE AGENT SOPHIA_AI.GONG_DATA.GONG_AGENT",
        "CREATE MCP SERVER SOPHIA_AI.GONG_DATA.GONG_MCP_SERVER",
    ]

    assert changes(run()) == ("kept",) * 3
    assert account.told("CREATE") == created
    assert set(account.layers) == {Layer.ENRICHER}


def test_the_metadata_shows_the_definition(run: Run, account: Account) -> None:
    metadata = run()

    for name, sql in zip(ASSETS, account.told("CREATE"), strict=True):
        assert sql.partition("GONG_DATA")[2] in metadata[name]["definition"]


def test_what_a_setting_changes_is_replaced_once_and_keeps_its_grants(run: Run, account: Account) -> None:
    run()
    masked = {"gong_provision_agents_see_personal_data": False}

    assert changes(run(**masked)) == ("replaced", "replaced", "kept")
    replaced = account.told("CREATE OR REPLACE")
    assert len(replaced) == 2
    assert all("\nCOPY GRANTS" in sql for sql in replaced)
    assert changes(run(**masked)) == ("kept",) * 3


def test_an_mcp_server_with_other_tools_is_replaced(run: Run, account: Account) -> None:
    run()
    account.server_spec = account.server_spec.replace("GONG_AGENT", "OTHER_AGENT")
    assert changes(run()) == ("kept", "kept", "replaced")
    account.server_spec = json.dumps({"tools": []})
    assert changes(run()) == ("kept", "kept", "replaced")
    assert changes(run()) == ("kept",) * 3


def test_an_object_of_a_similar_name_is_left_alone(run: Run, account: Account) -> None:
    account.comments = {"GONG1AGENT": "Another one"}  # LIKE takes `_` for any character.

    assert changes(run()) == ("created",) * 3
    assert account.comments["GONG1AGENT"] == "Another one"


def test_each_run_grants_them_to_the_agents_of_a_provisioned_account(run: Run, account: Account) -> None:
    run()
    assert account.told("GRANT") == []

    place = "SOPHIA_AI.GONG_DATA"
    for _ in range(2):
        run(gong_provisioned=True)
    assert account.told("GRANT") == 2 * [
        f"GRANT SELECT ON SEMANTIC VIEW {place}.GONG_SEMANTIC_VIEW TO ROLE GONG_ASSETS_AGENT",
        f"GRANT REFERENCES ON SEMANTIC VIEW {place}.GONG_SEMANTIC_VIEW TO ROLE GONG_ASSETS_AGENT",
        f"GRANT USAGE ON AGENT {place}.GONG_AGENT TO ROLE GONG_ASSETS_AGENT",
        f"GRANT USAGE ON MCP SERVER {place}.GONG_MCP_SERVER TO ROLE GONG_ASSETS_AGENT",
    ]


@pytest.mark.parametrize(
    ("values", "model", "searches"),
    [
        ({}, "snowflake-arctic-embed-m-v1.5", False),
        ({"gong_cortex_search": True}, "snowflake-arctic-embed-m-v1.5", True),
        ({"gong_cortex_search": True}, "e5-base-v2", False),
        ({"gong_cortex_search": True}, None, False),
        (
            {"gong_cortex_search": True, "gong_provision_agents_see_personal_data": False},
            "snowflake-arctic-embed-m-v1.5",
            False,
        ),
    ],
    ids=["without the service", "with it", "a model that embeds no queries", "no embedding yet", "masked"],
)
def test_the_agent_searches_if_the_service_embeds_its_questions_and_agents_may_read_texts(
    run: Run, account: Account, values: dict[str, Any], model: str | None, searches: bool
) -> None:
    account.model = model

    assert run(**values)["gong_agent"]["searches"] is searches
    (agent,) = account.told("CREATE AGENT")
    assert ("cortex_search" in agent) is searches


def test_the_agent_reads_the_models_of_the_file_in_the_settings(
    run: Run, account: Account, tmp_path: Path
) -> None:
    file = tmp_path / "vars.yml"
    file.write_text(
        "embedding_models: {ours: {dimension: 768, max_tokens: 512, embeds_search_queries: true}}\n"
    )
    account.model = "ours"

    metadata = run(gong_cortex_search=True, gong_dbt_vars_file=file)
    assert metadata["gong_agent"]["searches"] is True


def test_what_snowflake_refuses_fails_the_run(run: Run, account: Account) -> None:
    account.refuses = "CREATE AGENT"
    with pytest.raises(dg.Failure, match="Insufficient privileges") as raised:
        run()
    assert raised.value.allow_retries is False
    assert set(account.comments) == {"GONG_SEMANTIC_VIEW"}


def test_they_are_no_assets_unless_the_setting_asks_for_them(tmp_path: Path, manifest_file: Path) -> None:
    assert build_agent_objects(settings(tmp_path, gong_agent_objects=False), manifest_file) == []


def test_the_graph_has_them_below_what_they_read(tmp_path: Path) -> None:
    defs = build_defs(settings(tmp_path, gong_cortex_search=True))
    dg.Definitions.validate_loadable(defs)
    specs = {spec.key.to_user_string(): spec for spec in defs.resolve_all_asset_specs()}

    deps = {name: {dep.asset_key.to_user_string() for dep in specs[name].deps} for name in ASSETS}
    assert deps == {
        "gong_semantic_view": {
            "vw_enriched_gong_calls",
            "vw_deal_risk",
            "vw_sales_performance_analysis",
            "vw_gong_call_risks",
        },
        "gong_agent": {"gong_semantic_view", "gong_call_search"},
        "gong_mcp_server": {"gong_agent"},
    }
    for name in ASSETS:
        assert deps[name] <= specs.keys()
        assert (specs[name].group_name, specs[name].automation_condition) == ("agents", None)
        assert "Snowflake only." in (specs[name].description or "")
    synced = defs.resolve_job_def("gong_sync").asset_layer.executable_asset_keys
    assert set(ASSETS) <= {key.to_user_string() for key in synced}


def test_a_daily_run_replaces_what_changed_once_the_views_are_built(tmp_path: Path) -> None:
    """The sensor of the transformation requests models only."""
    chosen = settings(tmp_path, gong_assets_schedules_enabled=True)
    part = build_agent_objects_schedule(chosen)
    (job,), (schedule,) = part.jobs, part.schedules
    assert (schedule.job_name, schedule.cron_schedule) == (job.name, "45 6 * * *")

    with dg.instance_for_test() as instance:

        def tick() -> Any:
            with dg.build_schedule_context(instance) as context:
                return schedule.evaluate_tick(context)

        assert (tick().run_requests, tick().skip_message) == ([], "vw_enriched_gong_calls is not built yet.")
        for model in declared_models(private_calls=False):
            instance.report_runless_asset_event(dg.AssetMaterialization(model.name))
        assert len(tick().run_requests or []) == 1

    assert build_agent_objects_schedule(settings(tmp_path, gong_agent_objects=False)) == Part()
