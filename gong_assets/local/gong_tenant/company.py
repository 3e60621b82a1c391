"""The invented company: its users, accounts and deals.

Names come from ``company.json``; ids and deals are generated from a seed. A deal is a pure function of
account and period, so that calls and CRM agree on it for any date without shared state.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from importlib.resources import files
from typing import Any, Literal
from zoneinfo import ZoneInfo

from gong_assets.local.gong_tenant import seeded_random

# By default with daylight saving time, so that offsets change during a year.
TIME_ZONE = ZoneInfo(os.environ.get("GONG_ASSETS_LOCAL_TIME_ZONE") or "America/Los_Angeles")

DEFAULT_SEED = 1
DEAL_MONTHS = 6
DEAL_CYCLE = 4  # deals of an account: lost, won, renewed, churned; then the cycle repeats


@dataclass(frozen=True, slots=True)
class User:
    """An employee. Reps host calls, engineers join them, the manager reviews them, former ones have left."""

    id: str
    key: str
    first_name: str
    last_name: str
    email: str
    title: str
    role: Literal["rep", "engineer", "manager", "former"]
    manager_id: str | None
    talk_share: float  # share of the words on their calls
    mood: float  # of their customers, -1 to 1

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}"


@dataclass(frozen=True, slots=True)
class Contact:
    id: str
    first_name: str
    last_name: str
    email: str
    title: str

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}"


# HubSpot's home currency of the company, and its exchange rates.
HOME_CURRENCY = "USD"
UNITS_PER_DOLLAR = {HOME_CURRENCY: 1.0, "JPY": 150.0, "EUR": 0.9, "GBP": 0.8}


@dataclass(frozen=True, slots=True)
class Account:
    id: str
    name: str
    domain: str
    industry: str
    city: str
    employees: int
    revenue: int  # US dollars a year
    currency: str  # ISO code of its deals' currency
    contacts: tuple[Contact, ...]
    owner_id: str  # the user who is responsible for it
    first_month: int  # of its first deal, 0 to DEAL_MONTHS - 1, so that deals start in different months
    phase: int  # position of its first deal in the cycle


@dataclass(frozen=True, slots=True)
class Stage:
    id: str
    label: str
    probability: float


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A sales pipeline. Its last two stages are won and lost."""

    id: str
    label: str
    stages: tuple[Stage, ...]


# In HubSpot the stages of the built-in pipeline have names as ids; those of custom pipelines have numbers.
NEW_BUSINESS = Pipeline(
    "default",
    "Sales Pipeline",
    (
        Stage("appointmentscheduled", "Appointment Scheduled", 0.2),
        Stage("qualifiedtobuy", "Qualified To Buy", 0.4),
        Stage("presentationscheduled", "Presentation Scheduled", 0.6),
        Stage("decisionmakerboughtin", "Decision Maker Bought-In", 0.8),
        Stage("contractsent", "Contract Sent", 0.9),
        Stage("closedwon", "Closed Won", 1.0),
        Stage("closedlost", "Closed Lost", 0.0),
    ),
)
RENEWALS = Pipeline(
    "7914022",
    "Renewals",
    (
        Stage("8070190", "Renewal Planned", 0.5),
        Stage("8070191", "Proposal Sent", 0.7),
        Stage("8070192", "Negotiation", 0.8),
        Stage("8070193", "Renewed", 1.0),
        Stage("8070194", "Churned", 0.0),
    ),
)
PIPELINES = (NEW_BUSINESS, RENEWALS)


@dataclass(frozen=True, slots=True)
class Deal:
    id: str
    name: str
    account: Account
    pipeline: Pipeline
    amount: int  # US dollars
    opened: date
    closes: date
    won: bool

    def stage(self, day: date) -> Stage:
        """Return the stage of the deal on ``day``, which must not be before ``opened``."""
        won, lost = self.pipeline.stages[-2:]
        if day >= self.closes:
            return won if self.won else lost
        open_stages = self.pipeline.stages[:-2]
        progress = (day - self.opened) / (self.closes - self.opened)
        return open_stages[int(progress * len(open_stages))]

    def amount_on(self, day: date) -> int:
        """Return the amount in the deal's own currency on ``day``."""
        return round(self.home_amount_on(day) * UNITS_PER_DOLLAR[self.account.currency])

    def home_amount_on(self, day: date) -> int:
        """Return the amount in dollars: the first offer until half-time, then the negotiated amount."""
        half_way = self.opened + (self.closes - self.opened) / 2
        return self.amount if day >= half_way else round(self.amount * 1.15)

    @property
    def deal_type(self) -> str:
        return "newbusiness" if self.pipeline is NEW_BUSINESS else "existingbusiness"


class Company:
    """The people, accounts and settings of a tenant. Companies with the same seed have the same ids."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._data: dict[str, Any] = json.loads(
            files(__package__).joinpath("company.json").read_text("utf-8")
        )
        self.competitors: list[str] = self._data["competitors"]
        self.trackers: list[dict[str, Any]] = self._data["trackers"]
        self.smart_tracker: str = self._data["smart_tracker"]
        self.outcomes: list[dict[str, str]] = self._data["outcomes"]
        self.scorecards: list[dict[str, Any]] = self._data["scorecards"]
        self.folders: list[dict[str, str]] = self._data["folders"]
        self.workspace_id = self.gong_id("workspace")

    def gong_id(self, *key: object) -> str:
        """Return an id in Gong's format: 18 or 19 digits, more than a double can represent exactly."""
        return str(10**17 + seeded_random.number(self.seed, *key) % (9 * 10**18 - 10**17))

    def hubspot_id(self, *key: object) -> str:
        """Return an id in HubSpot's format: a number of eleven digits."""
        return str(10**10 + seeded_random.number(self.seed, "hubspot", *key) % (9 * 10**10))

    @cached_property
    def users(self) -> tuple[User, ...]:
        ids = {user["key"]: self.gong_id("user", user["key"]) for user in self._data["users"]}
        return tuple(
            User(
                id=ids[user["key"]],
                key=user["key"],
                first_name=user["first_name"],
                last_name=user["last_name"],
                email=f"{user['key']}@{self._data['domain']}",
                title=user["title"],
                role=user["role"],
                manager_id=ids.get(user["manager"]),
                talk_share=user.get("talk_share", 0.5),
                mood=user.get("mood", 0.0),
            )
            for user in self._data["users"]
        )

    @cached_property
    def reps(self) -> tuple[User, ...]:
        return tuple(user for user in self.users if user.role == "rep")

    @cached_property
    def engineers(self) -> tuple[User, ...]:
        return tuple(user for user in self.users if user.role == "engineer")

    @cached_property
    def manager(self) -> User:
        return next(user for user in self.users if user.role == "manager")

    @cached_property
    def accounts(self) -> tuple[Account, ...]:
        return tuple(
            Account(
                id=self.hubspot_id("company", entry["domain"]),
                name=entry["name"],
                domain=entry["domain"],
                industry=entry["industry"],
                city=entry["city"],
                employees=entry["employees"],
                revenue=entry["revenue"],
                currency=entry.get("currency", HOME_CURRENCY),
                contacts=tuple(
                    self._contact(entry["domain"], position, *contact)
                    for position, contact in enumerate(entry["contacts"])
                ),
                owner_id=self.reps[number % len(self.reps)].id,
                first_month=seeded_random.number(self.seed, "first month", entry["domain"]) % DEAL_MONTHS,
                phase=seeded_random.number(self.seed, "phase", entry["domain"]) % DEAL_CYCLE,
            )
            for number, entry in enumerate(self._data["accounts"])
        )

    def _contact(self, domain: str, position: int, first_name: str, last_name: str, title: str) -> Contact:
        return Contact(
            id=self.hubspot_id("contact", domain, position),
            first_name=first_name,
            last_name=last_name,
            email=f"{_ascii_name(first_name) or f'contact{position + 1}'}@{domain}",
            title=title,
        )

    def deal(self, account: Account, day: date) -> Deal:
        """Return the latest deal of the account on ``day``."""
        number = (day.year * 12 + day.month - 1 - account.first_month) // DEAL_MONTHS
        deal = self._numbered_deal(account, number)
        return deal if deal.opened <= day else self._numbered_deal(account, number - 1)

    def previous_deal(self, deal: Deal) -> Deal:
        return self.deal(deal.account, deal.opened - timedelta(days=1))

    def _numbered_deal(self, account: Account, number: int) -> Deal:
        """Return the deal of the account in period ``number``, counted from year 0."""
        position = (number + account.phase) % DEAL_CYCLE
        is_new = position in (0, 1)
        rng = seeded_random.generator(self.seed, "deal", account.id, number)
        start, end = (_first_of_month((number + n) * DEAL_MONTHS + account.first_month) for n in (0, 1))
        noun = "field service rollout" if is_new else "renewal"
        return Deal(
            id=self.hubspot_id("deal", account.domain, number),
            name=f"{account.name} - {noun} {start:%Y-%m}",
            account=account,
            pipeline=NEW_BUSINESS if is_new else RENEWALS,
            amount=account.employees * rng.choice([95, 110, 120, 140]) // 100 * 100,
            opened=start + timedelta(days=rng.randrange(0, 21)),
            closes=end - timedelta(days=rng.randrange(5, 46)),
            won=position not in (0, DEAL_CYCLE - 1),
        )


def today() -> date:
    """Return the current day in the company's time zone."""
    return datetime.now(TIME_ZONE).date()


def _first_of_month(month: int) -> date:
    """Return the first day of a month, counted from January of year 0."""
    return date(month // 12, month % 12 + 1, 1)


def _ascii_name(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isascii() and letter.isalpha())
