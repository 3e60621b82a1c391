"""Generation of conversations from pools of sentences.

``speech.json`` has several hundred sentences by topic, side and mood, written for this project.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import chain, groupby
from typing import Any

# About 150 words per minute.
MS_PER_WORD = (330, 470)
MS_BETWEEN_SENTENCES = (120, 450)
MS_BETWEEN_TURNS = (200, 1800)
MS_BEFORE_FIRST_WORD = (800, 6000)
MS_AFTER_LAST_WORD = (2000, 15000)
SHORTEST_CALL_MS = 62_000  # Gong does not import calls under a minute

SENTENCES_IN_A_TURN = (1, 3)
QUESTION_RATE = 0.3
UNIDENTIFIED_RATE = 0.02  # turns whose speaker Gong does not identify


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of sales call. ``mood`` is the typical mood of its customers, -1 to 1."""

    name: str
    title: str
    mood: float
    agenda: tuple[str, ...]
    optional: tuple[str, ...]
    closing: str


@dataclass(frozen=True, slots=True)
class Sentence:
    start_ms: int
    end_ms: int
    text: str


@dataclass(frozen=True, slots=True)
class Turn:
    """A turn of one speaker: a position in the attendees of the call, or None if unidentified."""

    speaker: int | None
    topic: str
    sentences: tuple[Sentence, ...]

    @property
    def start_ms(self) -> int:
        return self.sentences[0].start_ms

    @property
    def end_ms(self) -> int:
        return self.sentences[-1].end_ms


@dataclass(frozen=True, slots=True)
class Conversation:
    turns: tuple[Turn, ...]
    duration_seconds: int


@dataclass(frozen=True, slots=True)
class Participants:
    """The positions of our own people and of the customer's among the attendees."""

    ours: tuple[int, ...]
    theirs: tuple[int, ...]
    talk_share: float  # our share of the words
    mood: float  # of the customer, -1 to 1


@cache
def pools() -> dict[str, Any]:
    """Return the kinds of call and the topics in ``speech.json``."""
    data: dict[str, Any] = json.loads(files(__package__).joinpath("speech.json").read_text("utf-8"))
    return data


@cache
def kinds() -> Mapping[str, Kind]:
    return {
        name: Kind(
            name, kind["title"], kind["mood"], tuple(kind["agenda"]), tuple(kind["optional"]), kind["closing"]
        )
        for name, kind in pools()["kinds"].items()
    }


def topic_label(topic: str) -> str:
    """Return Gong's name of the topic."""
    label: str = pools()["topics"][topic]["label"]
    return label


def generate_conversation(
    rng: random.Random,
    kind: Kind,
    participants: Participants,
    words: int,
    values: Mapping[str, Sequence[str]],
) -> Conversation:
    """Return a conversation of about ``words`` words; the pools of its topics limit it to 500 to 1,400.

    ``values`` holds the choices for each {name} in a sentence.
    """
    optional = rng.sample(kind.optional, k=min(2, len(kind.optional)))
    topics = [
        topic for topic in (*kind.agenda, *optional, kind.closing) if _fits_mood(topic, participants.mood)
    ]
    clock = rng.randint(*MS_BEFORE_FIRST_WORD)
    turns = []
    for (speaker, topic), utterances in groupby(
        _alternate(rng, topics, participants, words), key=lambda turn: turn[:2]
    ):
        sentences = []
        for template in chain.from_iterable(templates for _, _, templates in utterances):
            text = template.format_map({name: rng.choice(choices) for name, choices in values.items()})
            end = clock + len(text.split()) * rng.randint(*MS_PER_WORD)
            sentences.append(Sentence(clock, end, text))
            clock = end + rng.randint(*MS_BETWEEN_SENTENCES)
        turns.append(Turn(speaker, topic, tuple(sentences)))
        clock += rng.randint(*MS_BETWEEN_TURNS)
    clock = max(clock + rng.randint(*MS_AFTER_LAST_WORD), SHORTEST_CALL_MS)
    return Conversation(tuple(turns), -(-clock // 1000))


def _alternate(
    rng: random.Random, topics: Sequence[str], participants: Participants, words: int
) -> Iterator[tuple[int | None, str, list[str]]]:
    """Yield (speaker, topic, sentences); the side that is behind its share of the words speaks next."""
    spoken = our_words = 0
    for position, topic in enumerate(topics):
        pool = _Pool(rng, topic, participants.mood)
        goal = words * (position + 1) / len(topics)
        while spoken < goal:
            ours = our_words <= spoken * participants.talk_share
            texts = pool.sentences(ours, rng.randint(*SENTENCES_IN_A_TURN))
            if not texts:
                break  # the pool of this topic is used up
            count = sum(len(text.split()) for text in texts)
            spoken += count
            our_words += count if ours else 0
            side = participants.ours if ours else participants.theirs
            speaker = side[0] if rng.random() < 0.8 else rng.choice(side)
            yield None if rng.random() < UNIDENTIFIED_RATE else speaker, topic, texts


def _fits_mood(topic: str, mood: float) -> bool:
    """Return whether a topic fits the mood: praise needs a happy customer, leaving an unhappy one."""
    needed = pools()["topics"][topic].get("mood")
    return needed is None or (needed == "positive") == (mood > 0)


class _Pool:
    """The sentences of a topic, each of which is used once per call."""

    def __init__(self, rng: random.Random, topic: str, mood: float) -> None:
        sides = pools()["topics"][topic]
        self._rng = rng
        rep, customer = sides["rep"], sides["customer"]
        first = [rng.choice(rep["first"])] if "first" in rep else []
        self._ours = _shuffled(rng, rep["statements"]) + first, _shuffled(rng, rep["questions"])
        emotional = customer["positive" if mood > 0 else "negative"]
        statements = emotional if abs(mood) > 0.6 else [*customer["neutral"], *emotional]
        self._theirs = _shuffled(rng, statements), _shuffled(rng, customer["questions"])

    def sentences(self, ours: bool, count: int) -> list[str]:
        """Return up to ``count`` sentences of one side; only the last can be a question."""
        statements, questions = self._ours if ours else self._theirs
        texts = [statements.pop() for _ in range(min(count, len(statements)))]
        if questions and (not texts or self._rng.random() < QUESTION_RATE):
            texts.append(questions.pop())
        return texts


def _shuffled(rng: random.Random, sentences: Sequence[str]) -> list[str]:
    return rng.sample(sentences, k=len(sentences))
