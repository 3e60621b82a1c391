"""Records of the test Gong, and what its endpoints select from them."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from statistics import mean
from typing import Any

Record = dict[str, Any]

# Blocks of a call, with the names of their parts in a contentSelector. ANSWERED_AS has the names in the
# response that differ.
BLOCKS = {
    "content": (
        *(
            "structure",
            "topics",
            "trackers",
            "trackerOccurrences",
            "pointsOfInterest",
            "brief",
            "outline",
            "highlights",
        ),
        *("callOutcome", "keyPoints"),
    ),
    "interaction": ("speakers", "video", "personInteractionStats", "questions"),
    "collaboration": ("publicComments",),
}
ANSWERED_AS = {"personInteractionStats": "interactionStats"}

# The lists of calls in each day of /v2/stats/activity/day-by-day.
ACTIVITIES = (
    *("callsAsHost", "callsAttended", "callsGaveFeedback", "callsRequestedFeedback", "callsReceivedFeedback"),
    *("ownCallsListenedTo", "othersCallsListenedTo", "callsSharedInternally", "callsSharedExternally"),
    *("callsScorecardsFilled", "callsScorecardsReceived", "callsCommentsGiven", "callsCommentsReceived"),
    *("callsMarkedAsFeedbackGiven", "callsMarkedAsFeedbackReceived"),
)


@dataclass(frozen=True)
class StoredCall:
    """A call in Gong, and the time by which it is filtered and sorted."""

    document: Record
    time: datetime

    @property
    def id(self) -> str | None:
        meta = self.document.get("metaData")
        return str(meta["id"]) if isinstance(meta, dict) and "id" in meta else None


def stored(document: Record) -> StoredCall:
    return StoredCall(document, datetime.fromisoformat(document["metaData"]["started"]).astimezone(UTC))


@dataclass(frozen=True)
class StoredFolder:
    """A folder of the library, as listed by /v2/library/folders, and its calls."""

    document: Record
    calls: list[Record] = field(default_factory=list)
    workspace_id: str | None = None


def selected(call: Record, selector: Record) -> Record:
    """Return the call with the parts that the contentSelector requests, and always with unknown fields."""
    exposed = selector.get("exposedFields") or {}
    shown = dict(call)
    if selector.get("context", "None") == "None":
        shown.pop("context", None)
    elif "context" in call:
        shown["context"] = _of_timings(call["context"], selector.get("contextTiming") or ["Now"])
    if not exposed.get("parties"):
        shown.pop("parties", None)
    for block, parts in BLOCKS.items():
        requested = exposed.get(block) or {}
        omitted = {ANSWERED_AS.get(part, part) for part in parts if not requested.get(part)}
        if isinstance(block_of_call := call.get(block), dict):
            shown[block] = {name: part for name, part in block_of_call.items() if name not in omitted}
        if not any(requested.values()):
            shown.pop(block, None)
    if exposed.get("media"):
        shown["media"] = {"audioUrl": f"https://media.example/{secrets.token_hex(8)}"}
    return shown


def _of_timings(context: Any, timings: list[str]) -> Any:
    if not isinstance(context, list):
        return context
    return [
        {
            **crm,
            "objects": [
                each for each in crm.get("objects") or [] if (each.get("timing") or "Now") in timings
            ],
        }
        for crm in context
    ]


def listed_time(call: StoredCall) -> datetime:
    """Return the time by which /v2/calls sorts: a web conference's scheduled start, or the call's start."""
    meta = call.document.get("metaData")
    if isinstance(meta, dict) and meta.get("direction") == "Conference" and meta.get("scheduled"):
        return datetime.fromisoformat(meta["scheduled"]).astimezone(UTC)
    return call.time


def days_of(body: Record) -> list[date]:
    first, end = (date.fromisoformat(body["filter"][key]) for key in ("fromDate", "toDate"))
    return [first + timedelta(days=n) for n in range((end - first).days)]


def by_user(
    records_by_day: dict[date, list[Record]], days: list[date], body: Record
) -> dict[str, dict[date, Record]]:
    """Return the records of each requested user by day."""
    found: dict[str, dict[date, Record]] = {}
    for day in days:
        for record in records_by_day.get(day, []):
            if is_one_of(record.get("userId"), body["filter"].get("userIds")):
                found.setdefault(str(record.get("userId")), {})[day] = record
    return found


def averages(records: list[Record]) -> Record:
    """Return the averages of one user's records of several days; a single record is returned unchanged."""
    if len(records) == 1:
        return records[0]
    values: dict[str, list[float]] = {}
    for record in records:
        for stat in record["personInteractionStats"]:
            if stat["value"] is not None:
                values.setdefault(stat["name"], []).append(stat["value"])
    stats = [{"name": name, "value": mean(measured)} for name, measured in values.items()]
    return {**records[0], "personInteractionStats": stats}


def is_one_of(value: Any, allowed: list[str] | None) -> bool:
    return allowed is None or str(value) in allowed


def time_of(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
