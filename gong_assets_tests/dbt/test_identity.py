"""Reps, companies and deals that changed, and keywords and sentences of any language, from landed calls."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from gong_assets.agents import (
    AgentError,
    NotFound,
    account_timeline,
    deals_at_risk,
    find_calls,
    find_records,
    similar_segments,
)
from gong_assets.ingestion.streams import RAW_TABLES
from gong_assets.warehouse.connection import Warehouse as Connection
from gong_assets.warehouse.cortex_search import SearchService
from gong_assets.warehouse.tables import create_raw_tables
from gong_assets_tests.dbt import identity_calls
from gong_assets_tests.dbt.conftest import DATABASE, SCHEMA, connected, project_of, served
from gong_assets_tests.dbt.warehouse import Warehouse

pytestmark = [pytest.mark.extended, pytest.mark.slow]

_DEALS = """create table hubspot_share.v2_daily.objects_deals as select column1 as objectid,
    column2 as property_dealname, 'sent' as property_dealstage, 'default' as property_pipeline,
    '2099-01-01'::timestamp_ntz as property_closedate, column3 as property_hs_merged_object_ids,
    '77' as property_hubspot_owner_id, '2026-11-01'::timestamp_ntz as updatedat from values """
_COMPANIES = """create table hubspot_share.v2_daily.objects_companies as select column1 as objectid,
    column2 as property_name, column3 as property_hs_merged_object_ids,
    '2026-11-01'::timestamp_ntz as updatedat from values """


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with served(tmp_path_factory.mktemp("identity")) as port, connected(port) as warehouse:
        create_raw_tables(warehouse.connection, RAW_TABLES)
        warehouse.land_calls(identity_calls.calls())
        warehouse.land_transcripts(identity_calls.transcripts())
        warehouse.land_users(identity_calls.users())
        warehouse.query("create database if not exists hubspot_share")
        warehouse.query("create schema if not exists hubspot_share.v2_daily")
        for statement, rows in ((_DEALS, identity_calls.DEALS), (_COMPANIES, identity_calls.COMPANIES)):
            warehouse.query(statement + ", ".join(str(row) for row in rows))
        warehouse.query(
            "create table hubspot_share.v2_daily.owners as select 77 as ownerid, "
            "'Fay@old-name.example' as email, 'F.' as firstname, 'Moved' as lastname"
        )
        warehouse.query("use schema sophia_ai.gong_data")
        project_of(tmp_path_factory.mktemp("dbt"), port).succeed("run")
        yield port


@pytest.fixture(scope="module")
def warehouse(port: int) -> Iterator[Warehouse]:
    with connected(port) as warehouse:
        yield warehouse


@pytest.fixture
def agent(port: int) -> Connection:
    sign_in = dict.fromkeys(("account", "user", "password"), "local")
    server = {"host": "127.0.0.1", "port": port, "protocol": "http"}
    return Connection({**sign_in, **server, "database": DATABASE, "schema": SCHEMA})


def calls_of(agent: Connection, **filters: Any) -> set[str]:
    return {each.call_id for each in find_calls(agent, **filters).calls}


@pytest.mark.parametrize(
    ("rep", "expected"),
    [
        ("moved", {"I-old-mail", "I-new-mail"}),
        ("fay@new-name.example", {"I-old-mail", "I-new-mail"}),
        ("FAY@old-name.example", {"I-old-mail", "I-new-mail"}),
        ("gia zorn", {"I-zorn", "I-abel"}),
        ("Gia Abel", {"I-zorn", "I-abel"}),
        ("gia.zorn@seller.example", {"I-zorn", "I-abel"}),
        ("Zoe After", {"I-gone1", "I-gone2"}),
        ("zoe.before@seller.example", {"I-gone1", "I-gone2"}),
        ("sam2@seller.example", {"I-same2"}),
    ],
)
def test_a_rep_is_found_by_every_name_and_address_of_all_times(
    agent: Connection, rep: str, expected: set[str]
) -> None:
    assert calls_of(agent, rep=rep) == expected
    found = similar_segments(agent, "too expensive", rep=rep).segments
    assert {each.call_id for each in found} == expected & {"I-old-mail", "I-new-mail", "I-zorn"}


def test_all_views_have_the_present_name(warehouse: Warehouse) -> None:
    for user_id, name, email in (
        ("renamed", "Gia Abel", "gia.abel@seller.example"),
        ("deleted", "Zoe After", "zoe@seller.example"),
        ("moved", "Fay Moved", "fay@new-name.example"),
    ):
        months = warehouse.query(
            "select distinct sales_rep, sales_rep_email from vw_sales_performance_analysis "
            "where primary_user_id = %s", (user_id,))  # fmt: skip
        assert months == [{"SALES_REP": name, "SALES_REP_EMAIL": email}]
        calls = warehouse.query(
            "select distinct primary_user_name, primary_user_email from vw_enriched_gong_calls "
            "where primary_user_id = %s", (user_id,))  # fmt: skip
        assert calls == [{"PRIMARY_USER_NAME": name, "PRIMARY_USER_EMAIL": email}]
    (spoken,) = warehouse.query(
        "select speaker_name, speaker_email from vw_enriched_gong_call_transcripts where call_id = 'I-zorn'"
    )
    assert spoken == {"SPEAKER_NAME": "Gia Abel", "SPEAKER_EMAIL": "gia.abel@seller.example"}


def test_two_reps_of_one_name_are_ambiguous(agent: Connection) -> None:
    for ask in (
        lambda: similar_segments(agent, "price", rep="sam same"),
        lambda: calls_of(agent, rep="Sam Same"),
    ):
        with pytest.raises(AgentError, match=r"several reps are named .*same1 .*same2 "):
            ask()
    found = find_records(agent, "Rep", "Sam Same").records
    assert [(each.record_id, each.match) for each in found] == [("same1", "name"), ("same2", "name")]


def test_an_owner_of_deals_is_found_by_the_address_of_today(agent: Connection) -> None:
    for owner in ("fay@new-name.example", "fay@old-name.example", "Fay Moved", "f moved"):
        assert {each.hubspot_deal_id for each in deals_at_risk(agent, owner=owner).deals} >= {"9032001"}
    with pytest.raises(NotFound, match=r"there is no owner Fay Mover; .*F\. Moved"):
        deals_at_risk(agent, owner="Fay Mover")


@pytest.mark.parametrize(
    ("deal", "call_id"),
    [("9023000", "I-merged"), ("9023001", "I-merged"), ("9023002", "I-merged"),
     ("9023003", "I-renamed-company"), ("9023005", "I-renamed-company"),
     ("9023004", "I-renamed-company")],
)  # fmt: skip
def test_a_deal_is_found_by_its_ids_from_before_a_merge(agent: Connection, deal: str, call_id: str) -> None:
    assert calls_of(agent, deal=deal) == {call_id}


@pytest.mark.parametrize(
    ("company", "company_id"),
    [("9023901", "9023902"), ("9023902", "9023902"), ("New name Ltd", "9023902"),
     ("9023903", "9023904"), ("9023905", "9023904"), ("O'Neill & Sohne GmbH", "9023904"),
     ("O’NEILL  &  SO\u0308HNE\u2009GmbH", "9023904")],
)  # fmt: skip
def test_a_company_is_found_by_its_ids_from_before_a_merge_and_by_its_name(
    agent: Connection, company: str, company_id: str
) -> None:
    assert account_timeline(agent, company).company_id == company_id
    assert len(calls_of(agent, company=company)) == 1


def test_the_indexed_ids_and_names_are_the_present_ones(warehouse: Warehouse) -> None:
    source = SearchService("wh", "e5-base-v2", redacted=False).source
    rows = {row["CALL_ID"]: row for row in warehouse.query(source)}
    assert (rows["I-merged"]["HUBSPOT_DEAL_ID"], rows["I-merged"]["HUBSPOT_COMPANY_ID"]) == (
        "9023002",
        "9023902",
    )
    assert rows["I-zorn"]["PRIMARY_USER_NAME"] == "Gia Abel"
    assert len(warehouse.query(source)) == len(rows) + 4  # the other turns of one call


def test_trackers_are_risks_by_words_that_customers_said(warehouse: Warehouse) -> None:
    risks = warehouse.query("select detail from vw_gong_call_risks where call_id = 'I-trackers' order by 1")
    assert [risk["DETAIL"] for risk in risks] == [
        "Churn (2)", "Objections (2)", "RISKS! (1)", "Wettbewerber (1)"]  # fmt: skip


def test_entries_of_one_tracker_add_up(warehouse: Warehouse) -> None:
    (topic,) = warehouse.query(
        "select topic_id, mention_count from stg_gong_call_topics where topic_name = 'Pricing'"
    )
    occurrences = warehouse.query(
        "select * from stg_gong_call_tracker_occurrences where topic_id = %s", (topic["TOPIC_ID"],)
    )
    assert (topic["MENTION_COUNT"], len(occurrences)) == (3, 3)


def test_two_recordings_of_one_meeting_are_one_call(warehouse: Warehouse) -> None:
    (deal,) = warehouse.query("select call_count from vw_deal_risk where hubspot_deal_id = '9049001'")
    (rep,) = warehouse.query(
        "select sum(total_calls) as calls, sum(sales_calls) as sales_calls "
        "from vw_sales_performance_analysis where primary_user_id = 'meets'"
    )
    assert deal["CALL_COUNT"] == 2
    # With the call in the past, and without the one with a wrong time.
    assert (rep["CALLS"], rep["SALES_CALLS"]) == (3, 3)


def test_a_call_in_the_future_does_not_hide_that_a_deal_is_stalled(warehouse: Warehouse) -> None:
    (deal,) = warehouse.query(
        "select risk_indicators, days_since_last_call, last_call_id from vw_deal_risk "
        "where hubspot_deal_id = '9032001'"
    )
    assert "Stalled" in json.loads(deal["RISK_INDICATORS"])
    assert (deal["DAYS_SINCE_LAST_CALL"], deal["LAST_CALL_ID"]) == (60, "I-past")


def test_a_call_in_the_future_is_in_no_month_and_in_no_list_of_calls(
    agent: Connection, warehouse: Warehouse
) -> None:
    (months,) = warehouse.query("select max(call_month) as month from vw_sales_performance_analysis "
        "where primary_user_id is not null")  # fmt: skip
    assert months["MONTH"] <= date.today()
    assert calls_of(agent, rep="meets") == {"I-past", "I-dropped", "I-back", "I-next"}
    assert "I-2062" not in calls_of(agent)


def test_sentences_without_blanks_are_embedded(warehouse: Warehouse) -> None:
    segments = warehouse.query(
        "select transcript_text, word_count, transcript_embedding is not null as is_embedded "
        "from vw_enriched_gong_call_transcripts where call_id = 'I-scripts' order by turn_index"
    )
    assert [row["IS_EMBEDDED"] for row in segments] == [True, True, True, True, True, False]
    assert min(row["WORD_COUNT"] for row in segments[:4]) >= 8
