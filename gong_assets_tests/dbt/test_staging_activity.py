"""Staged tables of the library and of user activity."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from gong_assets_tests.dbt.more_records import FOLDER
from gong_assets_tests.dbt.records import FULL, MONDAY, STRANGE, TUESDAY, WEDNESDAY
from gong_assets_tests.dbt.test_staging_more import said
from gong_assets_tests.dbt.warehouse import Tables

pytestmark = pytest.mark.xdist_group("dbt")


def test_a_library_call_has_a_row_for_each_snippet_and_for_the_whole_call(built: Tables) -> None:
    calls = [row for row in built["stg_gong_library_calls"].values() if row["CALL_ID"] == FULL]
    snippets = {
        row["LIBRARY_CALL_ID"]: (row["SNIPPET_FROM_SECONDS"], row["SNIPPET_TO_SECONDS"]) for row in calls
    }
    assert snippets == {
        f"{FOLDER}/{FULL}/10-30": (10, 30),
        f"{FOLDER}/{FULL}/0-5": (0, 5),
        f"{FOLDER}/{FULL}": (None, None),
    }
    for row in calls:
        assert said(row, "LIBRARY_CALL_ID", "SNIPPET_FROM_SECONDS", "SNIPPET_TO_SECONDS") == {
            "FOLDER_ID": FOLDER,
            "FOLDER_NAME": "Onboarding",
            "PARENT_FOLDER_ID": None,
            "FOLDER_CREATED_BY_USER_ID": "502",
            "FOLDER_UPDATED_AT_UTC": datetime(2026, 10, 31, 22, 30, 7),
            "CALL_ID": FULL,
            "CALL_TITLE": "Pricing",
            "CALL_URL": "https://app.gong.io/call?id=1",
            "NOTE": STRANGE,
            "ADDED_BY_USER_ID": "501",
            "ADDED_AT_UTC": datetime(2026, 11, 3, 18),
        }


def test_a_library_call_without_details_is_in_its_folder(built: Tables) -> None:
    known = {
        name: value
        for name, value in said(built["stg_gong_library_calls"]["8/1009"]).items()
        if value is not None
    }
    assert known == {
        "LIBRARY_CALL_ID": "8/1009",
        "FOLDER_ID": "8",
        "PARENT_FOLDER_ID": FOLDER,
        "CALL_ID": "1009",
    }


@pytest.mark.parametrize(
    ("day", "user_id", "email_address", "stats"),
    [
        (MONDAY, "501", "rita@seller.example", (125.0, 95.5, 6.2, 0.92, 14.0)),
        (TUESDAY, "501", "rita@seller.example", (60.5, None, None, 0.0, None)),
        (TUESDAY, "502", None, (None,) * 5),
        (WEDNESDAY, "502", None, (None,) * 5),
    ],
)
def test_each_interaction_statistic_is_a_column(
    built: Tables, day: date, user_id: str, email_address: str | None, stats: tuple[float | None, ...]
) -> None:
    names = (
        *("LONGEST_MONOLOGUE_SECONDS", "LONGEST_CUSTOMER_STORY_SECONDS", "INTERACTIVITY", "PATIENCE"),
        "QUESTION_RATE",
    )
    row = built["stg_gong_interaction_stats"][f"{day}/{user_id}"]
    assert said(row, "INTERACTION_STATS_ID") == {
        "STATS_DATE": day,
        "USER_ID": user_id,
        "EMAIL_ADDRESS": email_address,
        **dict(zip(names, stats, strict=True)),
    }


def test_each_list_of_calls_of_a_user_and_day_is_counted(built: Tables) -> None:
    assert said(built["stg_gong_user_activity"][f"{MONDAY}/501"], "USER_ACTIVITY_ID") == {
        "ACTIVITY_DATE": MONDAY,
        "USER_ID": "501",
        "EMAIL_ADDRESS": "rita@seller.example",
        "CALLS_AS_HOST_COUNT": 2,
        "CALLS_ATTENDED_COUNT": 1,
        "CALLS_GAVE_FEEDBACK_COUNT": 0,
        "CALLS_REQUESTED_FEEDBACK_COUNT": 0,
        "CALLS_RECEIVED_FEEDBACK_COUNT": 0,
        "OWN_CALLS_LISTENED_TO_COUNT": 3,
        "OTHERS_CALLS_LISTENED_TO_COUNT": 0,
        "CALLS_SHARED_INTERNALLY_COUNT": 0,
        "CALLS_SHARED_EXTERNALLY_COUNT": 1,
        "CALLS_SCORECARDS_FILLED_COUNT": 0,
        "CALLS_SCORECARDS_RECEIVED_COUNT": 1,
        "CALLS_COMMENTS_GIVEN_COUNT": 0,
        "CALLS_COMMENTS_RECEIVED_COUNT": None,
        "CALLS_MARKED_AS_FEEDBACK_GIVEN_COUNT": 0,
        "CALLS_MARKED_AS_FEEDBACK_RECEIVED_COUNT": None,
    }


def test_numbers_in_place_of_lists_are_used_as_counts(built: Tables) -> None:
    row = said(built["stg_gong_user_activity"][f"{TUESDAY}/501"])
    counts = {name: value for name, value in row.items() if name.endswith("_COUNT") and value is not None}
    assert counts == {"CALLS_AS_HOST_COUNT": 3, "CALLS_ATTENDED_COUNT": 4}


@pytest.mark.parametrize("day", [TUESDAY, WEDNESDAY])
def test_an_empty_day_of_a_user_is_a_row_without_counts(built: Tables, day: date) -> None:
    row = said(built["stg_gong_user_activity"][f"{day}/502"])
    counts = {value for name, value in row.items() if name.endswith("_COUNT")}
    assert (row["ACTIVITY_DATE"], row["USER_ID"], counts) == (day, "502", {None})
