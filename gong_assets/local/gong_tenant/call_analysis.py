"""The results of Gong's analysis: ``content`` and ``interaction`` of POST /v2/calls/extensive.

All values are computed from the conversation, so that they agree with the transcript. As in Gong's API, times
are in seconds here and in milliseconds in transcripts. Response keys follow Gong's OpenAPI document.
"""

from __future__ import annotations

import re
import struct
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby, pairwise
from typing import Any

from gong_assets.local.gong_tenant.calls import Call
from gong_assets.local.gong_tenant.company import Company, Contact
from gong_assets.local.gong_tenant.request_bodies import Content, Interaction
from gong_assets.local.gong_tenant.speech import Conversation, Sentence, Turn, topic_label

Json = dict[str, Any]

OBJECTION_TOPICS = frozenset({"pricing", "legal", "competition"})
MAX_TURNS_PER_MINUTE = 12  # where Gong's interactivity scale of 0 to 10 ends; an assumption


@dataclass(frozen=True, slots=True)
class TalkStats:
    """Gong's interaction statistics of a call, in seconds unless stated otherwise."""

    talk_ratio: float  # the host's share of all identified speech, 0 to 1
    longest_monologue: float
    longest_customer_story: float
    interactivity: float  # frequency of speaker changes, 0 to 10
    patience: float  # average pause between the customer's last word and our next
    question_rate: float  # our questions per hour

    def by_name(self) -> dict[str, float]:
        return {
            "Talk Ratio": self.talk_ratio,
            "Longest Monologue": self.longest_monologue,
            "Longest Customer Story": self.longest_customer_story,
            "Interactivity": self.interactivity,
            "Patience": self.patience,
            "Question Rate": self.question_rate,
        }


def speaker_id(company: Company, call: Call, position: int | None) -> str | None:
    """Return the speaker id of transcripts, tracker occurrences and ``parties[].speakerId``."""
    return None if position is None else company.gong_id("speaker", call.id, position)


def party_id(company: Company, call: Call, position: int) -> str:
    """Return the id of an attendee in ``parties[].id`` and ``interaction.speakers[].id``."""
    return company.gong_id("party", call.id, position)


def talk_seconds(conversation: Conversation) -> dict[int, float]:
    """Return the seconds spoken by each attendee, by position, without unidentified turns."""
    spoken: defaultdict[int, int] = defaultdict(int)
    for turn in conversation.turns:
        if turn.speaker is not None:
            spoken[turn.speaker] += sum(sentence.end_ms - sentence.start_ms for sentence in turn.sentences)
    return {position: spoken[position] / 1000 for position in sorted(spoken)}


def talk_stats(call: Call, conversation: Conversation) -> TalkStats:
    talk = talk_seconds(conversation)
    turns = conversation.turns
    ours = {position for position in talk if call.is_ours(position)}
    theirs = talk.keys() - ours
    gaps = [b.start_ms - a.end_ms for a, b in pairwise(turns) if a.speaker in theirs and b.speaker in ours]
    minutes = conversation.duration_seconds / 60
    questions = sum(is_question(s) for turn in turns if turn.speaker in ours for s in turn.sentences)
    return TalkStats(
        talk_ratio=round(talk.get(0, 0.0) / (sum(talk.values()) or 1), 4),
        longest_monologue=max((_duration(turn) for turn in turns if turn.speaker == 0), default=0),
        longest_customer_story=max((_duration(turn) for turn in turns if turn.speaker in theirs), default=0),
        interactivity=round(min(10.0, 10 * len(turns) / minutes / MAX_TURNS_PER_MINUTE), 2),
        patience=round(sum(gaps) / len(gaps) / 1000, 2) if gaps else 0,
        question_rate=round(questions / minutes * 60, 1),
    )


def interaction(company: Company, call: Call, conversation: Conversation, fields: Interaction) -> Json:
    block: Json = {}
    if fields.speakers:
        block["speakers"] = [
            {
                "id": party_id(company, call, position),
                "userId": call.attendees[position].id if call.is_ours(position) else None,
                "talkTime": seconds,
            }
            for position, seconds in talk_seconds(conversation).items()
        ]
    if fields.person_interaction_stats:
        stats = talk_stats(call, conversation).by_name()
        stats.pop("Question Rate")  # reported per user (/v2/stats/interaction), not per call
        block["interactionStats"] = [{"name": name, "value": value} for name, value in stats.items()]
    if fields.video and not call.by_phone:
        length = conversation.duration_seconds
        block["video"] = [
            {"name": "Presentation", "duration": length // 3 if call.kind.name == "demo" else 0},
            {"name": "WebcamPrimaryUser", "duration": round(length * 0.9, 1)},
            {"name": "WebcamNonCompany", "duration": round(length * 0.7, 1)},
        ]
    if fields.questions:
        asking = [turn.speaker for turn in conversation.turns for s in turn.sentences if is_question(s)]
        ours = sum(map(call.is_ours, asking))
        block["questions"] = {"companyCount": ours, "nonCompanyCount": len(asking) - ours}
    return block


def content(company: Company, call: Call, conversation: Conversation, fields: Content) -> Json:
    sections = list(_sections(conversation))
    block: Json = {}
    if fields.structure:
        block["structure"] = [{"name": topic_label(s.topic), "duration": round(s.seconds)} for s in sections]
    if fields.topics:
        block["topics"] = [
            *({"name": topic_label(s.topic), "duration": round(s.seconds)} for s in sections),
            {"name": "Wrap-up", "duration": 0},  # Gong also lists topics that do not occur
        ]
    if fields.trackers:
        block["trackers"] = list(
            _trackers(company, call, conversation, with_times=fields.tracker_occurrences)
        )
    if fields.points_of_interest:
        block["pointsOfInterest"] = {
            "actionItems": [_action_item(company, call, *item) for item in _promises(conversation)]
        }
    if fields.brief:
        block["brief"] = _brief(call, sections)
    if fields.outline:
        block["outline"] = [_outline_section(section) for section in sections]
    if fields.highlights:
        promises = [sentence for _, sentence in _promises(conversation)]
        items = [{"text": s.text, "startTimes": [s.start_ms / 1000]} for s in promises]
        block["highlights"] = [{"title": "Next steps", "items": items}]
    if fields.call_outcome:
        number = 1 if call.mood > 0 else 3 if call.mood < -0.5 else 0
        block["callOutcome"] = {"id": company.gong_id("outcome", number), **company.outcomes[number]}
    if fields.key_points:
        block["keyPoints"] = [{"text": section.firsts[-1].text} for section in sections[1:]]
    return block


def is_question(sentence: Sentence) -> bool:
    return sentence.text.endswith("?")


@dataclass(frozen=True, slots=True)
class _Section:
    """Consecutive turns on one topic; times in seconds."""

    topic: str
    start: float
    seconds: float
    firsts: Sequence[Sentence]  # the first sentence of each turn


def _sections(conversation: Conversation) -> Iterator[_Section]:
    for topic, group in groupby(conversation.turns, key=lambda turn: turn.topic):
        turns = list(group)
        start, end = turns[0].start_ms / 1000, turns[-1].end_ms / 1000
        yield _Section(topic, start, round(end - start, 3), [turn.sentences[0] for turn in turns])


def _outline_section(section: _Section) -> Json:
    return {
        "section": topic_label(section.topic),
        "startTime": _float32(section.start),
        "duration": _float32(section.seconds),
        "items": [{"text": s.text, "startTime": _float32(s.start_ms / 1000)} for s in section.firsts[:3]],
    }


def _brief(call: Call, sections: Sequence[_Section]) -> str:
    people = [person.name for person in call.attendees if isinstance(person, Contact)]
    labels = [topic_label(section.topic).lower() for section in sections[1:-1]]
    feeling = "content" if call.mood > 0.2 else "unhappy" if call.mood < -0.4 else "reserved"
    return (
        f"{call.host.name} met {' and '.join(people)} of {call.account.name}. "
        f"They talked about {', '.join(labels) or 'next steps'}. The customer seemed {feeling}."
    )


def _promises(conversation: Conversation) -> list[tuple[int | None, Sentence]]:
    """Return the promises in the conversation, as (speaker, sentence)."""
    return [
        (turn.speaker, sentence)
        for turn in conversation.turns
        if turn.topic == "next_steps"
        for sentence in turn.sentences
        if " will " in sentence.text and not is_question(sentence)
    ]


def _action_item(company: Company, call: Call, position: int | None, sentence: Sentence) -> Json:
    return {
        "snippetStartTime": sentence.start_ms / 1000,
        "snippetEndTime": sentence.end_ms / 1000,
        "speakerID": speaker_id(company, call, position),  # with a capital D, as in Gong's API
        "snippet": sentence.text,
    }


def _trackers(
    company: Company, call: Call, conversation: Conversation, *, with_times: bool
) -> Iterator[Json]:
    for tracker in company.trackers:
        occurrences_by_phrase: dict[str, list[Json]] = defaultdict(list)
        pattern = _keyword_pattern(tuple(tracker["keywords"]))
        for turn in conversation.turns:
            if not _is_tracked(tracker["affiliation"], call, turn):
                continue
            for sentence in turn.sentences:
                for match in pattern.finditer(sentence.text):
                    phrase = match.group().lower()
                    occurrences_by_phrase[phrase].append(_occurrence(company, call, turn, sentence))
        all_occurrences = [o for occurrences in occurrences_by_phrase.values() for o in occurrences]
        all_occurrences.sort(key=lambda occurrence: occurrence["startTime"])
        yield {
            "id": company.gong_id("tracker", tracker["name"]),
            "name": tracker["name"],
            "count": len(all_occurrences),
            "type": "KEYWORD",
            "occurrences": all_occurrences if with_times else [],
            "phrases": [
                {"phrase": phrase, "count": len(times), "occurrences": times if with_times else []}
                for phrase, times in occurrences_by_phrase.items()
            ],
        }
    objections = [
        _occurrence(company, call, turn, turn.sentences[0])
        for turn in conversation.turns
        if call.mood < -0.2 and turn.topic in OBJECTION_TOPICS and _is_tracked("NonCompany", call, turn)
    ]
    yield {
        "id": company.gong_id("tracker", company.smart_tracker),
        "name": company.smart_tracker,
        "count": len(objections),
        "type": "SMART",
        "occurrences": objections if with_times else [],
        "phrases": [],
    }


def _is_tracked(affiliation: str, call: Call, turn: Turn) -> bool:
    if affiliation == "Anyone":
        return True
    return turn.speaker is not None and call.is_ours(turn.speaker) == (affiliation == "Company")


def _occurrence(company: Company, call: Call, turn: Turn, sentence: Sentence) -> Json:
    return {"startTime": sentence.start_ms / 1000, "speakerId": speaker_id(company, call, turn.speaker)}


@lru_cache
def _keyword_pattern(keywords: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{'|'.join(map(re.escape, keywords))})\b", re.IGNORECASE)


def _duration(turn: Turn) -> float:
    return (turn.end_ms - turn.start_ms) / 1000


def _float32(value: float) -> float:
    """Round to single precision, as in Gong's outline (568.9 becomes 568.9000244140625)."""
    widened: float = struct.unpack("f", struct.pack("f", value))[0]
    return widened
