"""Reference data, reviews, statistics and the library, from Gong to the staged tables."""

from __future__ import annotations

import json
from datetime import date

import pytest

from gong_assets.ingestion.streams import SNAPSHOT_STREAMS
from gong_assets_tests.dbt.warehouse import staging_model
from gong_assets_tests.end_to_end import company
from gong_assets_tests.end_to_end.company_gong import company_gong
from gong_assets_tests.end_to_end.gong_records import Record
from gong_assets_tests.end_to_end.runs import Run

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("company")]


def filters_of_requests(run: Run, path: str) -> list[Record]:
    return [request.body["filter"] for request in run.requests if request.path == path]


def test_reviews_including_those_by_ai_land_on_their_utc_day(first_run: Run) -> None:
    reviews = first_run.tables.rows("STG_GONG_ANSWERED_SCORECARDS")
    assert {row["ANSWERED_SCORECARD_ID"] for row in reviews} == company.LANDED_REVIEWS
    days = {row["ANSWERED_SCORECARD_ID"]: row["REVIEW_DATE"] for row in reviews}
    # In the company's time zone it was the evening of February 28.
    assert days[company.FIRST_REVIEW] == date(2025, 3, 1)
    by_ai = first_run.tables.row("STG_GONG_ANSWERED_SCORECARDS", answered_scorecard_id=company.AI_REVIEW)
    assert (by_ai["REVIEWER_USER_ID"], by_ai["REVIEW_METHOD"], by_ai["OVERALL_SCORE"]) == (
        None,
        "AUTOMATIC",
        42,
    )


def test_requests_for_reviews_include_those_by_ai(first_run: Run) -> None:
    filters = filters_of_requests(first_run, "/v2/stats/activity/scorecards")
    assert filters
    assert {each["reviewMethod"] for each in filters} == {"BOTH"}


def test_statistics_are_requested_day_by_day_and_land_by_user_and_day(first_run: Run) -> None:
    days = {each["fromDate"] for each in filters_of_requests(first_run, "/v2/stats/interaction")}
    assert len(days) == 30
    stats = first_run.tables.row(
        "STG_GONG_INTERACTION_STATS", stats_date=company.STATS_DAY, user_id=company.REP_USER
    )
    assert (stats["LONGEST_MONOLOGUE_SECONDS"], stats["LONGEST_CUSTOMER_STORY_SECONDS"]) == (125, 95.5)
    crowd = first_run.tables.rows("STG_GONG_INTERACTION_STATS", stats_date=company.CROWDED_DAY)
    assert len(crowd) == company.CROWD + 1


def test_activity_lands_only_for_days_with_activity(first_run: Run) -> None:
    rows = first_run.tables.rows("STG_GONG_USER_ACTIVITY")
    assert {row["ACTIVITY_DATE"] for row in rows} == {company.STATS_DAY, company.CROWDED_DAY}
    host = first_run.tables.row(
        "STG_GONG_USER_ACTIVITY", activity_date=company.STATS_DAY, user_id=company.REP_USER
    )
    assert (host["CALLS_AS_HOST_COUNT"], host["CALLS_ATTENDED_COUNT"]) == (2, 0)


def test_reference_data_and_the_library_land_completely(first_run: Run) -> None:
    def column(table: str, name: str) -> list[str]:
        return [row[name] for row in first_run.tables.rows(table)]

    assert column("STG_GONG_WORKSPACES", "WORKSPACE_ID") == [company.WORKSPACE, company.OTHER_WORKSPACE]
    assert column("STG_GONG_TRACKERS", "TRACKER_ID") == [company.COMPETITORS, company.SECURITY]
    assert column("STG_GONG_SCORECARDS", "SCORECARD_ID") == [company.DISCOVERY, company.SPOTLIGHT]
    snippets = {
        (row["CALL_ID"], row["SNIPPET_FROM_SECONDS"])
        for row in first_run.tables.rows("STG_GONG_LIBRARY_CALLS")
    }
    assert snippets == {
        *((company.PRICING, begin) for begin, _ in company.SNIPPETS),
        (company.RENEWAL, None),
    }


@pytest.mark.parametrize("path", company_gong().lists)
def test_every_record_of_a_plain_list_lands_and_is_staged(first_run: Run, path: str) -> None:
    records = company_gong().lists[path]
    (table,) = (stream.table for stream in SNAPSHOT_STREAMS if stream.endpoint.path == path)
    landed = {row[table.key.name]: json.loads(row["RAW_DATA"]) for row in first_run.tables.rows(table.name)}
    assert sorted(landed.values(), key=repr) == sorted(records, key=repr)
    staged = first_run.tables.rows(staging_model(table).upper())
    assert {row[table.key.name] for row in staged} == landed.keys()
