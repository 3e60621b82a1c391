"""Stand-in for AI_EXTRACT and SNOWFLAKE.CORTEX.EXTRACT_ANSWER.

Answers are quotations, where Cortex would write text. A field about topics gets names of common sales topics
and key phrases. A field about next steps or risks gets the sentences with words of commitment or doubt. Any
other field gets the sentence most similar to its question. Answers are deterministic; no language model is
involved.
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
from gong_assets.local.cortex.sentences import dialogue_sentences, terms
from gong_assets.local.cortex.sentiment import sentence_score
from gong_assets.local.cortex.tokens import check_token_limit

# https://docs.snowflake.com/en/user-guide/snowflake-cortex/aisql-regional-availability
AI_EXTRACT_MAX_TOKENS = 128_000
EXTRACT_ANSWER_MAX_TOKENS = 2048
EXTRACT_ANSWER_MAX_QUESTION_TOKENS = 64
# https://docs.snowflake.com/en/sql-reference/functions/ai_extract
MAX_QUESTIONS = 100
# More items would be hard to read in one table cell.
MAX_ITEMS = 5
# Embedding a sentence takes about 15 ms. Longer texts are first filtered by words in common with the
# question.
MAX_EMBEDDED = 60
# Sentences with a lower cosine similarity are unrelated and left out of lists.
MIN_SIMILARITY = 0.25

# Patterns with the weight that a match adds to a sentence.
Weights = Sequence[tuple[re.Pattern[str], float]]


@dataclass(frozen=True)
class Field:
    """A field to extract: its key in the answer, its question, and whether the answer is a list."""

    name: str
    question: str
    is_list: bool


def extract(text: str, response_format: Any) -> dict[str, Any]:
    """Return AI_EXTRACT's object: ``{"response": {field: answer}, "error": None}``.

    ``response_format`` has one of the documented forms: {field: question}, [[field, question]], [question],
    or {"schema": {...}} with properties of type string or array. Only arrays of a schema give lists. Raises
    CortexError for other forms and TooLongError over 128,000 tokens.
    """
    fields = parse_response_format(response_format)
    check_token_limit("AI_EXTRACT", text, AI_EXTRACT_MAX_TOKENS)
    sentences = dialogue_sentences(text)
    return {"response": {field.name: _answer(field, sentences) for field in fields}, "error": None}


def extract_answer(text: str, question: str) -> list[dict[str, Any]]:
    """Return EXTRACT_ANSWER's array with one ``{"answer": sentence, "score": similarity}``.

    It is empty for an empty text. Raises TooLongError over 2,048 tokens of text or 64 of question.
    """
    check_token_limit("EXTRACT_ANSWER", text, EXTRACT_ANSWER_MAX_TOKENS)
    check_token_limit("EXTRACT_ANSWER (question)", question, EXTRACT_ANSWER_MAX_QUESTION_TOKENS)
    ranked = _rank_by_similarity(dialogue_sentences(text), question)
    return [{"answer": answer, "score": score} for answer, score in ranked[:1]]


def parse_response_format(response_format: Any) -> list[Field]:
    """Return the fields of a ``responseFormat``; raises CortexError for an undocumented form."""
    match response_format:
        case {"schema": {"properties": Mapping() as properties}}:
            fields = [_field_of_schema(name, spec) for name, spec in properties.items()]
        case Mapping() if "schema" not in response_format:
            fields = [
                Field(str(name), _require_text(question), False) for name, question in response_format.items()
            ]
        case [*questions]:
            fields = [_field_of_list(question) for question in questions]
        case _:
            raise CortexError("AI_EXTRACT: responseFormat has none of the documented forms.")
    if not 1 <= len(fields) <= MAX_QUESTIONS:
        raise CortexError(f"AI_EXTRACT accepts 1 to {MAX_QUESTIONS} questions, not {len(fields)}.")
    return fields


def _field_of_schema(name: str, spec: Any) -> Field:
    match spec:
        case {"type": "string" | "array" as kind}:
            return Field(name, _require_text(spec.get("description", name)), kind == "array")
        case {"type": "object"}:
            raise CortexError(f"AI_EXTRACT: '{name}' is a table, which the local stand-in does not support.")
        case _:
            raise CortexError(f"AI_EXTRACT: '{name}' must be of type string, array or object.")


def _field_of_list(question: Any) -> Field:
    match question:
        case [name, text]:
            return Field(_require_text(name), _require_text(text), False)
        case _:
            return Field(_require_text(question), _require_text(question), False)


def _require_text(value: Any) -> str:
    if not isinstance(value, str):
        raise CortexError(
            f"AI_EXTRACT: responseFormat has a value of type {type(value).__name__} instead of a string."
        )
    return value


def _answer(field: Field, sentences: list[str]) -> list[str] | str | None:
    find, separator = _finder_for(f"{field.name.replace('_', ' ')} {field.question}".lower())
    if find is None:
        ranked = _rank_by_similarity(sentences, field.question)
        if not field.is_list:
            return ranked[0][0] if ranked else None
        return [sentence for sentence, score in ranked[:MAX_ITEMS] if score >= MIN_SIMILARITY]
    found = find(sentences)
    if field.is_list:
        return found
    return separator.join(found) or None


def _finder_for(question: str) -> tuple[Callable[[list[str]], list[str]] | None, str]:
    """Return the function that finds the answers to a question, and the separator that joins them.

    The function is None for a question that is answered by similarity.
    """
    for subject, find, separator in _FINDERS:
        if subject.search(question):
            return find, separator
    return None, " "


def _next_steps(sentences: list[str]) -> list[str]:
    return _top_weighted(sentences, lambda sentence: _weight(sentence, _COMMITMENT), min_weight=2)


def _risks(sentences: list[str]) -> list[str]:
    return _top_weighted(sentences, _risk, min_weight=1)


def _risk(sentence: str) -> float:
    # A question about the budget is not a budget problem.
    question_penalty = 0.5 if sentence.rstrip().endswith("?") else 0.0
    sentiment = sentence_score(sentence)
    doubt = max(0.0, -sentiment - 0.1) * 2
    return _weight(sentence, _DOUBT) + doubt - max(0.0, sentiment) - question_penalty


def _weight(sentence: str, weights: Weights) -> float:
    return sum(weight for pattern, weight in weights if pattern.search(sentence))


def _top_weighted(sentences: list[str], weigh: Callable[[str], float], min_weight: float) -> list[str]:
    """Return the MAX_ITEMS sentences of the highest weight, at least ``min_weight``, in the given order."""
    weights = {sentence: weight for sentence in sentences if (weight := weigh(sentence)) >= min_weight}
    chosen = sorted(weights, key=lambda sentence: -weights[sentence])[:MAX_ITEMS]
    return [sentence for sentence in weights if sentence in chosen]


def _rank_by_similarity(sentences: list[str], question: str) -> list[tuple[str, float]]:
    """Return sentences with their similarity to ``question``, most similar first."""
    candidates = list(dict.fromkeys(sentences))
    if not candidates:
        return []
    if len(candidates) > MAX_EMBEDDED:
        question_terms = set(terms(question))
        candidates.sort(key=lambda sentence: -len(question_terms.intersection(terms(sentence))))
        candidates = candidates[:MAX_EMBEDDED]
    vectors = embedding.embed(embedding.DEFAULT_SIMILARITY_MODEL, [question, *candidates])
    scores = vectors[1:] @ vectors[0]
    return [(candidates[row], round(float(scores[row]), 6)) for row in (-scores).argsort(kind="stable")]


def _topics(sentences: list[str]) -> list[str]:
    return topics(sentences, MAX_ITEMS)


@cache
def _words(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{pattern})\b", re.IGNORECASE)


_BY = "(?:by|until|before|on)"
_WEEKDAY = "monday|tuesday|wednesday|thursday|friday|saturday|sunday"
_WILL = "(?:['’]ll| will| am going to|['’]m going to| are going to|['’]re going to)"
_ACT = (
    "send|share|forward|follow|prepare|schedule|set up|put|book|arrange|introduce|connect|get back|come back|"
    "check|discuss|talk to|speak|review|call|e-?mail|write|draft|update|circulate|loop|bring|confirm|"
    "look into|find out|escalate|organi[sz]e|invite|present|sign|fill in|test|start|"
    "meet|touch base|catch up|regroup"
)
_COMMITMENT: Weights = (
    (_words(rf"(?:I|we){_WILL} (?:\w+ )?(?:{_ACT})"), 2),
    (_words(rf"let(?:['’]s| us| me) (?:\w+ )?(?:{_ACT}|plan|agree)"), 2),
    (_words(rf"(?:please|can you|could you|would you) (?:{_ACT})"), 1.5),
    (_words(r"next steps?|action items?|to-?dos?|follow[- ]?up|on my list"), 1.5),
    (_words(r"next (?:call|meeting|session|time)|meeting into the calendar|calendar invite"), 1),
    (_words(rf"tomorrow|next (?:week|month|quarter|{_WEEKDAY})|{_BY} (?:the )?(?:{_WEEKDAY}|end of)"), 1),
)  # fmt: skip
_DOUBT: Weights = (
    (_words(r"too (?:expensive|much|high|late|complicated|risky)|(?:over|out of|not in the) budget"), 1.5),
    (_words(r"budget (?:cuts?|freeze)|no budget|cannot afford|can['’]t afford|hard to justify"), 1.5),
    (_words(r"competitors?|competing offer|other vendors?|alternatives?|cheaper"
            r"|switch(?:ed|ing)? (?:to|away)"), 1),
    (_words(r"cancel\w*|churn\w*|terminat\w*|leave you|not renew\w*|walk away|deal[- ]breaker"), 1.5),
    (_words(r"delay\w*|postpon\w*|on hold|push(?:ed)? back|slip(?:s|ped)?|no decision"), 1),
    (_words(r"concern\w*|worr(?:y|ied)|risk\w*|block(?:er|ed|ing)|objections?|not convinced|hesitant"
            r"|reluctant"), 1),
    (_words(r"outages?|down(?:time)?|bugs?|crash\w*|complain\w*|unacceptable|escalat\w*"), 0.7),
    (_words(r"budgets?|expensive|discounts?"), 0.4),
)  # fmt: skip

# The first pattern that matches the name or question of a field applies.
_FINDERS: tuple[tuple[re.Pattern[str], Callable[[list[str]], list[str]], str], ...] = (
    (_words(r"next steps?|action items?|commitments?|follow[- ]?ups?|to-?dos?|tasks?"), _next_steps, " "),
    (_words(r"risks?|objections?|concerns?|blockers?|competitors?|pain points?|doubts?"), _risks, " "),
    (_words(r"(?:key )?topics?|themes?|subjects?|key ?(?:words?|phrases?)"), _topics, ", "),
)  # fmt: skip
