"""The Cortex Search service: which statements a run sends, and what it would index.

No server but Snowflake has such services, so that the statements are recorded and answered here. The query
that the service would index is run on the local warehouse.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import sqlglot
from snowflake.connector.errors import ProgrammingError
from sqlglot import exp

from gong_assets.defs.assets.cortex_search import build_search_service
from gong_assets.defs.build import build_defs
from gong_assets.provisioning.objects import Layer
from gong_assets.settings import Settings
from gong_assets.warehouse.connection import Warehouse
from gong_assets.warehouse.cortex_search import (
    ATTRIBUTES,
    NAME,
    SearchService,
    apply,
    existing,
    newest_embedding_model,
    source_size,
)
from gong_assets.warehouse.embedding_models import embedding_models
from gong_assets_tests.defs.recorded_account import (
    AccountResource,
    Answer,
    RecordedAccount,
    account_settings,
)
from gong_assets_tests.snowflake_sql import functions, violations

pytestmark = pytest.mark.extended

STAGED = SearchService(warehouse="SEARCH_WH", embedding_model="e5-base-v2", redacted=False)
REDACTED = SearchService(warehouse="SEARCH_WH", embedding_model="e5-base-v2", redacted=True)


class Account(RecordedAccount):
    """A Snowflake account with search services: records statements, and the comment of the service."""

    def __init__(self, *, model: str | None = "e5-base-v2", others: tuple[str, ...] = ()) -> None:
        super().__init__()
        self.model = model
        self.services = dict.fromkeys(others, "Another one")

    def answer(self, sql: str) -> Answer:
        if sql.startswith("SHOW"):
            columns = ["created_on", "name", "comment", "indexing_state", "indexing_error"]
            return columns, [(0, name, said, "RUNNING", None) for name, said in self.services.items()]
        if sql.startswith("SELECT EMBEDDING_MODEL"):
            return ["EMBEDDING_MODEL"], [(self.model,)] if self.model else []
        if sql.startswith("SELECT COUNT(*)"):
            return ["ROW_COUNT", "BYTES"], [(10_000_000, 40_000_000_000)]
        if sql.startswith("CREATE"):
            # As Snowflake does: a comment ends at a quote, and an existing name is refused unless it is
            # replaced.
            if NAME in self.services and "OR REPLACE" not in sql:
                raise ProgrammingError(f"Object '{NAME}' already exists.", errno=2002)
            self.services[NAME] = sql.split("COMMENT = '")[1].split("'")[0]
        return ["status"], [("done",)]


def settings(home: Path, **values: Any) -> Settings:
    return account_settings(home, **{"gong_cortex_search": True, **values})


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Account:
    account = Account()
    monkeypatch.setattr(AccountResource, "account", account)
    return account


Run = Callable[..., dict[str, Any]]


@pytest.fixture
def run(account: Account, tmp_path: Path) -> Run:
    """Materializes the asset, and gives its metadata."""

    def materialize(**values: Any) -> dict[str, Any]:
        result = dg.materialize(
            build_search_service(settings(tmp_path, **values)),
            resources={"gong_snowflake": AccountResource()},
        )
        (event,) = result.get_asset_materialization_events()
        return {name: entry.value for name, entry in event.materialization.metadata.items()}

    return materialize


def test_the_first_run_creates_the_service_and_says_what_it_costs(run: Run, account: Account) -> None:
    metadata = run()
    assert metadata["service"] == "created"
    assert metadata["dagster/row_count"] == 10_000_000
    assert metadata["indexed_gigabytes"] == 40
    assert "252.00 credits a month" in metadata["standing_cost"]
    assert STAGED.definition in metadata["definition"]
    assert metadata["indexing_state"] == "RUNNING"
    assert "indexing_error" not in metadata
    assert account.told("CREATE") == [f"CREATE CORTEX SEARCH SERVICE {STAGED.definition}"]


def test_the_next_run_leaves_it_as_it_is(run: Run, account: Account) -> None:
    run()
    assert run()["service"] == "kept"
    assert len(account.told("CREATE")) == 1


def test_the_owner_of_its_tables_makes_it_and_grants_it_to_agents(run: Run, account: Account) -> None:
    run(gong_agent_objects=True)
    assert account.told("GRANT") == []

    run(gong_agent_objects=True, gong_provisioned=True)
    run(gong_agent_objects=True, gong_provisioned=True, gong_provision_agents_see_personal_data=False)
    service = "CORTEX SEARCH SERVICE SOPHIA_AI.GONG_DATA.GONG_CALL_SEARCH"
    assert account.told("GRANT") == [f"GRANT USAGE ON {service} TO ROLE GONG_ASSETS_AGENT"]
    assert set(account.layers) == {Layer.TRANSFORMER}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"gong_redact_transcripts": True}, "redacted.REDACTED_TEXT"),
        ({"snowflake_warehouse": "OTHER_WH"}, "OTHER_WH"),
    ],
    ids=["redaction", "warehouse"],
)
def test_a_changed_setting_replaces_it_once(
    run: Run, account: Account, change: dict[str, Any], says: str
) -> None:
    run()
    assert run(**change)["service"] == "replaced"
    assert run(**change)["service"] == "kept"
    (_, replaced) = account.told("CREATE")
    assert replaced.startswith(f"CREATE OR REPLACE CORTEX SEARCH SERVICE {NAME}\n")
    assert says in replaced


def test_another_embedding_model_replaces_it(run: Run, account: Account) -> None:
    run()
    account.model = "snowflake-arctic-embed-m-v1.5"
    metadata = run()
    assert (metadata["service"], metadata["embedding_model"]) == ("replaced", "snowflake-arctic-embed-m-v1.5")


def test_a_service_that_somebody_else_made_under_this_name_is_replaced_and_others_are_not(
    run: Run, account: Account
) -> None:
    account.services = {"GONG1CALL2SEARCH": "Another one"}  # LIKE takes `_` for any character.
    assert run()["service"] == "created"
    account.services[NAME] = ""
    assert run()["service"] == "replaced"
    assert account.services["GONG1CALL2SEARCH"] == "Another one"


def test_change_tracking_is_set_before_the_service_is_made_and_again_each_time(
    run: Run, account: Account
) -> None:
    run()
    tracked = [n for n, sql in enumerate(account.statements) if "SET CHANGE_TRACKING = TRUE" in sql]
    created = account.statements.index(account.told("CREATE")[0])
    assert len(tracked) == len(STAGED.tables)
    assert max(tracked) < created
    run(gong_redact_transcripts=True)
    altered = {sql.split()[2] for sql in account.told("ALTER TABLE")}
    assert altered == {
        "CORTEX_GONG_CALL_TRANSCRIPTS",
        "STG_GONG_CALL_TRANSCRIPTS",
        "STG_GONG_CALLS",
        "STG_GONG_USERS",
        "STG_HUBSPOT_MERGED_RECORDS",
        "CORTEX_GONG_REDACTED_TRANSCRIPTS",
    }


def test_without_an_embedding_nothing_is_made_and_the_run_says_why(
    account: Account, run: Run, tmp_path: Path
) -> None:
    account.model = None
    with pytest.raises(dg.Failure, match="No segment has an embedding yet"):
        run()
    assert account.told("CREATE") == account.told("ALTER") == []


def test_what_snowflake_refuses_fails_the_run_in_one_line(account: Account, run: Run) -> None:
    account.refuses = "CREATE"
    with pytest.raises(dg.Failure, match="Insufficient privileges") as raised:
        run()
    assert raised.value.allow_retries is False


def test_a_service_that_the_role_cannot_see_is_an_error_and_is_not_replaced(account: Account) -> None:
    account.services = {NAME: "of another role's"}

    class Blind(Account):
        def answer(self, sql: str) -> tuple[list[str], list[tuple[Any, ...]]]:
            if sql.startswith("SHOW"):
                return ["name", "comment"], []
            return super().answer(sql)

    blind = Blind()
    blind.services = account.services
    assert existing(blind) is None
    with pytest.raises(ProgrammingError, match="already exists"):
        apply(blind, STAGED)
    assert blind.services == {NAME: "of another role's"}


def test_with_redaction_no_staged_text_is_in_the_definition() -> None:
    assert "staged.TRANSCRIPT_TEXT AS TRANSCRIPT_TEXT" in STAGED.definition
    assert "REDACTED" not in STAGED.definition
    assert "staged.TRANSCRIPT_TEXT" not in REDACTED.definition
    assert "redacted.REDACTED_TEXT AS TRANSCRIPT_TEXT" in REDACTED.definition
    assert "AND redacted.REDACTED_TEXT IS NOT NULL" in REDACTED.definition


def test_the_hash_is_of_all_that_makes_the_service() -> None:
    variants = [
        STAGED,
        REDACTED,
        SearchService("OTHER", "e5-base-v2", redacted=False),
        SearchService("SEARCH_WH", "nv-embed-qa-4", redacted=False),
    ]
    assert len({variant.hash for variant in variants}) == len(variants)
    assert STAGED.hash == SearchService("SEARCH_WH", "e5-base-v2", redacted=False).hash
    assert f"COMMENT = 'Made by gong_assets, definition {STAGED.hash}'" in STAGED.definition


@pytest.mark.parametrize(
    "model", sorted(name for name, model in embedding_models().items() if model.embeds_search_queries)
)
def test_a_model_of_cortex_search_embeds_questions_itself(model: str) -> None:
    definition = SearchService("WH", model, redacted=False).definition
    assert f"VECTOR INDEXES TRANSCRIPT_EMBEDDING (query_model = '{model}')\n" in definition


def test_models_are_those_of_the_file_in_the_settings(run: Run, account: Account, tmp_path: Path) -> None:
    file = tmp_path / "vars.yml"
    file.write_text(
        "embedding_models: {ours: {dimension: 768, max_tokens: 512, embeds_search_queries: true}}\n"
    )
    account.model = "ours"
    assert "(query_model = 'ours')" in run(gong_dbt_vars_file=file)["definition"]


def test_with_another_model_the_caller_embeds_the_question() -> None:
    assert "VECTOR INDEXES TRANSCRIPT_EMBEDDING\n" in STAGED.definition
    assert "(model" not in STAGED.definition, "the text would be embedded, and paid for, a second time"


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ("SEARCH_WH", "SEARCH_WH"),
        ('"search-wh"', '"search-wh"'),
        ("search-wh", '"search-wh"'),
        ("x TARGET_LAG = '1 day'", "\"x TARGET_LAG = '1 day'\""),
    ],
)
def test_a_warehouse_of_any_name_is_one_identifier(given: str, written: str) -> None:
    assert f"\nWAREHOUSE = {written}\n" in SearchService(given, "e5-base-v2", redacted=False).definition


def test_the_name_of_a_model_is_one_literal() -> None:
    source = SearchService("WH", "it's \\' or 1=1", redacted=False).source
    found = [
        literal.name
        for literal in sqlglot.parse_one(source, dialect="snowflake").find_all(exp.Literal)
        if literal.is_string
    ]
    assert found == ["opportunity_", "account_", "it's \\' or 1=1"]


@pytest.mark.parametrize("service", [STAGED, REDACTED], ids=["staged", "redacted"])
def test_the_source_is_one_that_snowflake_refreshes_incrementally(service: SearchService) -> None:
    tree = sqlglot.parse_one(service.source, dialect="snowflake")
    assert violations(service.source) == []
    changing = functions(service.source) - {"COALESCE"}
    assert changing == set(), "a function may be one that changes, as CURRENT_DATE"
    assert not list(tree.find_all(exp.Window, exp.Limit, exp.Order, exp.Group, exp.Distinct, exp.Subquery))
    joins = list(tree.find_all(exp.Join))
    assert {join.side or join.kind for join in joins} == {"INNER", "LEFT"}
    conditions = {type(join.args["on"]) for join in joins if join.side == "LEFT"}
    assert conditions == {exp.EQ}, "outer joins are refreshed incrementally only if they are by equality"
    tables = {table.name for table in tree.find_all(exp.Table)}
    assert tables == set(service.tables)
    assert not [table for table in tables if table.startswith("VW_")]


@pytest.mark.parametrize("service", [STAGED, REDACTED], ids=["staged", "redacted"])
def test_what_is_indexed_and_filtered_by_is_in_the_source(service: SearchService) -> None:
    columns = set(sqlglot.parse_one(service.source, dialect="snowflake").named_selects)
    assert {"TRANSCRIPT_ID", "TRANSCRIPT_TEXT", "TRANSCRIPT_EMBEDDING", *ATTRIBUTES} <= columns
    assert {"CALL_ID", "CALL_DATE", "SPEAKER_TYPE", "PRIMARY_USER_NAME", "HUBSPOT_DEAL_ID"} <= set(ATTRIBUTES)
    assert not columns & {"CALL_TITLE", "SPEAKER_NAME", "SPEAKER_EMAIL"}, "readable to all who may search"


def test_the_parts_of_the_definition_stand_in_the_documented_order() -> None:
    parts = [
        f"{NAME}\n",
        "TEXT INDEXES ",
        "VECTOR INDEXES ",
        "PRIMARY KEY (TRANSCRIPT_ID)",
        "ATTRIBUTES ",
        "WAREHOUSE = ",
        "TARGET_LAG = '1 hour'",
        "REFRESH_MODE = INCREMENTAL",
        "COMMENT = ",
        "AS\nSELECT",
    ]
    positions = [STAGED.definition.index(part) for part in parts]
    assert positions == sorted(positions)
    assert positions[0] == 0


_TABLES = """
CREATE TABLE CORTEX_GONG_CALL_TRANSCRIPTS (
    TRANSCRIPT_ID VARCHAR, CALL_ID VARCHAR, CALL_DATE DATE, CONTENT_HASH VARCHAR,
    TRANSCRIPT_EMBEDDING VECTOR(FLOAT, 768), EMBEDDING_MODEL VARCHAR, CORTEX_PROCESSED_AT TIMESTAMP_LTZ);
CREATE TABLE STG_GONG_CALL_TRANSCRIPTS (TRANSCRIPT_ID VARCHAR, TRANSCRIPT_TEXT VARCHAR, CONTENT_HASH VARCHAR,
    SPEAKER_TYPE VARCHAR, START_TIME_SECONDS FLOAT);
CREATE TABLE STG_GONG_CALLS (
    CALL_ID VARCHAR, IS_PRIVATE BOOLEAN, PRIMARY_USER_ID VARCHAR, PRIMARY_USER_NAME VARCHAR,
    HUBSPOT_DEAL_ID VARCHAR, HUBSPOT_COMPANY_ID VARCHAR);
CREATE TABLE STG_GONG_USERS (USER_ID VARCHAR, FULL_NAME VARCHAR);
CREATE TABLE STG_HUBSPOT_MERGED_RECORDS (MERGED_RECORD_ID VARCHAR, SURVIVOR_ID VARCHAR);
INSERT INTO STG_GONG_USERS VALUES ('u', 'Rep Now');
INSERT INTO STG_HUBSPOT_MERGED_RECORDS VALUES ('opportunity_d', 'd2'), ('account_d', 'wrong');
CREATE TABLE CORTEX_GONG_REDACTED_TRANSCRIPTS (
    TRANSCRIPT_ID VARCHAR, REDACTED_TEXT VARCHAR, CONTENT_HASH VARCHAR);
INSERT INTO STG_GONG_CALLS VALUES
    ('c', FALSE, 'u', 'Rep', 'd', 'o'), ('private', TRUE, 'u', 'Rep', NULL, NULL);
INSERT INTO STG_GONG_CALL_TRANSCRIPTS VALUES
    ('plain', 'Ann pays', 'h', 'External', 1), ('edited', 'Ann paid', 'new', 'External', 2),
    ('not embedded', 'Yes', 'h', 'External', 3), ('of another model', 'Ann?', 'h', 'External', 4),
    ('not redacted', 'Ann left', 'h', 'External', 5), ('of a private call', 'Ann hides', 'h', 'External', 6);
INSERT INTO CORTEX_GONG_CALL_TRANSCRIPTS
    SELECT column1, column2, '2026-03-01'::DATE, 'h', IFF(column3 IS NULL, NULL, AI_EMBED('e5-base-v2', 'x')),
        column3, column4::TIMESTAMP_LTZ
    FROM VALUES ('plain', 'c', 'e5-base-v2', '2026-03-02'), ('edited', 'c', 'e5-base-v2', '2026-03-02'),
        ('not embedded', 'c', NULL, '2026-03-09'), ('of another model', 'c', 'nv-embed-qa-4', '2026-03-01'),
        ('not redacted', 'c', 'e5-base-v2', '2026-03-02'),
        ('of a private call', 'private', 'e5-base-v2', '2026-03-02'),
        ('without a time', 'c', 'nv-embed-qa-4', NULL);
INSERT INTO CORTEX_GONG_REDACTED_TRANSCRIPTS VALUES
    ('plain', '[NAME] pays', 'h'), ('edited', '[NAME] paid', 'new'),
    ('not redacted', NULL, 'h'), ('of a private call', '[NAME] hides', 'h')
"""


@pytest.fixture
def tables(warehouse: Warehouse) -> Warehouse:
    with warehouse.connect() as connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE SCHEMA IF NOT EXISTS {warehouse.arguments['schema']}")
        cursor.execute(f"USE SCHEMA {warehouse.arguments['schema']}")
        for statement in _TABLES.split(";\n"):
            cursor.execute(statement)
    return warehouse


def test_what_is_embedded_as_it_is_now_and_not_private_is_indexed(tables: Warehouse) -> None:
    rows = tables.query(STAGED.source)
    assert {row["TRANSCRIPT_ID"]: row["TRANSCRIPT_TEXT"] for row in rows} == {
        "plain": "Ann pays",
        "not redacted": "Ann left",
    }
    names = ("PRIMARY_USER_NAME", "HUBSPOT_DEAL_ID", "HUBSPOT_COMPANY_ID")
    # The host was renamed, and the deal was merged.
    assert {tuple(row[name] for name in names) for row in rows} == {("Rep Now", "d2", "o")}


def test_with_redaction_only_redacted_texts_are_indexed(tables: Warehouse) -> None:
    rows = tables.query(REDACTED.source)
    assert [(row["TRANSCRIPT_ID"], row["TRANSCRIPT_TEXT"]) for row in rows] == [("plain", "[NAME] pays")]


def test_the_size_is_that_of_texts_and_vectors(tables: Warehouse) -> None:
    with tables.connect() as connection:
        assert newest_embedding_model(connection) == "e5-base-v2"
        texts = len("Ann pays") + len("Ann left")
        assert source_size(connection, STAGED) == (2, texts + 2 * 4 * 768)
        nothing = SearchService("WH", "multilingual-e5-large", redacted=False)
        assert source_size(connection, nothing) == (0, 0)


def test_it_is_no_asset_unless_the_setting_asks_for_it(tmp_path: Path) -> None:
    assert build_search_service(settings(tmp_path, gong_cortex_search=False)) == []


@pytest.mark.slow
@pytest.mark.xdist_group("definitions")
@pytest.mark.parametrize("redacted", [False, True], ids=["staged", "redacted"])
def test_the_graph_has_it_below_the_tables_that_it_reads(tmp_path: Path, redacted: bool) -> None:
    defs = build_defs(settings(tmp_path, gong_redact_transcripts=redacted))
    dg.Definitions.validate_loadable(defs)
    specs = {spec.key.to_user_string(): spec for spec in defs.resolve_all_asset_specs()}
    spec = specs["gong_call_search"]
    service = REDACTED if redacted else STAGED
    deps = {dep.asset_key.to_user_string() for dep in spec.deps}
    assert deps == {table.lower() for table in service.tables}
    assert deps <= specs.keys()
    assert (spec.group_name, spec.kinds, spec.automation_condition) == ("enriched", {"snowflake"}, None)
    assert "gong_call_search" in {
        key.to_user_string() for key in defs.resolve_job_def("gong_sync").asset_layer.executable_asset_keys
    }


@pytest.mark.slow
@pytest.mark.xdist_group("definitions")
def test_the_graph_has_no_search_service_by_default(tmp_path: Path) -> None:
    keys = {
        spec.key.to_user_string()
        for spec in build_defs(Settings(gong_assets_home=tmp_path)).resolve_all_asset_specs()
    }
    assert "vw_enriched_gong_calls" in keys
    assert "gong_call_search" not in keys
