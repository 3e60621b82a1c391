"""Which segments a search compares, and what comes with the nearest ones."""

from __future__ import annotations

from datetime import date

import pytest

from gong_assets.agents import AgentError, InvalidQuestion, NotFound, SimilarSegment, similar_segments
from gong_assets.warehouse.connection import Warehouse
from gong_assets_tests.agents.tables import about_deal, call, fill, segment

EXPENSIVE = "they find it too expensive"

RITA = {
    "primary_user_id": "77",
    "primary_user_name": "Rita O'Neill",
    "primary_user_email": "Rita@Seller.example",
}
SAM = {"primary_user_id": "78", "primary_user_name": "Sam", "primary_user_email": None}
# Two calls of Rita's, the second of them about two deals, and one of Sam's. The price is talked about on all of them.
SEGMENTS = [
    segment("1_0", "Good morning, how are you?", **RITA, hubspot_deal_id="10", speaker_type="Internal"),
    segment("1_2", "The price is far too high for us.", **RITA, hubspot_deal_id="10", speaker_type="External"),
    segment("1_3", "I can offer you a discount on the price.", **RITA, hubspot_deal_id="10", speaker_type="Internal"),
    segment("1_7", "Is", **RITA, hubspot_deal_id="10", speaker_type="External", processed_by_cortex=False),
    segment("1_8", "Thank you, let us talk on Friday.", **RITA, hubspot_deal_id="10", speaker_type="External"),
    segment("2_0", "What a price.", **RITA, hubspot_deal_id="20", speaker_type="External", call_date="2026-11-12"),
    segment("3_0", "Our budget is too small for that price.", **SAM, speaker_type="External", call_date="2026-11-14"),
    segment("3_1", "The price was never cheap enough.", **SAM, speaker_type="Unknown", call_date="2026-11-14",
            embedding_model="snowflake-arctic-embed-m"),
]  # fmt: skip
COMPARED = {"1_0", "1_2", "1_3", "1_8", "2_0", "3_0"}


@pytest.fixture
def calls(warehouse: Warehouse) -> Warehouse:
    rows = [
        call("1", **RITA, hubspot_deal_id="10"),
        call("2", **RITA, hubspot_deal_id="20"),
        call("3", **SAM),
    ]
    deal_calls = [about_deal("1", "10"), about_deal("2", "20"), about_deal("2", "21")]
    fill(warehouse, calls=rows, segments=SEGMENTS, deal_calls=deal_calls)
    return warehouse


def ids(found: list[SimilarSegment]) -> set[str]:
    return {each.transcript_id for each in found}


def test_without_filters_all_that_is_embedded_with_the_newest_model_is_compared(calls: Warehouse) -> None:
    found = similar_segments(calls, EXPENSIVE, limit=1000)
    assert ids(found) == COMPARED
    assert [each.similarity for each in found] == sorted((each.similarity for each in found), reverse=True)
    assert found[-1].text == "Thank you, let us talk on Friday."


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"from_date": date(2026, 11, 12)}, {"2_0", "3_0"}),
        ({"to_date": date(2026, 11, 12)}, COMPARED - {"3_0"}),
        ({"from_date": date(2026, 11, 12), "to_date": date(2026, 11, 12)}, {"2_0"}),
        ({"rep": "78"}, {"3_0"}),
        ({"rep": "sam"}, {"3_0"}),
        ({"rep": "rita o'neill"}, COMPARED - {"3_0"}),
        ({"rep": " rita@seller.EXAMPLE "}, COMPARED - {"3_0"}),
        ({"deal_id": "20"}, {"2_0"}),
        ({"deal_id": "21"}, {"2_0"}),
        ({"speaker": "Internal"}, {"1_0", "1_3"}),
        ({"speaker": "External"}, {"1_2", "1_8", "2_0", "3_0"}),
        ({"min_words": 8}, {"1_2", "1_3", "3_0"}),
        ({"rep": "77", "deal_id": "10", "speaker": "External", "min_words": 4}, {"1_2", "1_8"}),
        # Known ones, of whom nothing is left.
        ({"rep": "sam", "to_date": date(2026, 11, 1)}, set()),
        ({"deal_id": "20", "min_similarity": 1.0}, set()),
    ],
)  # fmt: skip
def test_filters_choose_what_is_compared(
    calls: Warehouse, filters: dict[str, object], expected: set[str]
) -> None:
    assert ids(similar_segments(calls, EXPENSIVE, limit=1000, **filters)) == expected  # type: ignore[arg-type]


def test_filters_come_before_the_limit(calls: Warehouse) -> None:
    (found,) = similar_segments(calls, EXPENSIVE, limit=1, speaker="Internal")
    assert found.transcript_id == "1_3"


def test_a_segment_that_has_changed_since_it_was_embedded_is_not_compared(calls: Warehouse) -> None:
    # The view shows no model for it then, whatever the table of embeddings still holds.
    calls.query(
        "UPDATE VW_ENRICHED_GONG_CALL_TRANSCRIPTS SET EMBEDDING_MODEL = NULL, PROCESSED_BY_CORTEX = FALSE "
        "WHERE TRANSCRIPT_ID = '1_2'"
    )
    assert ids(similar_segments(calls, EXPENSIVE, limit=1000)) == COMPARED - {"1_2"}


def test_a_segment_that_the_model_gave_no_vector_for_does_not_come_first(calls: Warehouse) -> None:
    # NULL is the greatest in an order that descends.
    calls.query(
        "UPDATE CORTEX_GONG_CALL_TRANSCRIPTS SET TRANSCRIPT_EMBEDDING = NULL WHERE TRANSCRIPT_ID = '1_8'"
    )
    assert ids(similar_segments(calls, EXPENSIVE, limit=5)) == COMPARED - {"1_8"}


@pytest.mark.parametrize(
    ("count", "before", "after"),
    [
        (0, [], []),
        (1, ["1_0"], ["1_3"]),
        # What was too short to be embedded was said all the same.
        (2, ["1_0"], ["1_3", "1_7"]),
        (20, ["1_0"], ["1_3", "1_7", "1_8"]),
    ],
)
def test_the_turns_around_a_hit_come_in_the_order_of_speech(
    calls: Warehouse, count: int, before: list[str], after: list[str]
) -> None:
    (hit,) = similar_segments(calls, EXPENSIVE, limit=1, context=count, deal_id="10", speaker="External")
    assert hit.transcript_id == "1_2"
    assert [turn.transcript_id for turn in hit.context_before] == before
    assert [turn.transcript_id for turn in hit.context_after] == after


def test_each_of_several_hits_in_a_call_has_its_own_turns_around_it(calls: Warehouse) -> None:
    found = {
        hit.transcript_id: hit
        for hit in similar_segments(calls, EXPENSIVE, limit=3, context=1, deal_id="10", min_words=3)
    }
    assert [turn.text for turn in found["1_2"].context_after] == [found["1_3"].text]
    assert [turn.text for turn in found["1_3"].context_before] == [found["1_2"].text]


def test_the_parts_of_a_long_turn_are_around_one_another(warehouse: Warehouse) -> None:
    parts = [segment(f"1_4_{part}", f"Part {part} of a long speech.", part=part) for part in (2, 0, 1)]
    fill(warehouse, segments=[segment("1_5", "An answer to it."), *parts, segment("1_2", "A question.")])
    (hit,) = similar_segments(warehouse, "part 1 of a long speech", limit=1, context=1)
    assert (hit.text, hit.context_before[0].text, hit.context_after[0].text) == (
        "Part 1 of a long speech.",
        "Part 0 of a long speech.",
        "Part 2 of a long speech.",
    )


def test_a_hit_says_whose_call_it_is(warehouse: Warehouse) -> None:
    details = {
        "hubspot_deal_id": "10",
        "deal_name": "Renewal",
        "hubspot_company_id": "900",
        "hubspot_company_name": "Customer Ltd",
        "segment_sentiment": -0.5,
    }
    fill(warehouse, segments=[segment("1_0", "The price is too high.", **RITA, **details)])
    (hit,) = similar_segments(warehouse, EXPENSIVE)
    assert (hit.host_name, hit.deal_name, hit.company_name) == ("Rita O'Neill", "Renewal", "Customer Ltd")
    assert (hit.hubspot_deal_id, hit.hubspot_company_id) == ("10", "900")
    assert (hit.call_id, hit.call_title, hit.segment_sentiment) == ("1", "Call 1", -0.5)


@pytest.mark.parametrize(
    "filters", [{"rep": "Nobody"}, {"deal_id": "30"}, {"rep": "sam", "deal_id": "'; --"}]
)
def test_a_rep_or_a_deal_that_no_call_has_is_not_found(calls: Warehouse, filters: dict[str, str]) -> None:
    with pytest.raises(
        NotFound, match=r"no call in VW_ENRICHED_GONG_CALLS is of (rep Nobody|deal 30|deal '; --)"
    ):
        similar_segments(calls, EXPENSIVE, **filters)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "waiting",
    [
        {"processed_by_cortex": False, "embedding_model": None},
        {"embedding_model": "snowflake-arctic-embed-m"},
        {"transcript_text": None},
    ],
)
def test_an_empty_answer_says_if_not_all_was_compared(
    warehouse: Warehouse, waiting: dict[str, object]
) -> None:
    rows = [
        segment("1_0", "The price is too high.", speaker_type="External"),
        segment("2_0", "What a price that is.", speaker_type="Internal", call_date="2026-11-12") | waiting,
        segment("2_1", "Yes.", speaker_type="Internal", processed_by_cortex=False),
    ]
    fill(warehouse, segments=rows)
    found = similar_segments(warehouse, EXPENSIVE, speaker="Internal")
    assert found == []
    assert found.note.startswith("1 segments that pass the filters could not be compared")
    # Of other days, and of an answer, there is nothing to say.
    assert similar_segments(warehouse, EXPENSIVE, speaker="Internal", to_date=date(2026, 11, 11)).note == ""
    assert similar_segments(warehouse, EXPENSIVE).note == ""


def test_a_text_of_more_tokens_than_the_model_reads_is_an_invalid_question(calls: Warehouse) -> None:
    with pytest.raises(InvalidQuestion, match="too long for the embedding model: shorten it"):
        similar_segments(calls, "! " * 750)


def test_nothing_embedded_is_told_with_what_to_do(warehouse: Warehouse) -> None:
    fill(warehouse, segments=[segment("1_0", "Yes.", processed_by_cortex=False)])
    with pytest.raises(NotFound, match="gong-assets sync"):
        similar_segments(warehouse, EXPENSIVE)


def test_a_model_without_a_known_prefix_is_refused(calls: Warehouse) -> None:
    calls.query("UPDATE CORTEX_GONG_CALL_TRANSCRIPTS SET EMBEDDING_MODEL = 'other'")
    with pytest.raises(AgentError, match="embedding model 'other' is not one of e5-base-v2"):
        similar_segments(calls, EXPENSIVE)
