"""Segments that `similar_segments` compares, and the context of its hits."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from gong_assets.agents import (
    AgentError,
    InvalidArgument,
    NotFound,
    SimilarSegment,
    compact_json,
    similar_segments,
)
from gong_assets.warehouse.connection import Warehouse
from gong_assets_tests.agents.tables import call, create_views, deal, deal_call, rep, segment

EXPENSIVE = "they find it too expensive"

RITA: dict[str, str] = {
    "primary_user_id": "77",
    "primary_user_name": "Rita O'Neill",
    "primary_user_email": "Rita@Seller.example",
}
SAM = {"primary_user_id": "78", "primary_user_name": "Sam", "primary_user_email": None}
INTERNAL, EXTERNAL = {"speaker_type": "Internal"}, {"speaker_type": "External"}
# Two calls hosted by Rita, the second with two deals, and one hosted by Sam. All of them mention the price.
SEGMENTS = [
    segment("1_0", "Good morning, how are you?", **RITA, **INTERNAL, hubspot_deal_id="10"),
    segment("1_2", "The price is far too high for us.", **RITA, **EXTERNAL, hubspot_deal_id="10"),
    segment("1_3", "I can offer you a discount on the price.", **RITA, **INTERNAL, hubspot_deal_id="10"),
    segment("1_7", "Is", **RITA, **EXTERNAL, hubspot_deal_id="10", processed_by_cortex=False),
    segment("1_8", "Thank you, let us talk on Friday.", **RITA, **EXTERNAL, hubspot_deal_id="10"),
    segment("2_0", "What a price.", **RITA, **EXTERNAL, hubspot_deal_id="20", call_date="2026-11-12"),
    segment("3_0", "Our budget is too small for that price.", **SAM, **EXTERNAL, call_date="2026-11-14"),
    segment("3_1", "The price was never cheap enough.", **SAM, speaker_type="Unknown", call_date="2026-11-14",
            embedding_model="snowflake-arctic-embed-m"),
]  # fmt: skip
SEARCHABLE = {"1_0", "1_2", "1_3", "1_8", "2_0", "3_0"}


@pytest.fixture(scope="module")
def calls(module_warehouse: Warehouse) -> Warehouse:
    return create_calls(module_warehouse)


@pytest.fixture
def own_calls(warehouse: Warehouse) -> Warehouse:
    """The same calls, for a test that changes them."""
    return create_calls(warehouse)


def create_calls(warehouse: Warehouse) -> Warehouse:
    rows = [
        call("1", **RITA, hubspot_deal_id="10"),
        call("2", **RITA, hubspot_deal_id="20"),
        call("3", **SAM),
    ]
    deal_calls = [deal_call("1", "10"), deal_call("2", "20"), deal_call("2", "21")]
    directory = [
        rep("77", RITA["primary_user_name"], RITA["primary_user_email"].lower()),
        rep("78", "Sam"),
        *map(deal, ("10", "20", "21")),
    ]
    create_views(warehouse, calls=rows, segments=SEGMENTS, deal_calls=deal_calls, directory=directory)
    return warehouse


def ids(found: list[SimilarSegment]) -> set[str]:
    return {each.transcript_id for each in found}


def test_a_search_compares_every_segment_embedded_with_the_newest_model(calls: Warehouse) -> None:
    found = similar_segments(calls, EXPENSIVE, limit=1000).segments
    assert ids(found) == SEARCHABLE
    assert [each.similarity for each in found] == sorted((each.similarity for each in found), reverse=True)
    assert found[-1].text == "Thank you, let us talk on Friday."


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"from_date": date(2026, 11, 12)}, {"2_0", "3_0"}),
        ({"to_date": date(2026, 11, 12)}, SEARCHABLE - {"3_0"}),
        ({"from_date": date(2026, 11, 12), "to_date": date(2026, 11, 12)}, {"2_0"}),
        ({"rep": "78"}, {"3_0"}),
        ({"rep": "sam"}, {"3_0"}),
        ({"rep": "rita o'neill"}, SEARCHABLE - {"3_0"}),
        ({"rep": " rita@seller.EXAMPLE "}, SEARCHABLE - {"3_0"}),
        ({"deal": "20"}, {"2_0"}),
        ({"deal": "21"}, {"2_0"}),
        ({"speaker": "Internal"}, {"1_0", "1_3"}),
        ({"speaker": "External"}, {"1_2", "1_8", "2_0", "3_0"}),
        ({"min_words": 8}, {"1_2", "1_3", "3_0"}),
        ({"rep": "77", "deal": "10", "speaker": "External", "min_words": 4}, {"1_2", "1_8"}),
        # A known rep or deal whose segments the other filters exclude.
        ({"rep": "sam", "to_date": date(2026, 11, 1)}, set()),
        ({"deal": "20", "min_similarity": 1.0}, set()),
    ],
)  # fmt: skip
def test_filters_select_the_segments_to_compare(
    calls: Warehouse, filters: dict[str, object], expected: set[str]
) -> None:
    found = similar_segments(calls, EXPENSIVE, limit=1000, **filters).segments  # type: ignore[arg-type]
    assert ids(found) == expected


def test_filters_apply_before_the_limit(calls: Warehouse) -> None:
    (found,) = similar_segments(calls, EXPENSIVE, limit=1, speaker="Internal").segments
    assert found.transcript_id == "1_3"


@pytest.mark.parametrize("rep", [None, "77"])
def test_a_segment_whose_text_changed_after_embedding_is_excluded(
    own_calls: Warehouse, rep: str | None
) -> None:
    own_calls.query(
        "UPDATE VW_ENRICHED_GONG_CALL_TRANSCRIPTS SET TRANSCRIPT_TEXT = 'Edited' WHERE TRANSCRIPT_ID = '1_2'"
    )
    found = ids(similar_segments(own_calls, EXPENSIVE, limit=1000, rep=rep).segments)
    assert found == SEARCHABLE - {"1_2"} - ({"3_0"} if rep else set())


def test_a_segment_without_a_vector_does_not_rank_first(own_calls: Warehouse) -> None:
    # NULL sorts first in descending order.
    own_calls.query(
        "UPDATE CORTEX_GONG_CALL_TRANSCRIPTS SET TRANSCRIPT_EMBEDDING = NULL WHERE TRANSCRIPT_ID = '1_8'"
    )
    assert ids(similar_segments(own_calls, EXPENSIVE, limit=5).segments) == SEARCHABLE - {"1_8"}


@pytest.mark.parametrize(
    ("count", "before", "after"),
    [
        (0, [], []),
        (1, ["1_0"], ["1_3"]),
        # Turns too short to be embedded are part of the context.
        (2, ["1_0"], ["1_3", "1_7"]),
        (20, ["1_0"], ["1_3", "1_7", "1_8"]),
    ],
)
def test_context_turns_are_in_time_order(
    calls: Warehouse, count: int, before: list[str], after: list[str]
) -> None:
    (hit,) = similar_segments(
        calls, EXPENSIVE, limit=1, context=count, deal="10", speaker="External"
    ).segments
    assert hit.transcript_id == "1_2"
    assert [turn.transcript_id for turn in hit.context_before or []] == before
    assert [turn.transcript_id for turn in hit.context_after or []] == after


def test_the_context_of_a_hit_is_trimmed_to_the_size_of_an_answer(calls: Warehouse) -> None:
    arguments: dict[str, Any] = {"limit": 1, "context": 20, "deal": "10", "speaker": "External"}
    (hit,) = similar_segments(calls, EXPENSIVE, **arguments, max_characters=1200).segments
    assert len(compact_json(hit)) <= 1200
    after = [turn.transcript_id for turn in hit.context_after or []]
    assert after in (["1_3"], ["1_3", "1_7"])


def test_the_pages_of_a_search_are_disjoint_and_complete(calls: Warehouse) -> None:
    found: list[str] = []
    page: str | None = None
    for _ in range(3):
        answer = similar_segments(calls, EXPENSIVE, limit=2, page=page)
        found += [hit.transcript_id for hit in answer.segments]
        page = answer.next_page
    assert page is None
    assert found == [hit.transcript_id for hit in similar_segments(calls, EXPENSIVE, limit=6).segments]


def test_each_hit_of_a_call_has_its_own_context(calls: Warehouse) -> None:
    found = {
        hit.transcript_id: hit
        for hit in similar_segments(calls, EXPENSIVE, limit=3, context=1, deal="10", min_words=3).segments
    }
    assert [turn.text for turn in found["1_2"].context_after] == [found["1_3"].text]
    assert [turn.text for turn in found["1_3"].context_before] == [found["1_2"].text]


def test_the_parts_of_a_long_turn_are_context_of_each_other(warehouse: Warehouse) -> None:
    parts = [segment(f"1_4_{part}", f"Part {part} of a long speech.", part=part) for part in (2, 0, 1)]
    create_views(
        warehouse, segments=[segment("1_5", "An answer to it."), *parts, segment("1_2", "A question.")]
    )
    (hit,) = similar_segments(warehouse, "part 1 of a long speech", limit=1, context=1).segments
    assert (hit.text, hit.context_before[0].text, hit.context_after[0].text) == (
        "Part 1 of a long speech.",
        "Part 0 of a long speech.",
        "Part 2 of a long speech.",
    )


def test_a_hit_has_the_host_deal_and_company_of_its_call(warehouse: Warehouse) -> None:
    details = {
        "hubspot_deal_id": "10",
        "deal_name": "Renewal",
        "hubspot_company_id": "900",
        "hubspot_company_name": "Customer Ltd",
        "segment_sentiment": -0.5,
    }
    create_views(warehouse, segments=[segment("1_0", "The price is too high.", **RITA, **details)])
    (hit,) = similar_segments(warehouse, EXPENSIVE).segments
    assert (hit.host_name, hit.deal_name, hit.company_name) == ("Rita O'Neill", "Renewal", "Customer Ltd")
    assert (hit.hubspot_deal_id, hit.hubspot_company_id) == ("10", "900")
    assert (hit.call_id, hit.call_title, hit.segment_sentiment) == ("1", "Call 1", -0.5)


@pytest.mark.parametrize("filters", [{"rep": "Nobody"}, {"deal": "30"}, {"rep": "sam", "deal": "'; --"}])
def test_an_unknown_rep_or_deal_is_not_found(calls: Warehouse, filters: dict[str, str]) -> None:
    with pytest.raises(NotFound, match=r"there is no (rep Nobody|deal 30|deal '; --); "):
        similar_segments(calls, EXPENSIVE, **filters)  # type: ignore[arg-type]


@pytest.mark.slow
@pytest.mark.parametrize(
    "unsearchable",
    [
        {"processed_by_cortex": False, "embedding_model": None},
        {"embedding_model": "snowflake-arctic-embed-m"},
        {"transcript_text": None},
    ],
)
def test_an_empty_result_reports_segments_that_could_not_be_searched(
    warehouse: Warehouse, unsearchable: dict[str, object]
) -> None:
    rows = [
        segment("1_0", "The price is too high.", speaker_type="External"),
        segment("2_0", "What a price that is.", speaker_type="Internal", call_date="2026-11-12")
        | unsearchable,
        segment("2_1", "Yes.", speaker_type="Internal", processed_by_cortex=False),
    ]
    create_views(warehouse, segments=rows)
    found = similar_segments(warehouse, EXPENSIVE, speaker="Internal")
    assert found.segments == []
    assert found.note
    assert found.note.startswith("1 matching segments could not be searched")
    # There is no note if the date filter excludes the segment, or if there are hits.
    assert similar_segments(warehouse, EXPENSIVE, speaker="Internal", to_date=date(2026, 11, 11)).note is None
    assert similar_segments(warehouse, EXPENSIVE).note is None


def test_a_text_with_too_many_tokens_is_an_invalid_argument(calls: Warehouse) -> None:
    with pytest.raises(InvalidArgument, match="too long for the embedding model; shorten it"):
        similar_segments(calls, "! " * 750)


def test_without_embeddings_the_error_names_the_command_to_run(warehouse: Warehouse) -> None:
    create_views(
        warehouse, segments=[segment("1_0", "Yes.", processed_by_cortex=False, embedding_model=None)]
    )
    with pytest.raises(NotFound, match="gong-assets sync"):
        similar_segments(warehouse, EXPENSIVE)


def test_an_unknown_embedding_model_is_an_error(warehouse: Warehouse) -> None:
    create_views(warehouse, segments=[segment("1_0", "The price is too high.")])
    warehouse.query("UPDATE CORTEX_GONG_CALL_TRANSCRIPTS SET EMBEDDING_MODEL = 'other'")
    with pytest.raises(AgentError, match="embedding model 'other' is not one of e5-base-v2"):
        similar_segments(warehouse, EXPENSIVE)
