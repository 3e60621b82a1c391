"""Result models. A field has the name of its column in the enriched views."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    @classmethod
    def from_row(cls, row: Mapping[str, Any], **extra: Any) -> Self:
        """Build the model from a warehouse row with upper-case column names, and from `extra` fields."""
        return cls.model_validate({**{name.lower(): value for name, value in row.items()}, **extra})


def _parse_array(value: Any) -> Any:
    """Parse an ARRAY, which the connector returns as JSON text."""
    return json.loads(value) if isinstance(value, str) else value or []


_TextArray = Annotated[list[str], BeforeValidator(_parse_array)]


class Turn(_Row):
    """A speaker's turn, or one part of a long turn. Times are seconds from the start of the call."""

    transcript_id: str
    speaker_name: str | None = None
    speaker_type: str | None = None
    start_time_seconds: float | None = None
    end_time_seconds: float | None = None
    text: str


class Segment(Turn):
    """A turn with its call."""

    call_id: str
    call_title: str | None = None
    call_datetime_utc: datetime | None = None
    segment_sentiment: float | None = None


class SimilarSegment(Segment):
    """A search hit, with the requested number of turns before and after it."""

    similarity: float
    host_name: str | None = None
    hubspot_deal_id: str | None = None
    deal_name: str | None = None
    hubspot_company_id: str | None = None
    company_name: str | None = None
    context_before: list[Turn] = []
    context_after: list[Turn] = []


class SimilarSegments(list[SimilarSegment]):
    """Search hits. If there are none, `note` may report segments that could not be searched."""

    def __init__(self, segments: Iterable[SimilarSegment] = (), *, note: str = "") -> None:
        super().__init__(segments)
        self.note = note


class CoachingOpportunity(_Row):
    """A call whose host could use coaching, with the reasons and the figures behind them.

    Calls are ranked by `coaching_score`; higher is worse. Sentiment ranges from -1 to 1, the talk ratio from
    0 to 1.
    """

    call_id: str
    call_title: str | None
    call_datetime_utc: datetime | None
    host_name: str | None
    reasons: _TextArray
    coaching_score: float | None = None
    sentiment_score: float | None
    customer_sentiment: float | None = None
    talk_ratio: float | None
    longest_monologue_seconds: float | None = None
    questions_per_hour: float | None = None
    interactivity_score: float | None = None
    patience_seconds: float | None = None
    review_count: int = 0
    hubspot_deal_id: str | None
    deal_name: str | None
    hubspot_company_id: str | None
    company_name: str | None


class CallAnalysis(_Row):
    """One call: summary, sentiment, deal, and risk segments in time order.

    `risk_segment_count` counts all risk segments. If there are more than the limit, `risk_segments` has the
    most negative ones.
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
    """One call of a company, with its deal, sentiment, summary and next steps."""

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
    next_steps: _TextArray


class AccountTimeline(_Row):
    """The newest calls of a company in time order. `call_count` counts all of its calls.

    `company_id` is the company's id in `crm_system`.
    """

    crm_system: str
    company_id: str
    company_name: str | None
    call_count: int
    calls: list[TimelineCall]
