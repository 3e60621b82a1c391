"""The shapes of the answers. A field is called as its column in the enriched views is."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Self

from pydantic import BaseModel, ConfigDict


class AgentError(Exception):
    """A question that cannot be answered; the text says why, in one line."""


class NotFound(AgentError):
    """What was asked about is not in the tables."""


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    @classmethod
    def of(cls, row: Mapping[str, Any], **more: Any) -> Self:
        """From a row of the warehouse, whose column names are in upper case."""
        return cls.model_validate({**{name.lower(): value for name, value in row.items()}, **more})


class Segment(_Row):
    """A speaker's turn, or a part of a long one. Times are seconds from the start of the call."""

    transcript_id: str
    call_id: str
    call_title: str | None = None
    call_datetime_utc: datetime | None = None
    speaker_name: str | None = None
    speaker_type: str | None = None
    start_time_seconds: float | None = None
    end_time_seconds: float | None = None
    text: str
    segment_sentiment: float | None = None
    similarity: float | None = None


class CoachingOpportunity(_Row):
    """A call whose host should be coached, and why. Sentiment is -1 to 1, the talk ratio 0 to 1."""

    call_id: str
    call_title: str | None
    call_datetime_utc: datetime | None
    host_name: str | None
    sentiment_score: float | None
    talk_ratio: float | None
    deal_name: str | None
    reasons: list[str]


class CallAnalysis(_Row):
    """One call: what it was about, how it went, and where it was at risk (in time order)."""

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
    deal_name: str | None
    deal_stage: str | None
    company_name: str | None
    risk_segments: list[Segment]
