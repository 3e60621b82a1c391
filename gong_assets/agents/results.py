"""The shapes of the answers. A field is called as its column in the enriched views is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict


class AgentError(Exception):
    """A question that cannot be answered; the text says why, in one line."""


class NotFound(AgentError):
    """What was asked about is not in the tables."""


class InvalidQuestion(AgentError):
    """A question that is not as it should be, whatever is in the tables."""


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    @classmethod
    def of(cls, row: Mapping[str, Any], **more: Any) -> Self:
        """From a row of the warehouse, whose column names are in upper case."""
        return cls.model_validate({**{name.lower(): value for name, value in row.items()}, **more})


def _list(value: Any) -> Any:
    """An ARRAY comes from the connector as JSON text."""
    return json.loads(value) if isinstance(value, str) else value or []


class Turn(_Row):
    """What a speaker said in one go, or a part of it if it was long. Times are seconds from the start of the call."""

    transcript_id: str
    speaker_name: str | None = None
    speaker_type: str | None = None
    start_time_seconds: float | None = None
    end_time_seconds: float | None = None
    text: str


class Segment(Turn):
    """A turn, and the call that it is from."""

    call_id: str
    call_title: str | None = None
    call_datetime_utc: datetime | None = None
    segment_sentiment: float | None = None


class SimilarSegment(Segment):
    """A hit of a search, with the turns around it in the order of speech, if they were asked for."""

    similarity: float
    host_name: str | None = None
    hubspot_deal_id: str | None = None
    deal_name: str | None = None
    hubspot_company_id: str | None = None
    company_name: str | None = None
    context_before: list[Turn] = []
    context_after: list[Turn] = []


class SimilarSegments(list[SimilarSegment]):
    """The hits of a search; of none, `note` may say what could not be compared. It is empty where all was."""

    note: str = ""


class CoachingOpportunity(_Row):
    """A call whose host should be coached, and why. Sentiment is -1 to 1, the talk ratio 0 to 1."""

    call_id: str
    call_title: str | None
    call_datetime_utc: datetime | None
    host_name: str | None
    sentiment_score: float | None
    talk_ratio: float | None
    hubspot_deal_id: str | None
    deal_name: str | None
    hubspot_company_id: str | None
    company_name: str | None
    reasons: list[str]


class CallAnalysis(_Row):
    """One call: what it was about, how it went, and where it was at risk (in time order).

    `risk_segment_count` is how many segments are at risk; `risk_segments` are the worst of them if that is more than was
    asked for.
    """

    call_id: str
    call_title: str | None
    call_datetime_utc: datetime | None
    call_duration_seconds: float | None
    call_url: str | None
    host_name: str | None
    talk_ratio: float | None
    sentiment_score: float | None
    sentiment_category: str | None
    summary: str | None
    hubspot_deal_id: str | None
    deal_name: str | None
    deal_stage: str | None
    hubspot_company_id: str | None
    company_name: str | None
    risk_segment_count: int
    risk_segments: list[Segment]


class TimelineCall(_Row):
    """A call with a company: which deal it was about, how it went and what comes next."""

    call_id: str
    call_title: str | None
    call_datetime_utc: datetime | None
    call_url: str | None
    host_name: str | None
    hubspot_deal_id: str | None
    deal_name: str | None
    deal_stage: str | None
    deal_amount: float | None
    deal_outcome: str | None
    sentiment_score: float | None
    sentiment_category: str | None
    summary: str | None
    next_steps: Annotated[list[str], BeforeValidator(_list)]


class AccountTimeline(_Row):
    """The newest calls with a company, the newest one last; `call_count` is how many there are.

    `company_id` is the company's id in `crm_system`, which is HubSpot for most.
    """

    crm_system: str
    company_id: str
    company_name: str | None
    call_count: int
    calls: list[TimelineCall]
