"""The company of the model test: what its Gong has, and what each layer must hold of it.

Each text has a marker of its own, a word that no other revision of any text has, so that a stale or foreign
text in a layer is recognized.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import count

from gong_assets_tests.end_to_end import company as records
from gong_assets_tests.end_to_end.company import CUSTOMER, REP, crm, crm_object, rep, transcript
from gong_assets_tests.end_to_end.gong_records import Record, stored
from gong_assets_tests.end_to_end.gong_server import Gong

TODAY = datetime.now(UTC).date()
PEOPLE = 3
DEALS = ("8800000001", "8800000002", "8800000003")


def letters(number: int) -> str:
    """Return the number as letters: redaction takes digits for phone numbers and the like."""
    return "".join("abcdefghij"[int(digit)] for digit in str(number))


def first_name(person: int) -> str:
    return f"Zephyrine{letters(person)}"


def email(person: int) -> str:
    return f"{first_name(person).lower()}@quackenbush.example"


@dataclass
class ModelCall:
    """A call as it is in Gong now.

    Attributes:
        title: marker of the title.
        spoken: marker of the transcript, if it has one.
        changed_out_of_sight: Gong's list of calls does not show a change, so no reconciliation sees it.
    """

    id: str
    started: datetime
    person: int
    title: str
    deal: str = DEALS[0]
    spoken: str | None = None
    is_private: bool = False
    changed_out_of_sight: bool = False

    @property
    def day(self) -> date:
        return self.started.date()

    def record(self) -> Record:
        person = {
            "id": "9", "speakerId": CUSTOMER, "name": f"{first_name(self.person)} Quackenbush",
            "affiliation": "External", "emailAddress": email(self.person), "methods": ["Attendee"],
        }  # fmt: skip
        title = f"{first_name(self.person)} and Rita {self.title}"
        return records.call(
            self.id,
            self.started.isoformat(),
            parties=[rep(), person],
            meta={"title": title, "isPrivate": self.is_private},
            context=[crm("HubSpot", crm_object("Opportunity", self.deal, "Now", dealname="Platform"))],
        )

    def transcript(self) -> Record:
        return transcript(
            self.id,
            (REP, None, [f"Good morning {first_name(self.person)}, this is the offer rep{self.spoken}."]),
            (CUSTOMER, None, [f"We are not happy with the terrible price of buyer{self.spoken} today."]),
        )


@dataclass
class Company:
    """The calls in Gong, those that are gone for good, and who was erased.

    Attributes:
        first_day: the first day that is kept, once calls expire.
        new_segments: how often a segment got a text that Cortex may not have been sent.
    """

    gong: Gong
    calls: list[ModelCall] = field(default_factory=list)
    known: set[str] = field(default_factory=set)
    erased_calls: set[str] = field(default_factory=set)
    erased_people: set[int] = field(default_factory=set)
    first_day: date = date.min
    new_segments: int = 0
    _numbers: Iterator[int] = field(default_factory=lambda: count(10))

    def publish(self) -> None:
        """Put the calls into Gong."""
        self.gong.calls = [stored(call.record()) for call in self.calls]
        self.gong.transcripts = [call.transcript() for call in self.calls if call.spoken]

    def marker(self) -> str:
        return letters(next(self._numbers))

    def add(self, age: int, person: int, *, with_transcript: bool) -> None:
        number = next(self._numbers)
        midnight = datetime.combine(TODAY - timedelta(days=age), datetime.min.time(), UTC)
        call = ModelCall(
            f"55{number:016}", midnight + timedelta(seconds=number), person, title=f"title{self.marker()}"
        )
        call.spoken = self.marker() if with_transcript else None
        self.calls.append(call)
        self.known.add(call.id)
        self.said_anew(call)

    def said_anew(self, *calls: ModelCall) -> None:
        """Publish, and count the segments of these calls as new to Cortex."""
        self.new_segments += 2 * sum(call.spoken is not None for call in calls)
        self.publish()

    @property
    def visible(self) -> list[ModelCall]:
        """The calls that the layers must hold."""
        return [
            call
            for call in self.calls
            if not call.is_private and call.id not in self.erased_calls and call.day >= self.first_day
        ]

    def titles(self) -> dict[str, str]:
        """Return the title of each visible call."""
        return {call.id: f"{self._name(call.person)} and Rita {call.title}" for call in self.visible}

    def deals(self) -> set[tuple[str, str]]:
        return {(call.id, call.deal) for call in self.visible}

    def segments(self) -> list[tuple[str, str]]:
        """Return the call and the marker of each segment of a visible call, in order."""
        return sorted(
            (call.id, f"{speaker}{call.spoken}")
            for call in self.visible
            if call.spoken
            for speaker in ("rep", "buyer")
            if speaker == "rep" or call.person not in self.erased_people
        )

    def gone(self) -> set[str]:
        """Return the IDs that no table may contain: of calls that are not visible, whatever the reason."""
        return self.known - {call.id for call in self.visible}

    def erased(self) -> set[str]:
        """Return what nothing may contain: IDs of erased calls, and names of erased people."""
        return self.erased_calls | {first_name(person).lower() for person in self.erased_people}

    def _name(self, person: int) -> str:
        return "[erased]" if person in self.erased_people else first_name(person)
