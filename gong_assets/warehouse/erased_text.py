"""Redaction of a person in the JSON of a call and its transcript. Pure functions.

A person is known by salted hashes only: of identifiers, such as an e-mail address, and of the words of their
name. So a record that lands years later is redacted like those that were landed when the person was erased.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

ERASED = "[erased]"

# Fields of a party that do not tell who it is.
_KEPT_OF_PARTY = ("id", "speakerId", "affiliation", "methods")
# Shorter words of a name, such as initials, are parts of too many other words.
_MIN_LETTERS = 3
_TOKEN = re.compile(r"[\w.+%-]+@[\w.-]+\w|\+?\d[\d\s()./-]{5,}\d|[^\W_]+(?:'[^\W_]+)?")


def normalized(kind: str, value: str) -> str:
    """Return the form of an identifier that is hashed, whatever its spelling. SQL in `erasures.py` agrees."""
    value = value.strip().lower()
    return re.sub(r"[^0-9]", "", value) if kind == "phone" else value


def hashed(salt: str, value: str) -> str:
    """Return the hash of a normalized identifier or word."""
    return hashlib.sha256((salt + value).encode()).hexdigest()


@dataclass(frozen=True)
class Person:
    """One erased person: the salt, and the hashes of identifiers by kind and of words."""

    salt: str
    identifiers: Collection[tuple[str, str]]
    words: Collection[str] = ()

    def is_party(self, party: Any) -> bool:
        return any(
            (kind, hashed(self.salt, value)) in self.identifiers for kind, value in _identifiers(party)
        )

    def words_of(self, party: Any) -> set[str]:
        """Return the hashes of the words by which the party can be mentioned."""
        return {hashed(self.salt, word) for word in _words(party)}

    def redact(self, text: str) -> str:
        """Return the text without the words of the person."""

        def replaced(match: re.Match[str]) -> str:
            token = match[0].lower()
            digits = re.sub(r"[^0-9]", "", token)
            forms = {token, token.removesuffix("'s"), digits or token}
            return ERASED if any(hashed(self.salt, form) in self.words for form in forms) else match[0]

        return _TOKEN.sub(replaced, text)

    def redact_call(self, call: Any) -> Any:
        """Return the call without the party, and without its words in any text."""
        parties = call.get("parties") if isinstance(call, dict) else None
        if isinstance(parties, list):
            call = {
                **call,
                "parties": [_anonymous(each) if self.is_party(each) else each for each in parties],
            }
        return self.redact_values(call)

    def redact_transcript(self, transcript: Any, speakers: Collection[str]) -> Any:
        """Return the transcript without what these speakers said, and without the person's words."""
        for turn in transcript.get("transcript") or []:
            if isinstance(turn, dict) and str(turn.get("speakerId")) in speakers:
                for sentence in turn.get("sentences") or []:
                    sentence["text"] = ERASED
        return self.redact_values(transcript)

    def redact_values(self, value: Any) -> Any:
        """Return the value with all of its texts redacted."""
        if isinstance(value, str):
            return self.redact(value)
        if isinstance(value, list):
            return [self.redact_values(each) for each in value]
        if isinstance(value, dict):
            return {key: self.redact_values(each) for key, each in value.items()}
        return value


def erased_speakers(call: Any) -> set[str]:
    """Return the speaker IDs of the parties that were erased."""
    parties = call if isinstance(call, list) else []
    return {str(each["speakerId"]) for each in parties if _is_erased(each) and each.get("speakerId")}


def _is_erased(party: Any) -> bool:
    return isinstance(party, dict) and party.get("name") == ERASED


def _anonymous(party: Any) -> dict[str, Any]:
    return {**{key: party[key] for key in _KEPT_OF_PARTY if key in party}, "name": ERASED}


def _identifiers(party: Any) -> Iterator[tuple[str, str]]:
    if not isinstance(party, dict):
        return
    for kind, field in (("email", "emailAddress"), ("phone", "phoneNumber")):
        if isinstance(party.get(field), str):
            yield kind, normalized(kind, party[field])
    for context in party.get("context") or []:
        for record in (context.get("objects") if isinstance(context, dict) else None) or []:
            if isinstance(record, dict) and record.get("objectId") is not None:
                yield "crm", normalized("crm", str(record["objectId"]))


def _words(party: Any) -> Iterator[str]:
    for kind, value in _identifiers(party):
        if kind != "crm" and value:
            yield value
            name = value.partition("@")[0] if kind == "email" else ""
            yield from (word for word in re.findall(r"[^\W_\d]+", name) if len(word) >= _MIN_LETTERS)
    if isinstance(party.get("name"), str):
        for word in _TOKEN.findall(party["name"].lower()):
            if len(word) >= _MIN_LETTERS:
                yield word
