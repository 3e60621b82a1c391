"""Answers found in a text: the stand-in for AI_EXTRACT and SNOWFLAKE.CORTEX.EXTRACT_ANSWER.

What Cortex would phrase, this quotes. A field that asks for topics gets names of common sales topics and key phrases;
one that asks for next steps or risks gets the sentences with words of commitment or of doubt; any other one gets the
sentence that is nearest in meaning to its question. Deterministic, and no language model.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from gong_assets.local.cortex import embedding
from gong_assets.local.cortex.errors import CortexError
from gong_assets.local.cortex.key_phrases import topics
from gong_assets.local.cortex.sentences import said_in, terms
from gong_assets.local.cortex.sentiment import sentence_score
from gong_assets.local.cortex.tokens import refuse_over

# https://docs.snowflake.com/en/user-guide/snowflake-cortex/aisql-regional-availability
AI_EXTRACT_MAX_TOKENS = 128_000
EXTRACT_ANSWER_MAX_TOKENS = 2048
EXTRACT_ANSWER_MAX_QUESTION_TOKENS = 64
# https://docs.snowflake.com/en/sql-reference/functions/ai_extract
MAX_QUESTIONS = 100
# What somebody still reads in one cell of a table.
MAX_ITEMS = 5
# Each sentence to compare costs about 15 ms: more than these are first chosen by the words that they share.
MAX_EMBEDDED = 60
# Below this cosine of MiniLM a further sentence of a list is about something else.
MIN_SIMILARITY = 0.25

# What is claimed of a sentence by each pattern, and how much it weighs towards the field.
Weights = Sequence[tuple[re.Pattern[str], float]]


@dataclass(frozen=True)
class Field:
    """One thing to extract: its key in the answer, what is asked, and whether the answer is a list."""

    name: str
    question: str
    is_list: bool


def extract(text: str, response_format: Any) -> dict[str, Any]:
    """AI_EXTRACT's object: ``{"response": {field: answer}, "error": None}``.

    ``response_format`` is in one of the documented forms: {field: question}, [[field, question]], [question], or
    {"schema": {...}} with properties of type string or array. Only a schema's arrays give lists. Raises CortexError
    for any other one and TooLongError over 128,000 tokens.
    """
    fields = fields_of(response_format)
    refuse_over("AI_EXTRACT", text, AI_EXTRACT_MAX_TOKENS)
    said = said_in(text)
    return {"response": {field.name: _answer(field, said) for field in fields}, "error": None}


def extract_answer(text: str, question: str) -> list[dict[str, Any]]:
    """EXTRACT_ANSWER's array of one ``{"answer": sentence, "score": similarity}``, empty for an empty text.

    Raises TooLongError over 2,048 tokens of text or 64 of question.
    """
    refuse_over("EXTRACT_ANSWER", text, EXTRACT_ANSWER_MAX_TOKENS)
    refuse_over("EXTRACT_ANSWER (question)", question, EXTRACT_ANSWER_MAX_QUESTION_TOKENS)
    return [{"answer": answer, "score": score} for answer, score in _nearest(said_in(text), question)[:1]]


def fields_of(response_format: Any) -> list[Field]:
    """The fields that a ``responseFormat`` asks for; raises CortexError for a form that is not documented."""
    match response_format:
        case {"schema": {"properties": Mapping() as properties}}:
            fields = [_schema_field(name, spec) for name, spec in properties.items()]
        case Mapping() if "schema" not in response_format:
            fields = [Field(str(name), _text(question), False) for name, question in response_format.items()]
        case [*questions]:
            fields = [_listed_field(question) for question in questions]
        case _:
            raise CortexError("AI_EXTRACT: responseFormat is in none of the documented forms.")
    if not 1 <= len(fields) <= MAX_QUESTIONS:
        raise CortexError(f"AI_EXTRACT takes 1 to {MAX_QUESTIONS} questions, not {len(fields)}.")
    return fields


def _schema_field(name: str, spec: Any) -> Field:
    match spec:
        case {"type": "string" | "array" as kind}:
            return Field(name, _text(spec.get("description", name)), kind == "array")
        case {"type": "object"}:
            raise CortexError(f"AI_EXTRACT: '{name}' is a table, which the local stand-in does not extract.")
        case _:
            raise CortexError(f"AI_EXTRACT: '{name}' must be of type string, array or object.")


def _listed_field(question: Any) -> Field:
    match question:
        case [name, asked]:
            return Field(_text(name), _text(asked), False)
        case _:
            return Field(_text(question), _text(question), False)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise CortexError(f"AI_EXTRACT: responseFormat has {type(value).__name__} where a text belongs.")
    return value


def _answer(field: Field, said: list[str]) -> list[str] | str | None:
    find, separator = _finder(f"{field.name.replace('_', ' ')} {field.question}".lower())
    if find is None:
        near = _nearest(said, field.question)
        if not field.is_list:
            return near[0][0] if near else None
        return [sentence for sentence, score in near[:MAX_ITEMS] if score >= MIN_SIMILARITY]
    found = find(said)
    if field.is_list:
        return found
    return separator.join(found) or None


def _finder(asked: str) -> tuple[Callable[[list[str]], list[str]] | None, str]:
    """What finds the answers to a question, and how they are joined where one text is wanted; None: by meaning."""
    for about, find, separator in _FINDERS:
        if about.search(asked):
            return find, separator
    return None, " "


def _next_steps(said: list[str]) -> list[str]:
    return _heaviest(said, lambda sentence: _weigh(sentence, _COMMITMENT), enough=2)


def _risks(said: list[str]) -> list[str]:
    return _heaviest(said, _risk, enough=1)


def _risk(sentence: str) -> float:
    # Who asks about a budget has no budget problem yet.
    asked = 0.5 if sentence.rstrip().endswith("?") else 0.0
    charge = sentence_score(sentence)
    doubt = max(0.0, -charge - 0.1) * 2
    return _weigh(sentence, _DOUBT) + doubt - max(0.0, charge) - asked


def _weigh(sentence: str, weights: Weights) -> float:
    return sum(weight for pattern, weight in weights if pattern.search(sentence))


def _heaviest(said: list[str], weigh: Callable[[str], float], enough: float) -> list[str]:
    """The sentences that weigh ``enough``, the heaviest few of them, in the order in which they were said."""
    weighed = {sentence: weight for sentence in said if (weight := weigh(sentence)) >= enough}
    chosen = sorted(weighed, key=lambda sentence: -weighed[sentence])[:MAX_ITEMS]
    return [sentence for sentence in weighed if sentence in chosen]


def _nearest(said: list[str], question: str) -> list[tuple[str, float]]:
    """Sentences and their similarity to ``question``, the nearest first."""
    candidates = list(dict.fromkeys(said))
    if not candidates:
        return []
    if len(candidates) > MAX_EMBEDDED:
        asked = set(terms(question))
        candidates.sort(key=lambda sentence: -len(asked.intersection(terms(sentence))))
        candidates = candidates[:MAX_EMBEDDED]
    vectors = embedding.embed(embedding.DEFAULT_SIMILARITY_MODEL, [question, *candidates])
    scores = vectors[1:] @ vectors[0]
    return [(candidates[row], round(float(scores[row]), 6)) for row in (-scores).argsort(kind="stable")]


@cache
def _words(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{pattern})\b", re.IGNORECASE)


_WEEKDAY = "monday|tuesday|wednesday|thursday|friday|saturday|sunday"
_ACT = (
    "send|share|forward|follow|prepare|schedule|set up|put|book|arrange|introduce|connect|get back|come back|check|"
    "discuss|talk to|speak|review|call|e-?mail|write|draft|update|circulate|loop|bring|confirm|look into|find out|"
    "escalate|organi[sz]e|invite|present|sign|fill in|test|start|meet|touch base|catch up|regroup"
)
_COMMITMENT: Weights = (
    (_words(rf"(?:I|we)(?:['’]ll| will| am going to|['’]m going to| are going to|['’]re going to) (?:\w+ )?(?:{_ACT})"), 2),
    (_words(rf"let(?:['’]s| us| me) (?:\w+ )?(?:{_ACT}|plan|agree)"), 2),
    (_words(rf"(?:please|can you|could you|would you) (?:{_ACT})"), 1.5),
    (_words(r"next steps?|action items?|to-?dos?|follow[- ]?up|on my list"), 1.5),
    (_words(r"next (?:call|meeting|session|time)|meeting into the calendar|calendar invite"), 1),
    (_words(rf"tomorrow|next (?:week|month|quarter|{_WEEKDAY})|(?:by|until|before|on) (?:the )?(?:{_WEEKDAY}|end of)"), 1),
)  # fmt: skip
_DOUBT: Weights = (
    (_words(r"too (?:expensive|much|high|late|complicated|risky)|over budget|out of budget|not in the budget"), 1.5),
    (_words(r"budget (?:cuts?|freeze)|no budget|cannot afford|can['’]t afford|hard to justify"), 1.5),
    (_words(r"competitors?|competing offer|other vendors?|alternatives?|cheaper|switch(?:ed|ing)? (?:to|away)"), 1),
    (_words(r"cancel\w*|churn\w*|terminat\w*|leave you|not renew\w*|walk away|deal[- ]breaker"), 1.5),
    (_words(r"delay\w*|postpon\w*|on hold|push(?:ed)? back|slip(?:s|ped)?|no decision"), 1),
    (_words(r"concern\w*|worr(?:y|ied)|risk\w*|block(?:er|ed|ing)|objections?|not convinced|hesitant|reluctant"), 1),
    (_words(r"outages?|down(?:time)?|bugs?|crash\w*|complain\w*|unacceptable|escalat\w*"), 0.7),
    (_words(r"budgets?|expensive|discounts?"), 0.4),
)  # fmt: skip

# The first that a field's name or question speaks of decides.
_FINDERS: tuple[tuple[re.Pattern[str], Callable[[list[str]], list[str]], str], ...] = (
    (_words(r"next steps?|action items?|commitments?|follow[- ]?ups?|to-?dos?|tasks?"), _next_steps, " "),
    (_words(r"risks?|objections?|concerns?|blockers?|competitors?|pain points?|doubts?"), _risks, " "),
    (_words(r"(?:key )?topics?|themes?|subjects?|key ?(?:words?|phrases?)"), lambda said: topics(said, MAX_ITEMS), ", "),
)  # fmt: skip
