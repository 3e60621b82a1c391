"""Problems that are open, and which messages each channel has received about them.

The ledger is the cursor of the alert sensor. Everything in it but the deliveries follows from Dagster's own
storage: without a cursor, the next tick reports the problems that are open then.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any, Literal

from gong_assets.dates import DateRange, contiguous_ranges

Kind = Literal["run", "check", "freshness", "tick", "backfill"]
State = Literal["open", "closed"]

# A run that nobody repeats never recovers, and a channel may be gone for good.
FORGET_AFTER = timedelta(days=30)
UNDELIVERED_AFTER = timedelta(days=3)

# Assets, checks, steps, jobs, schedules and sensors, each with its partitions.
Subjects = Mapping[str, frozenset[str]]
# The partition of a subject that has none.
ALL = ""
WHOLE = frozenset({ALL})


@dataclass(frozen=True)
class Problem:
    """Something that fails now.

    Attributes:
        key: identity of the cause. A problem with a known key is not reported again.
        name: what failed, such as a job with its days.
        failure: the verb and what follows it, such as `failed in calls` or `is overdue`.
        reason: the first lines of the error, without secrets and record values.
        advice: what to do, in a line, or an empty text.
        path: path of the page in the Dagster UI.
        group: problems that open in the same tick with the same group are one message.
        subjects: what fails for this cause. The problem is over once each of them has succeeded.
        is_event: it has no end that could be observed, such as a failed backfill.
    """

    key: str
    kind: Kind
    name: str
    failure: str = "failed"
    reason: str = ""
    advice: str = ""
    path: str = ""
    group: str = ""
    subjects: Subjects = field(default_factory=dict)
    is_event: bool = False


@dataclass
class Entry:
    """A problem in the ledger, with the last state that each channel has received.

    Attributes:
        is_past: a subject has succeeded for other partitions since the last occurrence, so the cause is gone.
    """

    problem: Problem
    opened_at: datetime
    last_at: datetime
    occurrences: int = 1
    closed_at: datetime | None = None
    delivered: dict[str, State] = field(default_factory=dict)
    is_past: bool = False

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
        elif entry.is_past and _united(entry.problem, problem) != entry.problem.subjects:
            # The cause is back for further partitions, while the earlier ones still wait for a run.
            entry.delivered = {}
            entry.problem = replace(problem, subjects=entry.problem.subjects)
        entry.problem = replace(entry.problem, subjects=_united(entry.problem, problem))
        entry.is_past = False
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
                entry.problem = replace(entry.problem, subjects=_united(entry.problem, problem))
        for key, entry in list(self.entries.items()):
            if entry.problem.kind in kinds and key not in present and not entry.closed_at:
                if entry.problem.is_event:
                    del self.entries[key]
                elif failing.isdisjoint(entry.problem.subjects):
                    entry.closed_at = at

    def succeed(self, subjects: Subjects, at: datetime) -> None:
        """Remove what has succeeded from the problems of runs, and close those of which nothing is left."""
        for entry in self.entries.values():
            if entry.closed_at or subjects.keys().isdisjoint(entry.problem.subjects):
                continue
            left = {
                subject: rest
                for subject, partitions in entry.problem.subjects.items()
                if (rest := _left(partitions, subjects.get(subject, frozenset())))
            }
            if not left:
                entry.closed_at = at
            else:
                entry.problem = replace(entry.problem, subjects=left)
                entry.is_past = not left.keys().isdisjoint(subjects)

    def drop_closed(self) -> None:
        self.entries = {key: entry for key, entry in self.entries.items() if not entry.closed_at}

    def open_subjects(self) -> set[str]:
        """Return the subjects of the open problems."""
        return {
            subject
            for entry in self.entries.values()
            if not entry.closed_at
            for subject in entry.problem.subjects
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


def _united(*problems: Problem) -> Subjects:
    """Return the subjects of the problems with the partitions of each."""
    united: dict[str, frozenset[str]] = {}
    for problem in problems:
        for subject, partitions in problem.subjects.items():
            united[subject] = united.get(subject, frozenset()) | partitions
    return united


def _left(failed: frozenset[str], succeeded: frozenset[str]) -> frozenset[str]:
    """Return the partitions that have not succeeded. A success without partitions is one of all."""
    if not succeeded or ALL in succeeded:
        return frozenset() if succeeded else failed
    return failed - succeeded - WHOLE


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
    subjects = {name: _partitions_to_json(each) for name, each in entry.problem.subjects.items()}
    return {**asdict(entry), **times, "problem": {**asdict(entry.problem), "subjects": subjects}}


def _entry_from_json(document: dict[str, Any]) -> Entry:
    times = {
        name: datetime.fromisoformat(document[name]) if document[name] else None
        for name in ("opened_at", "last_at", "closed_at")
    }
    subjects = {
        name: frozenset(_partitions_from_json(each)) for name, each in document["problem"]["subjects"].items()
    }
    return Entry(**{**document, **times, "problem": Problem(**{**document["problem"], "subjects": subjects})})


def _partitions_to_json(partitions: Iterable[str]) -> list[Any]:
    """Return the partitions, successive days as their first and last one: Dagster stores every cursor."""
    days = {partition for partition in partitions if _is_day(partition)}
    ranges = contiguous_ranges(map(date.fromisoformat, days))
    return [
        *([each.start.isoformat(), each.last.isoformat()] for each in ranges),
        *sorted(set(partitions) - days),
    ]


def _partitions_from_json(document: Iterable[Any]) -> Iterator[str]:
    for each in document:
        if isinstance(each, str):
            yield each
        else:
            yield from (day.isoformat() for day in DateRange.inclusive(*map(date.fromisoformat, each)))


def _is_day(partition: str) -> bool:
    try:
        return date.fromisoformat(partition).isoformat() == partition
    except ValueError:
        return False
