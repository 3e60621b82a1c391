"""Calls: who met whom, when, and from when on Gong's API would show what of it.

A day's calls are a pure function of (seed, calls per day, day), made when the day is first asked for. What is said on a
call is made later still, by `Diary.conversation`, because listing calls does not need it. JSON is in `documents`.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache

from gong_assets.local.gong_tenant import seeded_random
from gong_assets.local.gong_tenant.company import (
    NEW_BUSINESS,
    TIME_ZONE,
    Account,
    Company,
    Contact,
    Deal,
    User,
)
from gong_assets.local.gong_tenant.speech import Cast, Conversation, Kind, converse, kinds

LONGEST_ID = 20  # digits, as Gong documents it
HISTORY = timedelta(days=730)  # how far back calls are kept: a common retention period
CACHED_CALLS = 20_000  # calls without their words, under 1 kB each: about 20 MB
CACHED_CONVERSATIONS = 2_000  # 20 pages; about 20 kB each at the default length: about 40 MB

WEEKEND_SHARE = 1 / 6  # of a weekday's calls
OFFICE_OPENS, OFFICE_HOURS = time(6, 30), 11  # Pacific time: from Europe's afternoon to Asia's morning

# Kinds of call by how far the deal is; the later ones presuppose the earlier.
OPEN_DEAL_KINDS = (
    ("discovery",),
    ("discovery", "demo"),
    ("demo",),
    ("security_review", "pricing"),
    ("pricing", "contract"),
)
CUSTOMER_KINDS = ("check_in", "check_in", "renewal", "demo", "escalation")
LOST_CUSTOMER_KINDS = ("win_back",)
NEW_CUSTOMER_KINDS = ("onboarding", "check_in")

# How often the odd things happen that Gong's users report. Each is rare enough not to hide the ordinary case.
PRIVATE_RATE = 0.03
LATER_PRIVATE_RATE = 0.01
DELETED_RATE = 0.01
SLOW_RATE = 0.04  # processed in hours instead of minutes; drawn for each step on its own
NO_TRANSCRIPT_RATE = 0.02
EARLY_TRANSCRIPT_RATE = 0.01  # the transcript is served before the call is listed
RELINKED_RATE = 0.015
NO_CRM_RATE = 0.08
TWO_DEALS_RATE = 0.02
IMPORTED_RATE = 0.02  # uploaded recordings, of which Gong does not know the parties
NO_TITLE_RATE = 0.01
SECOND_COLLEAGUE_RATE = 0.35
SILENT_INVITEE_RATE = 0.25

ANGRY_MOOD, ANGRY_TALK = -0.6, 0.6  # an angry customer leaves less of the call to our side

_ID_SPACE: int = 2**62  # so that every id is a positive int64, as Gong's are
_ID_BASE = 10**17  # so that every id has at least 18 digits
_ID_MULTIPLIER = 0x2545F4914F6CDD1D  # any odd number can be undone; this one spreads neighbours well
_ID_DIVISOR: int = pow(_ID_MULTIPLIER, -1, _ID_SPACE)


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """From when on the API shows something of a call, in UTC. None is never."""

    visible_at: datetime
    transcript_at: datetime | None
    enriched_at: datetime
    private_at: datetime | None
    relinked_at: datetime | None
    deleted_at: datetime | None

    def is_listed(self, now: datetime) -> bool:
        return self.visible_at <= now and not self.is_deleted(now)

    def is_deleted(self, now: datetime) -> bool:
        return self.deleted_at is not None and self.deleted_at <= now

    def is_private(self, now: datetime) -> bool:
        return self.private_at is not None and self.private_at <= now

    def awaits_relinking(self, now: datetime) -> bool:
        return self.relinked_at is not None and now < self.relinked_at

    def has_transcript(self, now: datetime) -> bool:
        return self.transcript_at is not None and self.transcript_at <= now and not self.is_deleted(now)


@dataclass(frozen=True, slots=True)
class Call:
    id: str
    started: datetime  # in the company's time zone, as are all local times of a call
    scheduled: datetime
    kind: Kind
    host: User
    account: Account
    attendees: tuple[User | Contact, ...]  # the host first
    silent: frozenset[int]  # positions of attendees who never spoke
    deals: tuple[Deal, ...]  # in the end, the current one first; () if the call is not linked to the CRM
    deals_before: tuple[Deal, ...]  # until `lifecycle.relinked_at`
    imported: bool
    titled: bool
    by_phone: bool
    words: int
    mood: float  # how the customer felt, -1 to 1
    lifecycle: Lifecycle

    def is_ours(self, position: int | None) -> bool:
        """Whether the attendee at that position is one of ours; an unidentified voice is not."""
        return position is not None and isinstance(self.attendees[position], User)


class Diary:
    """All calls of a company, made day by day on demand and kept in a bounded cache."""

    def __init__(self, company: Company, *, calls_per_day: int, words_per_call: int) -> None:
        self.company = company
        self._calls_per_day = calls_per_day
        self._words_per_call = words_per_call
        self._id_offset = seeded_random.number(company.seed)
        self.calls_of = lru_cache(max(7, CACHED_CALLS // max(1, calls_per_day)))(self._calls_of)
        self.conversation = lru_cache(CACHED_CONVERSATIONS)(self._conversation)

    def between(self, start: datetime, end: datetime) -> Iterator[Call]:
        """The calls of all local days that [start, end) touches, by start: the caller filters them further.

        Office hours keep both a call's start and what was scheduled for it within one local day.
        """
        day, last = start.astimezone(TIME_ZONE).date(), end.astimezone(TIME_ZONE).date()
        while day <= last:
            yield from self.calls_of(day)
            day += timedelta(days=1)

    def find(self, call_id: str) -> Call | None:
        """The call with that id, whatever its state; None if there is none."""
        if not (call_id.isascii() and call_id.isdecimal() and len(call_id) <= LONGEST_ID):
            return None
        ordinal = self._number(int(call_id)) >> 20
        if not date.min.toordinal() < ordinal < date.max.toordinal():
            return None
        return next((call for call in self.calls_of(date.fromordinal(ordinal)) if call.id == call_id), None)

    def _call_id(self, number: int) -> str:
        """A one-to-one scrambling of the call's number (day and position), so that `find` needs no index."""
        return str(_ID_BASE + (number * _ID_MULTIPLIER + self._id_offset) % _ID_SPACE)

    def _number(self, call_id: int) -> int:
        return (call_id - _ID_BASE - self._id_offset) * _ID_DIVISOR % _ID_SPACE

    def _calls_of(self, day: date) -> tuple[Call, ...]:
        draw = seeded_random.draw(self.company.seed, day)
        share = WEEKEND_SHARE if day.weekday() >= 5 else 1.0
        count = round(self._calls_per_day * share * draw.uniform(0.85, 1.15))
        calls = [
            self._call(draw, day, self._call_id(day.toordinal() << 20 | index)) for index in range(count)
        ]
        return tuple(sorted(calls, key=lambda call: (call.started, call.id)))

    def _call(self, draw: random.Random, day: date, call_id: str) -> Call:
        account = draw.choice(self.company.accounts)
        host = self._host(draw, account)
        deal = self.company.deal(account, day)
        kind = _kind(draw, deal, day)
        minute = draw.randrange(0, OFFICE_HOURS * 60, 5)
        # Local times are made from UTC so that no call starts in the hour that a clock change skips.
        opens = datetime.combine(day, OFFICE_OPENS, TIME_ZONE).astimezone(UTC)
        scheduled = opens + timedelta(minutes=minute)
        started = scheduled + timedelta(seconds=draw.randint(-120, 420), microseconds=_microseconds(draw))
        words = round(self._words_per_call * draw.uniform(0.6, 1.4))
        imported = draw.random() < IMPORTED_RATE
        attendees = self._attendees(draw, host, account)
        contacts = [position for position, person in enumerate(attendees) if isinstance(person, Contact)]
        is_silent = len(contacts) > 1 and draw.random() < SILENT_INVITEE_RATE
        return Call(
            id=call_id,
            started=started.astimezone(TIME_ZONE),
            scheduled=scheduled.astimezone(TIME_ZONE),
            kind=kind,
            host=host,
            account=account,
            attendees=attendees,
            silent=frozenset(contacts[-1:]) if is_silent else frozenset(),
            deals=() if imported else self._deals(draw, deal),
            deals_before=() if imported else (self.company.previous_deal(deal),),
            imported=imported,
            titled=draw.random() >= NO_TITLE_RATE,
            by_phone=draw.random() < 0.2,
            words=words,
            mood=max(-1.0, min(1.0, kind.mood + host.mood + draw.gauss(0, 0.3))),
            lifecycle=_lifecycle(draw, started, words),
        )

    def _host(self, draw: random.Random, account: Account) -> User:
        """The account's owner as a rule, else a colleague standing in."""
        owner = next(rep for rep in self.company.reps if rep.id == account.owner_id)
        return owner if draw.random() < 0.75 else draw.choice(self.company.reps)

    def _deals(self, draw: random.Random, deal: Deal) -> tuple[Deal, ...]:
        chance = draw.random()
        if chance < NO_CRM_RATE:
            return ()
        return (deal, self.company.previous_deal(deal)) if chance > 1 - TWO_DEALS_RATE else (deal,)

    def _attendees(self, draw: random.Random, host: User, account: Account) -> tuple[User | Contact, ...]:
        ours = [host]
        if draw.random() < SECOND_COLLEAGUE_RATE:
            ours.append(draw.choice(self.company.engineers))
        theirs = draw.sample(account.contacts, k=draw.randint(1, len(account.contacts)))
        return (*ours, *theirs)

    def _conversation(self, call: Call) -> Conversation:
        draw = seeded_random.draw(self.company.seed, "speech", call.id)
        speaking = [position for position in range(len(call.attendees)) if position not in call.silent]
        cast = Cast(
            ours=tuple(position for position in speaking if call.is_ours(position)),
            theirs=tuple(position for position in speaking if not call.is_ours(position)),
            talk_share=call.host.talk_share * (ANGRY_TALK if call.mood < ANGRY_MOOD else 1),
            mood=call.mood,
        )
        seats = max(5, call.account.employees // 4)
        slots = {
            "account": [call.account.name],
            "rep": [call.host.first_name],
            "contact": [call.attendees[cast.theirs[0]].first_name],
            "colleague": [engineer.first_name for engineer in self.company.engineers],
            "city": [call.account.city],
            "competitor": [draw.choice(self.company.competitors)],
            "seats": [str(seats), str(seats + seats // 10)],
            "amount": [f"{self.company.deal(call.account, call.started.date()).amount:,}"],
            "percent": ["8", "10", "12", "15", "20"],
            "weekday": ["Tuesday", "Wednesday", "Thursday", "Friday"],
        }
        return converse(draw, call.kind, cast, call.words, slots)


def _kind(draw: random.Random, deal: Deal, day: date) -> Kind:
    """A kind of call that suits where the deal is."""
    is_new, is_closed = deal.pipeline is NEW_BUSINESS, day >= deal.closes
    if is_closed and not deal.won:
        names: tuple[str, ...] = LOST_CUSTOMER_KINDS
    elif is_new:
        stage = deal.pipeline.stages.index(deal.stage(day))
        names = NEW_CUSTOMER_KINDS if is_closed else OPEN_DEAL_KINDS[stage]
    else:
        names = CUSTOMER_KINDS
    return kinds()[draw.choice(names)]


def _lifecycle(draw: random.Random, started: datetime, words: int) -> Lifecycle:
    """When each part of a call shows. Processing starts when the call is over, which is well within a word a second."""
    ended = started + timedelta(seconds=words) + timedelta(minutes=2)
    visible_at = ended + _delay(draw, minutes=45)
    transcript_at: datetime | None = visible_at + _delay(draw, minutes=20)
    if draw.random() < EARLY_TRANSCRIPT_RATE:
        transcript_at = ended + (visible_at - ended) / 2
    if draw.random() < NO_TRANSCRIPT_RATE:
        transcript_at = None
    private_at = visible_at if draw.random() < PRIVATE_RATE else None
    if private_at is None and draw.random() < LATER_PRIVATE_RATE:
        private_at = visible_at + timedelta(days=draw.uniform(0.5, 5))
    return Lifecycle(
        visible_at=visible_at,
        transcript_at=transcript_at,
        enriched_at=visible_at + _delay(draw, minutes=90),
        private_at=private_at,
        relinked_at=visible_at + timedelta(days=draw.uniform(0.5, 6))
        if draw.random() < RELINKED_RATE
        else None,
        deleted_at=visible_at + timedelta(days=draw.uniform(0.5, 20))
        if draw.random() < DELETED_RATE
        else None,
    )


def _delay(draw: random.Random, *, minutes: float) -> timedelta:
    """Minutes as a rule, sometimes most of a day."""
    delay = timedelta(minutes=draw.uniform(1, minutes))
    return delay + timedelta(hours=draw.uniform(4, 22)) if draw.random() < SLOW_RATE else delay


def _microseconds(draw: random.Random) -> int:
    """Whole seconds mostly: Gong's times carry a fraction only sometimes."""
    return draw.randrange(1_000_000) if draw.random() < 0.1 else 0
