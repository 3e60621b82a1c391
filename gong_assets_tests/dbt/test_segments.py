"""Splitting of turns: the SQL of the model on generated turns, compared with the same rule in Python."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator

import pytest

from gong_assets_tests.dbt.conftest import connected
from gong_assets_tests.dbt.project import DbtProject
from gong_assets_tests.dbt.warehouse import Warehouse

pytestmark = pytest.mark.xdist_group("dbt")

SCHEMA = "SEGMENTS"
MAX_WORDS = 200

ENGLISH = "word"
# Seven consecutive characters count as four words.
JAPANESE = "価格が高いです"

# Number of words in the sentences of each turn.
DRAWN = random.Random(7)
TURNS = [
    *(
        [DRAWN.choice([1, 3, 20, 80, 199, 200, 201, 450]) for _ in range(DRAWN.randint(1, 40))]
        for _ in range(200)
    ),
    [10] * 150,
    [MAX_WORDS] * 150,
    [450] * 3,
    [1] * MAX_WORDS,
    [1] * (MAX_WORDS + 1),
]


@pytest.fixture(scope="module")
def warehouse(warehouse_port: int) -> Iterator[Warehouse]:
    """Create a separate schema with the inputs of the model."""
    with connected(warehouse_port, SCHEMA) as warehouse:
        warehouse.query(
            "create table stg_gong_calls as select '1' as call_id, '2026-11-02'::date as call_date"
        )
        warehouse.query(
            "create table stg_gong_call_participants (call_id varchar, call_date date, party_index number, "
            "speaker_id varchar, user_id varchar, full_name varchar, email_address varchar, "
            "participant_type varchar)"
        )
        yield warehouse


@pytest.fixture(scope="module")
def model(project: DbtProject) -> str:
    project.succeed("compile", "--select", "stg_gong_call_transcripts")
    return project.compiled()["stg_gong_call_transcripts"].replace("GONG_DATA", SCHEMA)


def segments(warehouse: Warehouse, model: str, turns: list[list[str]]) -> list[list[tuple[str, int]]]:
    """Return (text, words) of the segments of each turn, in speaking order."""
    document = {
        "transcript": [
            {
                "sentences": [
                    {"start": number * 1000, "end": number * 1000, "text": text} for text in sentences
                ]
            }
            for number, sentences in enumerate(turns)
        ]
    }
    warehouse.query(
        "create or replace table gong_call_transcripts_raw as "
        "select '1' as call_id, '2026-11-02'::date as call_date, "
        "null::varchar as processing_error, null::timestamp_ltz as ingested_at, "
        "parse_json(%s) as transcript_data",
        (json.dumps(document),),
    )
    found: list[list[tuple[str, int]]] = [[] for _ in turns]
    for row in warehouse.query(f"select * from ({model}) order by turn_index, part"):
        found[row["TURN_INDEX"]].append((row["TRANSCRIPT_TEXT"], row["WORD_COUNT"]))
    return found


def packed(sentences: list[int]) -> list[int]:
    """Return the words of each part. A part ends before the sentence that would make it too long."""
    parts: list[int] = []
    for words in sentences:
        if parts and parts[-1] + words <= MAX_WORDS:
            parts[-1] += words
        else:
            parts.append(words)
    return parts


def test_a_part_ends_before_the_sentence_that_would_make_it_too_long(
    warehouse: Warehouse, model: str
) -> None:
    spoken = [[" ".join([ENGLISH] * words) for words in turn] for turn in TURNS]
    found = segments(warehouse, model, spoken)
    assert [[words for _, words in turn] for turn in found] == [packed(turn) for turn in TURNS]
    assert [" ".join(text for text, _ in turn) for turn in found] == [" ".join(turn) for turn in spoken]


def test_a_long_turn_in_a_language_without_spaces_is_split(warehouse: Warehouse, model: str) -> None:
    (turn,) = segments(warehouse, model, [[f"{JAPANESE * 3}。"] * 150])
    assert len(turn) > 1
    # Fits the token limit of an embedding model, even with a token per character.
    assert all(words <= MAX_WORDS and len(text) < 512 for text, words in turn)
    assert "".join(text.replace(" ", "") for text, _ in turn) == f"{JAPANESE * 3}。" * 150


def test_a_turn_of_fifty_thousand_words_is_split(warehouse: Warehouse, model: str) -> None:
    sentences = [DRAWN.choice([5, 30, 80, 150]) for _ in range(800)]
    assert sum(sentences) > 50_000
    (turn,) = segments(warehouse, model, [[" ".join([ENGLISH] * words) for words in sentences]])
    assert [words for _, words in turn] == packed(sentences)
