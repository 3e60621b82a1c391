"""Problems that are open, and which messages each channel has received about them.

The ledger is the cursor of the alert sensor. Everything in it but the deliveries follows from Dagster's own
storage: without a cursor, the next tick reports the problems that are open then.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Literal

Kind = Literal["run", "check", "freshness", "tick", "backfill"]
State = Literal["open", "closed"]

# A run that nobody repeats never recovers, and a channel may be gone for good.
FORGET_AFTER = timedelta(days=30)
UNDELIVERED_AFTER = timedelta(days=3)


@dataclass(frozen=True)
class Problem:
    """Something that fails now.

    Attributes:
        key: identity of the cause. A problem with a known key is not reported again.
        title: what failed, in one line.
        reason: the first lines of the error, without secrets and record values.
        advice: what to do, in a line, or an empty text.
        path: path of the page in the Dagster UI.
        group: problems that open in the same tick with the same group are one message.
        subjects: steps, jobs, schedules or sensors that fail for this cause, a job with the assets of its
            run. The problem is over once each of them has succeeded.
        is_event: it has no end that could be observed, such as a failed backfill.
    """

    key: str
    kind: Kind
    title: str
    reason: str = ""
    advice: str = ""
    path: str = ""
    group: str = ""
    subjects: Mapping[str, list[str]] = field(default_factory=dict)
    is_event: bool = False


@dataclass
class Entry:
    """A problem in the ledger, with the last state that each channel has received."""

    problem: Problem
    opened_at: datetime
    last_at: datetime
    occurrences: int = 1
    closed_at: datetime | None = None
    delivered: dict[str, State] = field(default_factory=dict)

    @property
    def state(self) -> State:
        return "closed" if self.closed_at else "open"


class Ledger:
    """The open problems by key, and the closed ones that a channel has not received."""

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self.entries = {entry.problem.key: entry for entry in entries}

    def open(self, problem: Problem, at: datetime) -> None:
        """Record an occurrence of the problem."""
        entry = self.entries.get(problem.key)
        if entry is None:
            self.entries[problem.key] = Entry(problem, at, at)
            return
        if entry.closed_at is not None:
            # It is back. A channel that received its end receives it again.
            entry.delivered = {
                channel: state for channel, state in entry.delivered.items() if state == "open"
            }
            entry.opened_at, entry.closed_at, entry.occurrences = at, None, 0
            entry.problem = problem
        subjects = {**entry.problem.subjects, **problem.subjects}
        entry.problem = replace(entry.problem, subjects=subjects)
        entry.occurrences += 1
        entry.last_at = at

    def keep(self, problems: Iterable[Problem], kinds: Iterable[Kind], at: datetime) -> None:
        """Set the problems of these kinds to exactly the given ones.

        A problem with subjects stays open while one of them fails, for whatever cause.
        """
        present = {problem.key: problem for problem in problems}
        failing = {subject for problem in present.values() for subject in problem.subjects}
        for key, problem in present.items():
            entry = self.entries.get(key)
            if entry is None or entry.closed_at:
                self.open(problem, at)
            else:
                subjects = {**entry.problem.subjects, **problem.subjects}
                entry.problem = replace(entry.problem, subjects=subjects)
        for key, entry in list(self.entries.items()):
            if entry.problem.kind in kinds and key not in present and not entry.closed_at:
                if entry.problem.is_event:
                    del self.entries[key]
                elif failing.isdisjoint(entry.problem.subjects):
                    entry.closed_at = at

    def succeed(self, subjects: Iterable[str], at: datetime) -> None:
        """Remove subjects that have succeeded from the problems of runs, and close those without any."""
        succeeded = set(subjects)
        for entry in self.entries.values():
            if entry.closed_at or succeeded.isdisjoint(entry.problem.subjects):
                continue
            left = {key: value for key, value in entry.problem.subjects.items() if key not in succeeded}
            if not left:
                entry.closed_at = at
            else:
                entry.problem = replace(entry.problem, subjects=left)

    def drop_closed(self) -> None:
        self.entries = {key: entry for key, entry in self.entries.items() if not entry.closed_at}

    def open_subjects(self) -> dict[str, list[str]]:
        """Return the subjects of the open problems of runs, with the assets of each."""
        return {
            subject: assets
            for entry in self.entries.values()
            if not entry.closed_at
            for subject, assets in entry.problem.subjects.items()
        }

    def undelivered(self, channel: str) -> list[Entry]:
        """Return the entries whose state the channel has not received, oldest first.

        A problem that ended before its first delivery is one message: that of its end.
        """
        return [entry for entry in self.entries.values() if entry.delivered.get(channel) != entry.state]

    def forget(self, channels: Iterable[str], now: datetime) -> None:
        """Remove the closed entries that every channel has received, and those that are too old."""
        names = list(channels)
        for key, entry in list(self.entries.items()):
            is_delivered = all(entry.delivered.get(name) == "closed" for name in names)
            is_over = entry.closed_at and (is_delivered or now - entry.closed_at > UNDELIVERED_AFTER)
            if is_over or (entry.problem.kind == "run" and now - entry.last_at > FORGET_AFTER):
                del self.entries[key]


@dataclass
class Cursor:
    """State of the alert sensor between two ticks.

    Attributes:
        since: time of the last tick, or None at the first one.
        seen: runs that ended shortly before `since`, with their ends.
    """

    ledger: Ledger = field(default_factory=Ledger)
    since: datetime | None = None
    seen: dict[str, float] = field(default_factory=dict)

    def dumps(self) -> str:
        return json.dumps(
            {
                "since": self.since and self.since.isoformat(),
                "seen": self.seen,
                "entries": [_entry_to_json(entry) for entry in self.ledger.entries.values()],
            },
            ensure_ascii=False,
        )

    @classmethod
    def loads(cls, text: str | None) -> Cursor:
        """Return the state of a cursor; a new one if there is none or it has another form."""
        try:
            document = json.loads(text or "{}")
            since = document.get("since")
            return cls(
                Ledger(map(_entry_from_json, document.get("entries", []))),
                datetime.fromisoformat(since) if since else None,
                document.get("seen", {}),
            )
        except (AttributeError, KeyError, TypeError, ValueError):
            return cls()


def _entry_to_json(entry: Entry) -> dict[str, Any]:
    times = {
        name: time.isoformat() if (time := getattr(entry, name)) else None
        for name in ("opened_at", "last_at", "closed_at")
    }
    return {**asdict(entry), **times}


def _entry_from_json(document: dict[str, Any]) -> Entry:
    times = {
        name: datetime.fromisoformat(document[name]) if document[name] else None
        for name in ("opened_at", "last_at", "closed_at")
    }
    return Entry(**{**document, **times, "problem": Problem(**document["problem"])})
