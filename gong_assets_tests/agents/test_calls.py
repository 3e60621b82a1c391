"""Calls that `find_calls` lists, and the transcript that `read_transcript` returns."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import unquote

import pytest

from gong_assets.agents import InvalidArgument, NotFound, find_calls, read_transcript
from gong_assets.warehouse.connection import Warehouse
from gong_assets_tests.agents.tables import (
    account_event,
    call,
    company,
    create_views,
    deal,
    deal_call,
    rep,
    segment,
)


def started(call_id: str, moment: str, **values: Any) -> dict[str, Any]:
    return call(call_id, call_date=moment[:10], call_datetime_utc=moment, **values)


@pytest.fixture(scope="module")
def calls(module_warehouse: Warehouse) -> Warehouse:
    return create_calls(module_warehouse)


@pytest.fixture
def own_calls(warehouse: Warehouse) -> Warehouse:
    """The same calls, for a test that changes them."""
    return create_calls(warehouse)


def create_calls(warehouse: Warehouse) -> Warehouse:
    create_views(
        warehouse,
        calls=[
            started("1", "2026-11-09 23:59:59", primary_user_id="77", primary_user_name="Rita"),
            started("2", "2026-11-10 08:00:00", primary_user_id="78"),
            started("3", "2026-11-10 08:00:00", primary_user_id="77"),
            call("4", call_date="2026-11-10", call_datetime_utc=None),
            started("5", "2026-11-11 00:00:00", primary_user_id="77"),
        ],
        segments=[
            segment("1_0", "Good morning.", call_date="2026-11-09", end_time_seconds=2.5),
            segment("1_2_1", "The second part of an answer.", call_date="2026-11-09", part=1),
            segment("1_2_0", "The first part of an answer.", call_date="2026-11-09", part=0),
            segment("1_10", "Goodbye.", call_date="2026-11-09"),
            segment("2_0", "Another call."),
        ],
        deal_calls=[deal_call("1", "10"), deal_call("1", "20"), deal_call("2", "20")],
        timeline=[account_event("1", "900"), account_event("2", "901"), account_event("3", "900")],
        directory=[
            rep("77", "Rita"),
            rep("78", "Sam"),
            deal("10"),
            deal("20", "Renewal"),
            company("900", "Ünal"),
        ],
    )
    return warehouse


def listed(warehouse: Warehouse, **arguments: Any) -> list[str]:
    return [each.call_id for each in find_calls(warehouse, **arguments).calls]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, ["5", "3", "2", "4", "1"]),
        ({"from_date": "2026-11-10"}, ["5", "3", "2", "4"]),
        ({"from_date": " 20261110 ", "to_date": date(2026, 11, 10)}, ["3", "2", "4"]),
        ({"rep": " RITA "}, ["5", "3", "1"]),
        ({"rep": 77, "limit": " 2 "}, ["5", "3"]),
        ({"deal": "renewal"}, ["2", "1"]),
        ({"company": "unal"}, ["3", "1"]),
        ({"company": "unal", "rep": "Rita", "to_date": "2026-11-09"}, ["1"]),
        ({"company": "unal", "rep": "Sam"}, []),
    ],
)
def test_calls_match_all_filters_newest_first(
    calls: Warehouse, filters: dict[str, Any], expected: list[str]
) -> None:
    assert listed(calls, **filters) == expected


def test_an_answer_says_when_calls_were_last_read(own_calls: Warehouse) -> None:
    assert find_calls(own_calls).data_as_of == datetime(2026, 11, 12, 8, 30, tzinfo=UTC)
    own_calls.query("DELETE FROM VW_GONG_LANDINGS")
    assert find_calls(own_calls).data_as_of is None


def test_pages_neither_repeat_nor_skip_calls_while_calls_are_added_and_removed(own_calls: Warehouse) -> None:
    first = find_calls(own_calls, limit=2)
    assert [each.call_id for each in first.calls] == ["5", "3"]
    own_calls.query("DELETE FROM VW_ENRICHED_GONG_CALLS WHERE CALL_ID IN ('3', '5')")
    own_calls.query(
        "INSERT INTO VW_ENRICHED_GONG_CALLS (CALL_ID, CALL_DATE, CALL_DATETIME_UTC) "
        "SELECT '6', '2026-11-12', '2026-11-12 09:00:00'"
    )
    second = find_calls(own_calls, limit=2, page=first.next_page)
    assert [each.call_id for each in second.calls] == ["2", "4"]
    last = find_calls(own_calls, limit=2, page=second.next_page)
    assert [each.call_id for each in last.calls] == ["1"]
    assert last.next_page is None


def test_an_answer_is_capped_in_size_and_its_next_page_has_the_rest(own_calls: Warehouse) -> None:
    own_calls.query("UPDATE VW_ENRICHED_GONG_CALLS SET CALL_TITLE = REPEAT('x', 600)")
    first = find_calls(own_calls, max_characters=1000)
    assert [each.call_id for each in first.calls] == ["5"]
    assert listed(own_calls, page=first.next_page) == ["3", "2", "4", "1"]


@pytest.mark.parametrize("page", ["x", "W10", "é", "WyJjYWxscyIsICIxIl0", "\0"])
def test_an_invalid_page_is_rejected(calls: Warehouse, page: str) -> None:
    with pytest.raises(InvalidArgument, match="page: should be the next_page of an earlier answer"):
        find_calls(calls, page=page)


def test_the_page_of_another_question_is_rejected(calls: Warehouse) -> None:
    with pytest.raises(InvalidArgument, match="page: should be the next_page"):
        read_transcript(calls, "1", page=find_calls(calls, limit=1).next_page)


def test_a_transcript_has_the_turns_in_order(calls: Warehouse) -> None:
    transcript = read_transcript(calls, "1")
    assert [turn.text for turn in transcript.turns] == [
        "Good morning.",
        "The first part of an answer.",
        "The second part of an answer.",
        "Goodbye.",
    ]
    assert (transcript.call_id, transcript.host_name, transcript.next_page) == ("1", "Rita", None)


def test_each_turn_has_its_call_second_and_url(calls: Warehouse) -> None:
    turn = read_transcript(calls, "1").turns[0]
    assert (turn.call_id, turn.start_time_seconds) == ("1", 0.0)
    assert unquote(turn.url or "") == (
        'https://gong.example/call?id=1&highlights=[{"type":"SHARE","from":0,"to":2}]'
    )


def test_the_pages_of_a_transcript_are_disjoint_and_complete(calls: Warehouse) -> None:
    texts: list[str] = []
    page: str | None = None
    for _ in range(4):
        transcript = read_transcript(calls, "1", limit=1, page=page)
        texts += [turn.text for turn in transcript.turns]
        page = transcript.next_page
    assert page is None
    assert len(texts) == 4
    assert texts == [turn.text for turn in read_transcript(calls, "1").turns]


def test_a_transcript_has_at_most_the_given_size(own_calls: Warehouse) -> None:
    own_calls.query("UPDATE VW_ENRICHED_GONG_CALL_TRANSCRIPTS SET TRANSCRIPT_TEXT = REPEAT('x', 800)")
    transcript = read_transcript(own_calls, "1", max_characters="1000")  # type: ignore[arg-type]
    assert len(transcript.turns) == 1
    assert len(read_transcript(own_calls, "1", page=transcript.next_page).turns) == 3


def test_a_call_without_a_transcript_says_so(calls: Warehouse) -> None:
    assert read_transcript(calls, "3").note == "the call has no transcript yet, or it awaits redaction"


def test_the_transcript_of_an_unknown_call_is_not_found(calls: Warehouse) -> None:
    with pytest.raises(NotFound, match="call 6 is not in VW_ENRICHED_GONG_CALLS"):
        read_transcript(calls, "6")
