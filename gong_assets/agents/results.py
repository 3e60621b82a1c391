"""Result models. A field has the name of its column in the enriched views."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any, Self
from urllib.parse import quote

from pydantic import BaseModel, BeforeValidator, ConfigDict

# A longer text, such as a sentence of a machine's log, would be an answer on its own.
MAX_TEXT_CHARACTERS = 20_000


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    @classmethod
    def from_row(cls, row: Mapping[str, Any], **extra: Any) -> Self:
        """Build the model from a warehouse row with upper-case column names, and from `extra` fields."""
        values = {name.lower(): _shortened(value) for name, value in row.items()}
        return cls.model_validate({**values, **extra})


def _shortened(value: Any) -> Any:
    if not isinstance(value, str) or len(value) <= MAX_TEXT_CHARACTERS:
        return value
    return f"{value[:MAX_TEXT_CHARACTERS]}… ({len(value) - MAX_TEXT_CHARACTERS:,} more characters)"


def _parse_array(value: Any) -> Any:
    """Parse an ARRAY, which the connector returns as JSON text."""
    return json.loads(value) if isinstance(value, str) else value or []


def _parse_texts(value: Any) -> Any:
    """Parse an ARRAY of texts. A list of Cortex can have other elements."""
    texts = (_text(item) for item in _parse_array(value))
    return [text for text in texts if text]


def _text(item: Any) -> str:
    if item is None or isinstance(item, str):
        return (item or "").strip()
    return json.dumps(item, ensure_ascii=False)


_TextArray = Annotated[list[str], BeforeValidator(_parse_texts)]


class Answer(_Row):
    """Fields of every answer.

    `data_as_of` is when calls were last read from Gong. If there is more than fits in an answer, `next_page`
    gets the rest. `note` explains an answer that is empty or incomplete.
    """

    data_as_of: datetime | None = None
    next_page: str | None = None
    note: str | None = None


def url_at(call_url: str | None, start: float | None, end: float | None) -> str | None:
    """Return Gong's page of a call at a passage, or at its beginning if the passage has no time.

    Gong's own links to passages have this form.
    """
    if call_url is None or start is None:
        return call_url
    passage = [{"type": "SHARE", "from": int(start), "to": max(int(end or start), int(start) + 1)}]
    separator = "&" if "?" in call_url else "?"
    return f"{call_url}{separator}highlights={quote(json.dumps(passage, separators=(',', ':')))}"


class Turn(_Row):
    """A speaker's turn, or one part of a long turn. Times are seconds from the start of the call.

    `url` is Gong's page of the call at that second.
    """

    transcript_id: str
    call_id: str
    speaker_name: str | None = None
    speaker_type: str | None = None
    start_time_seconds: float | None = None
    end_time_seconds: float | None = None
    text: str
    url: str | None = None

    @classmethod
    def from_row(cls, row: Mapping[str, Any], **extra: Any) -> Self:
        """Build the model from a row that also has the CALL_URL."""
        url = url_at(row.get("CALL_URL"), row.get("START_TIME_SECONDS"), row.get("END_TIME_SECONDS"))
        return super().from_row(row, url=url, **extra)


class Segment(Turn):
    """A turn with its call."""

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
    context_before: list[Turn] | None = None
    context_after: list[Turn] | None = None


class SimilarSegments(Answer):
    """Search hits. If there are none, `note` may report segments that could not be searched."""

    segments: list[SimilarSegment]


class CoachingOpportunity(_Row):
    """A call whose host could use coaching, with the reasons and the figures behind them.

    Calls are ranked by `coaching_score`; higher is worse. Sentiment ranges from -1 to 1, the talk ratio from
    0 to 1.
    """

    call_id: str
    call_title: str | None = None
    call_datetime_utc: datetime | None = None
    call_url: str | None = None
    host_name: str | None = None
    reasons: _TextArray
    coaching_score: float | None = None
    sentiment_score: float | None = None
    customer_sentiment: float | None = None
    talk_ratio: float | None = None
    longest_monologue_seconds: float | None = None
    questions_per_hour: float | None = None
    interactivity_score: float | None = None
    patience_seconds: float | None = None
    review_count: int = 0
    hubspot_deal_id: str | None = None
    deal_name: str | None = None
    hubspot_company_id: str | None = None
    company_name: str | None = None


class CoachingOpportunities(Answer):
    """Calls whose host could use coaching, worst first."""

    calls: list[CoachingOpportunity]


class CallDeal(_Row):
    """One of the deals of a call. Only amounts in the home currency can be compared and added."""

    crm_system: str
    deal_id: str
    deal_name: str | None = None
    deal_stage: str | None = None
    deal_status: str | None = None
    deal_amount: float | None = None
    deal_currency_code: str | None = None
    deal_amount_in_home_currency: float | None = None
    was_open_at_call: bool | None = None


_CallDeals = Annotated[list[CallDeal], BeforeValidator(_parse_array)]


class CallAnalysis(Answer):
    """One call: summary, sentiment, deal, and risk segments in time order.

    `risk_segment_count` counts all risk segments. If there are more than the limit, `risk_segments` has the
    most negative ones.
    """

    call_id: str
    call_title: str | None = None
    call_datetime_utc: datetime | None = None
    call_duration_seconds: float | None = None
    call_url: str | None = None
    host_name: str | None = None
    talk_ratio: float | None = None
    sentiment_score: float | None = None
    sentiment_category: str | None = None
    summary: str | None = None
    hubspot_deal_id: str | None = None
    deal_name: str | None = None
    deal_stage: str | None = None
    deals: _CallDeals = []
    hubspot_company_id: str | None = None
    company_name: str | None = None
    is_company_inferred: bool | None = None
    risk_segment_count: int
    risk_segments: list[Segment]


class TimelineCall(_Row):
    """One call of a company, with its deal, sentiment, summary and next steps.

    Of several deals, the deal of the call is the one that was open then; `deals` has all of them. Amounts in
    different currencies must not be compared: `deal_amount_in_home_currency` can be.
    """

    call_id: str
    call_title: str | None = None
    call_datetime_utc: datetime | None = None
    call_url: str | None = None
    host_name: str | None = None
    hubspot_deal_id: str | None = None
    deal_name: str | None = None
    deal_stage: str | None = None
    deal_amount: float | None = None
    deal_currency_code: str | None = None
    deal_amount_in_home_currency: float | None = None
    home_currency_code: str | None = None
    deal_outcome: str | None = None
    deals: _CallDeals = []
    is_company_inferred: bool | None = None
    sentiment_score: float | None = None
    sentiment_category: str | None = None
    summary: str | None = None
    next_steps: _TextArray


class AccountTimeline(Answer):
    """The newest calls of a company in time order. `call_count` counts all of its calls.

    `company_id` is the company's id in `crm_system`.
    """

    crm_system: str
    company_id: str
    company_name: str | None = None
    call_count: int
    calls: list[TimelineCall]


class Call(_Row):
    """A call with its host, deal and company."""

    call_id: str
    call_title: str | None = None
    call_datetime_utc: datetime | None = None
    call_duration_seconds: float | None = None
    call_url: str | None = None
    call_scope: str | None = None
    host_id: str | None = None
    host_name: str | None = None
    sentiment_score: float | None = None
    talk_ratio: float | None = None
    hubspot_deal_id: str | None = None
    deal_name: str | None = None
    deal_stage: str | None = None
    hubspot_company_id: str | None = None
    company_name: str | None = None


class Calls(Answer):
    """Calls, newest first."""

    calls: list[Call]


class Transcript(Answer):
    """The turns of one call in time order."""

    call_id: str
    call_title: str | None = None
    call_datetime_utc: datetime | None = None
    call_url: str | None = None
    host_name: str | None = None
    turns: list[Turn]


class Record(_Row):
    """A rep, company or deal.

    `record_detail` is a rep's e-mail address, a company's domain or a deal's stage. `match` says what of it
    matches: its id, its name (or e-mail address or domain), a former name, a part, or only similar letters.
    """

    crm_system: str
    record_id: str
    record_name: str | None = None
    record_detail: str | None = None
    match: str | None = None


class Records(Answer):
    """Reps, companies or deals, best matches first."""

    records: list[Record]


class DealAtRisk(_Row):
    """An open deal with the reasons why it is at risk, and its last call.

    Only `deal_amount_in_home_currency` can be compared and added; it is null if it is not known.
    """

    hubspot_deal_id: str
    deal_name: str | None = None
    deal_stage: str | None = None
    deal_amount: float | None = None
    deal_currency_code: str | None = None
    deal_amount_in_home_currency: float | None = None
    home_currency_code: str | None = None
    close_date: date | None = None
    deal_owner: str | None = None
    hubspot_company_id: str | None = None
    company_name: str | None = None
    risk_level: str
    reasons: _TextArray
    call_count: int
    customer_sentiment: float | None = None
    days_since_last_call: int | None = None
    last_call_id: str | None = None
    last_call_title: str | None = None
    last_call_url: str | None = None
    last_call_host: str | None = None


class DealsAtRisk(Answer):
    """Open deals with risk indicators, those with the most indicators first."""

    deals: list[DealAtRisk]
