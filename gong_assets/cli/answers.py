"""Output of the commands that answer what agents ask: a text for people, or the answer as JSON."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from gong_assets.cli import output
from gong_assets.cli.output import escape, line, stdout
from gong_assets.security.texts import one_line

if TYPE_CHECKING:
    from datetime import datetime

    from gong_assets.agents import (
        AccountTimeline,
        Answer,
        CallAnalysis,
        Calls,
        CoachingOpportunities,
        DealAtRisk,
        DealsAtRisk,
        Records,
        Segment,
        SimilarSegments,
        TimelineCall,
        Transcript,
        Turn,
    )

A = TypeVar("A", bound="Answer")


def show(answer: A, text: Callable[[A], None], *, as_json: bool) -> None:
    """Print an answer. What explains it goes to stderr, and so does the option that prints the rest."""
    from gong_assets.agents import compact_json

    if as_json:
        output.json_text(compact_json(answer, indent=2))
    else:
        text(answer)
        if answer.data_as_of:
            output.note(f"calls were last read from Gong at {answer.data_as_of:%Y-%m-%d %H:%M} UTC")
    if answer.note:
        output.note(answer.note)
    if answer.next_page:
        output.note(f"there is more: run the same command with --page {answer.next_page}")


def coaching(answer: CoachingOpportunities) -> None:
    if not answer.calls:
        line("no call needs coaching")
        return
    rows = [
        [
            call.call_id,
            _day(call.call_datetime_utc),
            one_line(call.host_name or ""),
            one_line(call.call_title or ""),
            _number(call.sentiment_score),
            _number(call.talk_ratio),
            "; ".join(call.reasons),
        ]
        for call in answer.calls
    ]
    output.table(("call", "date", "host", "title", "sentiment", "talk ratio", "why"), rows)


def calls(answer: Calls) -> None:
    if not answer.calls:
        line("no calls")
        return
    rows = [
        [
            call.call_id,
            f"{call.call_datetime_utc:%Y-%m-%d %H:%M}" if call.call_datetime_utc else "",
            one_line(call.host_name or ""),
            one_line(call.company_name or ""),
            one_line(call.deal_name or ""),
            one_line(call.call_title or ""),
            _number(call.sentiment_score),
        ]
        for call in answer.calls
    ]
    output.table(("call", "start (UTC)", "host", "company", "deal", "title", "sentiment"), rows)


def records(answer: Records) -> None:
    if not answer.records:
        line("nothing found")
        return
    rows = [
        [
            record.record_id,
            record.crm_system,
            one_line(record.record_name or ""),
            one_line(record.record_detail or ""),
            record.match or "",
        ]
        for record in answer.records
    ]
    output.table(("id", "system", "name", "detail", "match"), rows)


def deals(answer: DealsAtRisk) -> None:
    if not answer.deals:
        line("no deal is at risk")
        return
    rows = [
        [
            deal.hubspot_deal_id,
            deal.risk_level,
            one_line(deal.deal_name or ""),
            one_line(deal.deal_owner or ""),
            _money(deal),
            "; ".join(deal.reasons),
            deal.last_call_id or "",
        ]
        for deal in answer.deals
    ]
    output.table(("deal", "risk", "name", "owner", "amount", "why", "last call"), rows)


def transcript(answer: Transcript) -> None:
    line(
        f"{one_line(answer.call_title or 'untitled')}  "
        f"({answer.call_id}, {answer.call_datetime_utc} UTC, host {answer.host_name or '?'})"
    )
    if answer.call_url:
        line(answer.call_url)
    for turn in answer.turns:
        speaker = f"[bold]{escape(turn.speaker_name or 'Unknown')}[/]"
        stdout.print(f"  {_clock(turn)}  {speaker}: {escape(one_line(turn.text))}")


def analysis(call: CallAnalysis) -> None:
    line(
        f"{one_line(call.call_title or 'untitled')}  "
        f"({call.call_id}, {call.call_datetime_utc} UTC, host {call.host_name or '?'})"
    )
    line(f"sentiment  {_number(call.sentiment_score)}  {call.sentiment_category or ''}")
    line(f"deal       {call.deal_name or '-'}  {call.deal_stage or ''}")
    line(f"summary    {one_line(call.summary or '-')}")
    line("risk segments" if call.risk_segments else "no risk segments")
    for segment in call.risk_segments:
        _segment(segment, _number(segment.segment_sentiment))


def segments(answer: SimilarSegments) -> None:
    for segment in answer.segments:
        for turn in segment.context_before or ():
            _context(turn)
        _segment(segment, _number(segment.similarity))
        for turn in segment.context_after or ():
            _context(turn)
    if not answer.segments:
        line("no similar segments")


def _segment(segment: Segment, score: str) -> None:
    where = f"{one_line(segment.call_title or segment.call_id)} {_clock(segment)}"
    stdout.print(f"  {score}  [bold]{escape(segment.speaker_name or 'Unknown')}[/] [dim]{escape(where)}[/]")
    stdout.print(f"         {escape(one_line(segment.text))}")
    if segment.url:
        stdout.print(f"         [dim]{escape(segment.url)}[/]", soft_wrap=True)


def _context(turn: Turn) -> None:
    text = f"{_clock(turn)} {turn.speaker_name or 'Unknown'}: {one_line(turn.text)}"
    stdout.print(f"         [dim]{escape(text)}[/]")


def _clock(turn: Turn) -> str:
    minutes, seconds = divmod(int(turn.start_time_seconds or 0), 60)
    return f"{minutes:02}:{seconds:02}"


def account(timeline: AccountTimeline) -> None:
    shown, total = len(timeline.calls), timeline.call_count
    count = f"{total} calls" if shown == total else f"{shown} of {total} calls"
    line(f"{timeline.company_name or 'Company'} ({timeline.company_id}), {count}")
    for call in timeline.calls:
        title = escape(one_line(call.call_title or "untitled"))
        date = _day(call.call_datetime_utc) or "no date"
        host = f"{call.call_id}, host {call.host_name or '?'}"
        stdout.print(f"\n{date}  [bold]{title}[/]  [dim]{escape(host)}[/]", soft_wrap=True)
        line(f"  sentiment   {_number(call.sentiment_score)}  {call.sentiment_category or ''}")
        line(f"  deal        {call.deal_name or '-'}  {call.deal_stage or ''}  {_money(call)}".rstrip())
        for deal in call.deals[1:]:
            name = one_line(deal.deal_name or deal.deal_id)
            line(f"  also        {name}  {deal.deal_status or deal.deal_stage or ''}")
        line(f"  summary     {one_line(call.summary or '-')}")
        line(f"  next steps  {one_line('; '.join(call.next_steps) or '-')}")


def _money(deal: DealAtRisk | TimelineCall) -> str:
    """Return the amount in the home currency; in another currency, if that is not known, with its code."""
    home, own = deal.deal_amount_in_home_currency, deal.deal_amount
    amount, code = (own, deal.deal_currency_code or "?") if home is None else (home, deal.home_currency_code)
    return "" if amount is None else f"{amount:,.2f} {code or ''}".rstrip()


def _day(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d}" if moment else ""


def _number(value: float | None) -> str:
    return "    -" if value is None else f"{value:5.2f}"
