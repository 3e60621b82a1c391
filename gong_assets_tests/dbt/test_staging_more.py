"""Staged tables of settings and scorecards."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest

from gong_assets.ingestion.streams import RAW_TABLES
from gong_assets.warehouse.tables import CALLS, TRANSCRIPTS
from gong_assets_tests.dbt.more_records import (
    AI_REVIEW,
    AI_SCORECARD,
    BROKEN,
    ENGLISH_TRACKER,
    NULL_REVIEW,
    NULL_SCORECARD,
    NULL_TRACKER,
    ODD_TRACKER,
    REVIEW,
    SCORECARD,
    UNANSWERED_REVIEW,
)
from gong_assets_tests.dbt.records import FULL, LONG_ID, NEAR_MIDNIGHT, TUESDAY, WEDNESDAY
from gong_assets_tests.dbt.warehouse import KEYS, Row, Tables, Warehouse, staging_model

pytestmark = pytest.mark.xdist_group("dbt")

TABLES = [
    *(staging_model(table) for table in RAW_TABLES if table not in (CALLS, TRANSCRIPTS)),
    *("stg_gong_tracker_keywords", "stg_gong_scorecard_questions", "stg_gong_scorecard_answers"),
]

LANDING = {"CONTENT_HASH", "INGESTED_AT"}


def said(row: Row, *keys: str) -> dict[str, Any]:
    """Return the values from Gong in a row, without keys and landing times."""
    return {name: value for name, value in row.items() if name not in LANDING and name not in keys}


def assert_has(row: Row, expected: dict[str, Any]) -> None:
    assert {name: row[name] for name in expected} == expected


def questions(built: Tables, scorecard: str) -> list[Row]:
    rows = built["stg_gong_scorecard_questions"].values()
    return sorted(
        (row for row in rows if row["SCORECARD_ID"] == scorecard), key=lambda row: int(row["QUESTION_INDEX"])
    )


def answers(built: Tables, review: str) -> list[Row]:
    rows = built["stg_gong_scorecard_answers"].values()
    return sorted(
        (row for row in rows if row["ANSWERED_SCORECARD_ID"] == review),
        key=lambda row: int(row["ANSWER_INDEX"]),
    )


@pytest.mark.parametrize("table", TABLES)
def test_an_invalid_record_is_not_staged(built: Tables, table: str) -> None:
    assert built[table]
    assert BROKEN not in repr(built[table])


@pytest.mark.parametrize("table", TABLES)
def test_the_key_is_the_tables_first_column(warehouse: Warehouse, built: Tables, table: str) -> None:
    assert next(iter(warehouse.query(f"select * from {table} limit 1")[0])) == KEYS[table]


def test_workspaces_are_staged(built: Tables) -> None:
    assert {key: said(row, "WORKSPACE_ID") for key, row in built["stg_gong_workspaces"].items()} == {
        "623457276584334": {"NAME": "Initial workspace", "DESCRIPTION": "Everybody"},
        "623457276584335": {"NAME": None, "DESCRIPTION": None},
    }


def test_a_tracker_is_staged_with_its_settings(built: Tables) -> None:
    tracker = built["stg_gong_trackers"][ENGLISH_TRACKER]
    assert json.loads(tracker["SAID_IN_TOPICS"]) == ["Pricing", "Legal"]
    assert json.loads(tracker["LANGUAGES"]) == ["eng", "fra"]
    assert said(tracker, "TRACKER_ID", "SAID_IN_TOPICS", "LANGUAGES") == {
        "TRACKER_NAME": "Competitors",
        "WORKSPACE_ID": "623457276584334",
        "AFFILIATION": "NonCompany",
        "SAID_AT": "First",
        "SAID_AT_INTERVAL": 10,
        "SAID_AT_UNIT": "Minutes",
        "IS_PART_OF_QUESTION": False,
        "FILTER_QUERY": '{"type":"And","filters":[]}',
        "KEYWORD_COUNT": 3,
        "CREATED_AT_UTC": datetime(2023, 2, 6, 17, 30, 7),
        "CREATOR_USER_ID": None,
        "UPDATED_AT_UTC": datetime(2026, 10, 31, 22, 30, 7, 816562),
        "UPDATER_USER_ID": "502",
    }


def test_the_keywords_of_a_tracker_have_a_row_for_each_language(built: Tables) -> None:
    columns = ("TRACKER_ID", "LANGUAGE", "KEYWORD", "INCLUDES_RELATED_FORMS")
    rows = [tuple(row[name] for name in columns) for row in built["stg_gong_tracker_keywords"].values()]
    assert sorted(rows, key=repr) == sorted(
        [
            (ENGLISH_TRACKER, "eng", "Acme", False),
            (ENGLISH_TRACKER, "eng", "Initech", False),
            (ENGLISH_TRACKER, "fra", "Acme", True),
            (ODD_TRACKER, "eng", "it's 100% fine", True),
            (ODD_TRACKER, "eng", "It's 100% fine", None),
            (ODD_TRACKER, None, "für", None),
        ],
        key=repr,
    )


def test_languages_without_keywords_and_numbers_as_texts_are_accepted(built: Tables) -> None:
    tracker = built["stg_gong_trackers"][ODD_TRACKER]
    assert json.loads(tracker["LANGUAGES"]) == ["spa", "eng"]
    assert_has(
        tracker,
        {
            "KEYWORD_COUNT": 3,
            "SAID_AT_INTERVAL": 25,
            "IS_PART_OF_QUESTION": True,
            "SAID_IN_TOPICS": None,
        },
    )


@pytest.mark.parametrize(
    ("table", "key", "count"),
    [
        ("stg_gong_trackers", NULL_TRACKER, "KEYWORD_COUNT"),
        ("stg_gong_scorecards", NULL_SCORECARD, "QUESTION_COUNT"),
        ("stg_gong_answered_scorecards", NULL_REVIEW, None),
    ],
)
def test_null_stays_null_and_only_counts_are_zero(
    built: Tables, table: str, key: str, count: str | None
) -> None:
    row = said(built[table][key], KEYS[table], "REVIEW_DATE")
    assert {name for name, value in row.items() if value is not None} == ({count} if count else set())
    if count:
        assert row[count] == 0


def test_a_scorecard_is_staged(built: Tables) -> None:
    assert said(built["stg_gong_scorecards"][SCORECARD], "SCORECARD_ID") == {
        "SCORECARD_NAME": "Discovery",
        "WORKSPACE_ID": "623457276584334",
        "IS_ENABLED": True,
        "REVIEW_METHOD": "MANUAL",
        "QUESTION_COUNT": 2,
        "CREATED_AT_UTC": datetime(2023, 2, 6, 17, 30, 7),
        "UPDATED_AT_UTC": datetime(2026, 11, 1, 9, 30, 7),
        "UPDATER_USER_ID": "502",
    }


def test_questions_have_ranges_from_texts_or_numbers(built: Tables) -> None:
    overall, methods = questions(built, SCORECARD)
    assert said(overall, "SCORECARD_ID") == {
        "SCORECARD_QUESTION_ID": f"{SCORECARD}_{LONG_ID}",
        "QUESTION_ID": LONG_ID,
        "QUESTION_REVISION_ID": f"{LONG_ID}1",
        "QUESTION_INDEX": 0,
        "QUESTION_TEXT": "Overall, how did it go?",
        "QUESTION_TYPE": "RANGE",
        "IS_OVERALL": True,
        "ANSWER_GUIDE": "5 is best",
        "MIN_RANGE": 1,
        "MAX_RANGE": 5,
        "ANSWER_OPTIONS": "[]",
        "CREATED_AT_UTC": datetime(2023, 2, 6, 17, 30, 7),
        "UPDATED_AT_UTC": datetime(2023, 2, 6, 18, 30, 7),
        "UPDATER_USER_ID": "502",
    }
    assert_has(methods, {"QUESTION_TEXT": "Which methods?", "MIN_RANGE": 1, "MAX_RANGE": 10})
    assert json.loads(methods["ANSWER_OPTIONS"]) == [
        {"id": 0, "text": "MEDDIC"},
        {"id": 1, "text": None},
        {"id": 2, "text": "SPIN"},
    ]


def test_questions_without_an_id_are_rows_and_an_invalid_range_is_null(built: Tables) -> None:
    columns = ("SCORECARD_QUESTION_ID", "QUESTION_ID", "IS_OVERALL", "MIN_RANGE", "MAX_RANGE")
    rows = questions(built, AI_SCORECARD)
    assert [tuple(row[name] for name in columns) for row in rows] == [
        (f"{AI_SCORECARD}_61", "61", True, None, None),
        (f"{AI_SCORECARD}_question1", None, None, None, None),
        (f"{AI_SCORECARD}_question2", None, None, None, None),
    ]
    assert built["stg_gong_scorecards"][AI_SCORECARD]["UPDATER_USER_ID"] == "-1"


def test_a_review_is_staged_with_its_utc_date(built: Tables) -> None:
    assert said(built["stg_gong_answered_scorecards"][REVIEW], "ANSWERED_SCORECARD_ID") == {
        "REVIEW_DATE": TUESDAY,
        "SCORECARD_ID": SCORECARD,
        "SCORECARD_NAME": "Discovery",
        "CALL_ID": FULL,
        "CALL_DATETIME_UTC": datetime(2026, 11, 2, 10, 0, 0, 123456),
        "REVIEW_METHOD": "MANUAL",
        "REVIEWED_AT_UTC": datetime(2026, 11, 3, 7, 30),
        "REVIEWED_USER_ID": "501",
        "REVIEWER_USER_ID": "502",
        "EDITOR_USER_ID": "503",
        "VISIBILITY": "PUBLIC",
        "OVERALL_SCORE": 4,
    }


def test_a_review_by_gongs_ai_has_no_reviewer_and_a_separate_range(built: Tables) -> None:
    assert_has(
        built["stg_gong_answered_scorecards"][AI_REVIEW],
        {
            "SCORECARD_ID": AI_SCORECARD,
            "CALL_ID": NEAR_MIDNIGHT,
            "REVIEW_METHOD": "AUTOMATIC",
            "REVIEWER_USER_ID": None,
            "OVERALL_SCORE": 37,
        },
    )


def test_answers_are_staged_with_scores_texts_and_options(built: Tables) -> None:
    methods, overall, third = answers(built, REVIEW)
    assert json.loads(methods["SELECTED_OPTION_IDS"]) == ["2", "0", "7"]
    assert json.loads(methods["SELECTED_OPTIONS"]) == ["SPIN", "MEDDIC"]
    assert said(methods, "ANSWERED_SCORECARD_ID", "SELECTED_OPTION_IDS", "SELECTED_OPTIONS") == {
        "SCORECARD_ANSWER_ID": f"{REVIEW}_52",
        "REVIEW_DATE": TUESDAY,
        "SCORECARD_ID": SCORECARD,
        "QUESTION_ID": "52",
        "QUESTION_REVISION_ID": "521",
        "ANSWER_INDEX": 0,
        "IS_OVERALL": False,
        "SCORE": None,
        "ANSWER_TEXT": "Both.",
        "IS_NOT_APPLICABLE": False,
    }
    answered = ("QUESTION_ID", "SCORE", "ANSWER_TEXT", "IS_NOT_APPLICABLE", "SELECTED_OPTIONS")
    assert [overall[name] for name in answered] == [LONG_ID, 4, None, False, None]
    assert [third[name] for name in answered] == ["53", None, None, True, None]


def test_answers_join_their_questions_unless_gong_deleted_them(warehouse: Warehouse, built: Tables) -> None:
    assert built
    joined = warehouse.query(
        "select answers.question_id, questions.question_text from stg_gong_scorecard_answers as answers "
        "inner join stg_gong_scorecard_questions as questions "
        "on answers.scorecard_id = questions.scorecard_id and answers.question_id = questions.question_id "
        "where answers.answered_scorecard_id = %s order by answers.answer_index",
        (REVIEW,),
    )
    assert [tuple(row.values()) for row in joined] == [
        ("52", "Which methods?"),
        (LONG_ID, "Overall, how did it go?"),
    ]


def test_a_review_without_answers_is_staged(built: Tables) -> None:
    for review in (UNANSWERED_REVIEW, NULL_REVIEW):
        assert answers(built, review) == []
        assert_has(
            built["stg_gong_answered_scorecards"][review],
            {"REVIEW_DATE": WEDNESDAY, "OVERALL_SCORE": None},
        )
