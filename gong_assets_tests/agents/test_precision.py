"""Whether a search finds what was meant: of the ten nearest segments of each question, how many are on its subject.

The segments are turns of the simulated tenant, which knows what each of its sentences is about. The embeddings are the local
stand-in's, so this says that the search asks and orders rightly, and nothing of how well Cortex's models do.
"""

from __future__ import annotations

import re
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from functools import cache
from statistics import mean

import pytest

from gong_assets.agents import similar_segments
from gong_assets.local.gong_tenant.calls import CallGenerator
from gong_assets.local.gong_tenant.company import Company
from gong_assets.local.gong_tenant.speech import pools
from gong_assets.warehouse.connection import Warehouse
from gong_assets_tests.agents.tables import fill, segment
from gong_assets_tests.local.gong_tenant.topics import topic_of

pytestmark = pytest.mark.slow

# Months pass until a rare subject has come up so often. With fewer than ten on a subject, ten could not be found.
SEGMENTS_OF_A_TOPIC = 75
FIRST_DAY, DAYS = datetime(2026, 1, 1, tzinfo=UTC), 365

# In sentences that share few words with the calls, and none more than one with a turn on its subject. Small talk, the
# customer's present situation and what comes next are left out: they are in every call, and nobody searches for them.
QUESTIONS = {
    "adoption": "people do not use it and go on working as before",
    "churn": "could we lose this unhappy client, and what might make them remain",
    "competition": "they prefer a rival vendor to us",
    "data_residency": "keeping personal information inside the EU for privacy reasons",
    "implementation": "setting it up and copying existing records into it",
    "integrations": "linking it with SAP and other back-end programs",
    "legal": "lawyers negotiating terms and conditions",
    "mobile": "using a smartphone out on site where there is no internet",
    "pain": "what annoys them most about appointments that go wrong",
    "praise": "delighted clients who would tell others about us",
    "pricing": "it is too expensive, could we lower the amount",
    "reliability": "the service was unreachable and had crashed again",
    "reporting": "statistics and KPIs that the executives look at",
    "roadmap": "upcoming functionality they wish for in future versions",
    "roi": "do we earn back the money that we spend",
    "scheduling": "assigning visits to workers by dragging them on a calendar",
    "security": "could hackers steal our secrets",
    "support": "nobody at the service desk replies to their tickets",
    "timeline": "the launch is late and they fear to miss the cold months",
    "training": "teaching employees how to operate it",
}

# Words that say nothing of a subject.
COMMON = {
    "about", "after", "again", "also", "anybody", "because", "been", "before", "being", "could", "does",
    "from", "have", "into", "it's", "many", "might", "more", "most", "much", "nobody", "other", "others",
    "over", "should", "some", "such", "than", "that", "their", "them", "then", "there", "these", "they",
    "this", "those", "until", "were", "what", "when", "where", "which", "while", "will", "with", "would",
    "your",
}  # fmt: skip


def subject_words(text: str) -> set[str]:
    """By their first five letters, so that "price" and "prices" are the same."""
    words = re.findall(r"[a-z']{4,}", re.sub(r"\{\w+\}", "", text.lower()))
    return {word[:5] for word in words if word not in COMMON}


@cache
def turns_by_topic() -> dict[str, dict[str, str]]:
    """For each topic what was said in a turn about it, with the id of the call; no text twice."""
    generator = CallGenerator(Company(1), calls_per_day=12, words_per_call=300)
    turns: dict[str, dict[str, str]] = defaultdict(dict)
    for call in generator.calls_between(FIRST_DAY, FIRST_DAY + timedelta(days=DAYS)):
        for turn in generator.conversation(call).turns:
            assert {topic_of(sentence.text) for sentence in turn.sentences} == {turn.topic}
            if len(turns[turn.topic]) < SEGMENTS_OF_A_TOPIC:
                turns[turn.topic].setdefault(" ".join(sentence.text for sentence in turn.sentences), call.id)
        if all(len(turns[topic]) == SEGMENTS_OF_A_TOPIC for topic in pools()["topics"]):
            break
    return turns


def shared_words(topic: str) -> list[int]:
    """How many words each turn on the topic has of its question."""
    asked = subject_words(QUESTIONS[topic])
    return [len(asked & subject_words(turn)) for turn in turns_by_topic()[topic]]


@pytest.mark.parametrize("topic", QUESTIONS)
def test_no_turn_on_its_subject_shares_more_than_a_word_with_a_question(topic: str) -> None:
    assert len(subject_words(QUESTIONS[topic])) >= 2
    assert max(shared_words(topic)) <= 1


def test_of_the_ten_nearest_segments_most_are_about_the_question(warehouse: Warehouse) -> None:
    topics = {
        f"{call_id}_{number}_{topic}": (topic, text)
        for topic, turns in turns_by_topic().items()
        for number, (text, call_id) in enumerate(turns.items())
    }
    assert len(topics) == SEGMENTS_OF_A_TOPIC * len(pools()["topics"]) >= 1500
    fill(warehouse, segments=[segment(transcript_id, text) for transcript_id, (_, text) in topics.items()])

    precisions = {}
    for topic, question in QUESTIONS.items():
        found = similar_segments(warehouse, question, limit=10)
        precisions[topic] = sum(topics[hit.transcript_id][0] == topic for hit in found) / 10

    of_question = mean(mean(map(bool, shared_words(topic))) for topic in QUESTIONS)
    told = f"{precisions}, where {of_question:.0%} of the turns on a subject have a word of its question"
    assert mean(precisions.values()) >= 0.85, told
    # The simulated competitors' names mean nothing to a model: the one subject that is found in half of the hits only.
    assert min(precisions.values()) >= 0.5, told
