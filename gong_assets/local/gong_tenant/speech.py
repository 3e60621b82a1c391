"""What is said on a call: sentences drawn from pools by topic, put in time.

The pools are data (`speech.json`), written for this project; several hundred sentences, by topic, side and mood. Who is
on a call and when it happens is in `calls`; what Gong would conclude from it is in `analysis`.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import chain, groupby
from typing import Any

# Unhurried business talk: 150 words a minute, give or take.
MS_PER_WORD = (330, 470)
MS_BETWEEN_SENTENCES = (120, 450)
MS_BETWEEN_TURNS = (200, 1800)
MS_BEFORE_FIRST_WORD = (800, 6000)
MS_AFTER_LAST_WORD = (2000, 15000)
SHORTEST_CALL_MS = 62_000  # Gong does not import calls of less than a minute

SENTENCES_IN_A_TURN = (1, 3)
QUESTION_RATE = 0.3
UNIDENTIFIED_RATE = 0.02  # turns whose voice Gong assigns to nobody


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of sales call. `mood` is how its customers tend to feel, -1 to 1."""

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
    """What one speaker says in one go. `speaker` is a position in the call's attendees, None when unidentified."""

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
class Cast:
    """Who speaks for whom: positions of our own people and of the customer's among the attendees."""

    ours: tuple[int, ...]
    theirs: tuple[int, ...]
    talk_share: float  # of the words that are ours
    mood: float  # how the customer feels, -1 to 1


@cache
def pools() -> dict[str, Any]:
    """Kinds of call and topics, as they are in the file."""
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
    """The topic as Gong would name it."""
    label: str = pools()["topics"][topic]["label"]
    return label


def converse(
    draw: random.Random, kind: Kind, cast: Cast, words: int, slots: Mapping[str, Sequence[str]]
) -> Conversation:
    """A conversation of about `words` words, or of fewer once the pools of its topics are used up (at 500 to 1,400).

    `slots` has the choices for each {name} in a sentence.
    """
    optional = draw.sample(kind.optional, k=min(2, len(kind.optional)))
    topics = [topic for topic in (*kind.agenda, *optional, kind.closing) if _suits(topic, cast.mood)]
    clock = draw.randint(*MS_BEFORE_FIRST_WORD)
    turns = []
    for (speaker, topic), utterances in groupby(
        _exchange(draw, topics, cast, words), key=lambda said: said[:2]
    ):
        sentences = []
        for text in chain.from_iterable(texts for _, _, texts in utterances):
            spoken = text.format_map({name: draw.choice(choices) for name, choices in slots.items()})
            end = clock + len(spoken.split()) * draw.randint(*MS_PER_WORD)
            sentences.append(Sentence(clock, end, spoken))
            clock = end + draw.randint(*MS_BETWEEN_SENTENCES)
        turns.append(Turn(speaker, topic, tuple(sentences)))
        clock += draw.randint(*MS_BETWEEN_TURNS)
    clock = max(clock + draw.randint(*MS_AFTER_LAST_WORD), SHORTEST_CALL_MS)
    return Conversation(tuple(turns), -(-clock // 1000))


def _exchange(
    draw: random.Random, topics: Sequence[str], cast: Cast, words: int
) -> Iterator[tuple[int | None, str, list[str]]]:
    """Who says what on which topic: whichever side is behind its share of the words speaks next."""
    spoken = our_words = 0
    for position, topic in enumerate(topics):
        pool = _Pool(draw, topic, cast.mood)
        goal = words * (position + 1) / len(topics)
        while spoken < goal:
            ours = our_words <= spoken * cast.talk_share
            texts = pool.sentences(ours, draw.randint(*SENTENCES_IN_A_TURN))
            if not texts:
                break  # everything that there is to say on this topic has been said
            count = sum(len(text.split()) for text in texts)
            spoken += count
            our_words += count if ours else 0
            side = cast.ours if ours else cast.theirs
            lead = side[0] if draw.random() < 0.8 else draw.choice(side)
            yield None if draw.random() < UNIDENTIFIED_RATE else lead, topic, texts


def _suits(topic: str, mood: float) -> bool:
    """Whether a customer in that mood would talk about it: praise is for the happy, leaving for the unhappy."""
    needed = pools()["topics"][topic].get("mood")
    return needed is None or (needed == "positive") == (mood > 0)


class _Pool:
    """The sentences of one topic, each used once in a call."""

    def __init__(self, draw: random.Random, topic: str, mood: float) -> None:
        sides = pools()["topics"][topic]
        self._draw = draw
        rep, customer = sides["rep"], sides["customer"]
        first = [draw.choice(rep["first"])] if "first" in rep else []
        self._ours = _shuffled(draw, rep["tells"]) + first, _shuffled(draw, rep["asks"])
        feelings = [*customer["neutral"], *customer["positive" if mood > 0 else "negative"]]
        strong = customer["positive" if mood > 0 else "negative"]
        says = strong if abs(mood) > 0.6 else feelings
        self._theirs = _shuffled(draw, says), _shuffled(draw, customer["asks"])

    def sentences(self, ours: bool, count: int) -> list[str]:
        """Up to `count` sentences of one side, at most the last of them a question."""
        tells, asks = self._ours if ours else self._theirs
        texts = [tells.pop() for _ in range(min(count, len(tells)))]
        if asks and (not texts or self._draw.random() < QUESTION_RATE):
            texts.append(asks.pop())
        return texts


def _shuffled(draw: random.Random, sentences: Sequence[str]) -> list[str]:
    return draw.sample(sentences, k=len(sentences))


def topic_of(text: str) -> str | None:
    """The topic whose pool `text` was drawn from: what a search for that topic should find. None if from none."""
    return next((topic for pattern, topic in _patterns() if pattern.fullmatch(text)), None)


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], str], ...]:
    return tuple(
        (_pattern(template), topic)
        for topic, pool in pools()["topics"].items()
        for side in (pool["rep"], pool["customer"])
        for templates in side.values()
        for template in templates
    )


def _pattern(template: str) -> re.Pattern[str]:
    literals = [part.replace("{{", "{").replace("}}", "}") for part in re.split(r"(?<!\{)\{\w+\}", template)]
    return re.compile(".+?".join(map(re.escape, literals)), re.DOTALL)
