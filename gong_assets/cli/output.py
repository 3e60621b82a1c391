"""What the commands print: results to stdout, progress and errors to stderr."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich import markup
from rich.console import Console, RenderableType
from rich.progress import BarColumn, ProgressColumn, SpinnerColumn, Task, TextColumn, TimeElapsedColumn
from rich.progress import Progress as RichProgress
from rich.table import Table

if TYPE_CHECKING:
    from pydantic import BaseModel

    from gong_assets.agents import (
        AccountTimeline,
        CallAnalysis,
        CoachingOpportunity,
        Segment,
        SimilarSegments,
        Turn,
    )
    from gong_assets.cli.doctor import Finding
    from gong_assets.cli.sync import RunReport
    from gong_assets.dates import DateRange
    from gong_assets.local import LocalStack

# Into a file or a pipe, rows keep to one line each, however long: what reads them next looks at lines.
stdout = Console(highlight=False, width=None if sys.stdout.isatty() else 1_000_000)
stderr = Console(stderr=True, highlight=False)

# The order in which data flows; a group that is not named here comes last.
LAYERS = ("raw", "staging", "hubspot", "cortex", "enriched", "monitoring")


def escape(text: str) -> str:
    """A text as it can be printed: what Rich takes for markup, and a terminal for a command, is only text."""
    shown = (c if c.isprintable() or c == "\n" else " " if c.isspace() else "" for c in text)
    return markup.escape("".join(shown))


def line(text: str) -> None:
    stdout.print(escape(text))


def error(text: str) -> None:
    stderr.print(f"[bold red]error:[/] {escape(text)}", soft_wrap=True)


def note(text: str) -> None:
    """Beside the results: for who reads along."""
    stderr.print(escape(text), soft_wrap=True)


def heading(text: str) -> None:
    stdout.print(f"\n[bold]{escape(text)}[/]")


@contextmanager
def status(text: str) -> Iterator[None]:
    with stderr.status(escape(text)):
        yield


class Progress:
    """A live line on stderr while a run goes on, with a bar while Gong is read; plain lines where stderr is no terminal."""

    def __init__(self) -> None:
        self._bar = RichProgress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            _BarWhereTotalIsKnown(),
            TimeElapsedColumn(),
            console=stderr,
            transient=True,
        )
        self._task = self._bar.add_task("starting", total=None, measured=False)
        self._title = ""
        self._last = ""

    def __enter__(self) -> Progress:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def run_started(self, days: DateRange) -> None:
        self._title = str(days)
        self.message("run started")

    def message(self, text: str) -> None:
        self._show(text, 0, None)
        if not stderr.is_terminal and text != self._last:
            stderr.print(escape(f"{self._title}: {text}" if self._title else text), soft_wrap=True)
        self._last = text

    def reading(self, noun: str, done: int, total: int | None) -> None:
        # Gong's total may lag behind what it sends.
        known = max(total, done) if total else None
        self._show(f"{done:,} of {known:,} {noun}" if known else f"{done:,} {noun}", done, known)

    def _show(self, text: str, done: int, total: int | None) -> None:
        text = f"{self._title}: {text}" if self._title else text
        self._bar.update(
            self._task,
            description=escape(text[:120]),
            completed=done,
            total=total,
            measured=total is not None,
        )


class _BarWhereTotalIsKnown(ProgressColumn):
    """Nothing at all for work without a total: a bar that only moves to and fro says no more than the spinner."""

    _bar = BarColumn()

    def render(self, task: Task) -> RenderableType:
        return self._bar.render(task) if task.fields["measured"] else ""


def run_report(report: RunReport) -> None:
    """Per layer: tables, rows and seconds."""
    table = Table(box=None, pad_edge=False)
    for column, justify in (("layer", "left"), ("table", "left"), ("rows", "right"), ("seconds", "right")):
        table.add_column(column, justify=justify)  # type: ignore[arg-type]
    order = {layer: index for index, layer in enumerate(LAYERS)}
    assets = sorted(report.assets.items(), key=lambda item: (order.get(item[1].group, len(LAYERS)), item[0]))
    previous = ""
    for name, asset in assets:
        rows = "" if asset.rows is None else f"{asset.rows:,}"
        table.add_row(asset.group if asset.group != previous else "", name, rows, f"{asset.seconds:.1f}")
        previous = asset.group
    stdout.print(table)
    for check in report.failed_checks:
        stdout.print(f"[yellow]check did not pass[/] {escape(check)}")
    line(f"{report.days}: done in {report.seconds:.1f} s (run {report.run_id})")


def local_status(stack: LocalStack, *, as_json: bool) -> None:
    if as_json:
        document = {"snowflake": vars(stack.snowflake), "gong": vars(stack.gong)}
        print(json.dumps(document, indent=2))
        return
    snowflake, gong = stack.snowflake, stack.gong
    line(f"snowflake  {snowflake.protocol}://{snowflake.host}:{snowflake.port}  account {snowflake.account}")
    line(f"           user {snowflake.user}, database {snowflake.database}, schema {snowflake.schema}")
    line(f"gong       {gong.base_url}  (simulated; access key {gong.access_key})")


def rows(columns: Sequence[str], found: Sequence[Sequence[Any]], form: str) -> None:
    if form == "json":
        records = [dict(zip(columns, row, strict=True)) for row in found]
        print(json.dumps(records, default=str, ensure_ascii=False, indent=2))
        return
    if form == "csv":
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(found)
        return
    table = Table(box=None, pad_edge=False)
    for column in columns:
        table.add_column(escape(column), overflow="fold")
    for row in found:
        table.add_row(*("" if value is None else escape(str(value)) for value in row))
    stdout.print(table)
    stderr.print(f"{len(found)} row{'s' if len(found) != 1 else ''}")


def as_json_lines(models: Sequence[BaseModel]) -> None:
    print(json.dumps([model.model_dump(mode="json") for model in models], ensure_ascii=False, indent=2))


def coaching(found: Sequence[CoachingOpportunity], *, as_json: bool) -> None:
    if as_json:
        as_json_lines(found)
        return
    if not found:
        line("no call needs coaching")
        return
    table = Table(box=None, pad_edge=False)
    for name in ("call", "date", "host", "title", "sentiment", "talk ratio", "why"):
        table.add_column(name, overflow="fold", no_wrap=name in ("call", "date"))
    for call in found:
        table.add_row(
            call.call_id,
            f"{call.call_datetime_utc:%Y-%m-%d}" if call.call_datetime_utc else "",
            escape(call.host_name or ""),
            escape(_in_one_line(call.call_title or "")),
            _number(call.sentiment_score),
            _number(call.talk_ratio),
            "; ".join(call.reasons),
        )
    stdout.print(table)


def analysis(call: CallAnalysis, *, as_json: bool) -> None:
    if as_json:
        print(call.model_dump_json(indent=2))
        return
    line(
        f"{_in_one_line(call.call_title or 'untitled')}  "
        f"({call.call_id}, {call.call_datetime_utc} UTC, host {call.host_name or '?'})"
    )
    line(f"sentiment  {_number(call.sentiment_score)}  {call.sentiment_category or ''}")
    line(f"deal       {call.deal_name or '-'}  {call.deal_stage or ''}")
    line(f"summary    {_in_one_line(call.summary or '-')}")
    line("risk segments" if call.risk_segments else "no risk segments")
    for segment in call.risk_segments:
        _segment(segment, _number(segment.segment_sentiment))


def segments(found: SimilarSegments, *, as_json: bool) -> None:
    if found.note:
        note(found.note)
    if as_json:
        as_json_lines(found)
        return
    for segment in found:
        for turn in segment.context_before:
            _context(turn)
        _segment(segment, _number(segment.similarity))
        for turn in segment.context_after:
            _context(turn)
    if not found:
        line("nothing similar")


def _segment(segment: Segment, score: str) -> None:
    where = f"{_in_one_line(segment.call_title or segment.call_id)} {_clock(segment)}"
    stdout.print(f"  {score}  [bold]{escape(segment.speaker_name or 'Unknown')}[/] [dim]{escape(where)}[/]")
    stdout.print(f"         {escape(_in_one_line(segment.text))}")


def _context(turn: Turn) -> None:
    text = f"{_clock(turn)} {turn.speaker_name or 'Unknown'}: {_in_one_line(turn.text)}"
    stdout.print(f"         [dim]{escape(text)}[/]")


def _clock(turn: Turn) -> str:
    minutes, seconds = divmod(int(turn.start_time_seconds or 0), 60)
    return f"{minutes:02}:{seconds:02}"


def account(timeline: AccountTimeline, *, as_json: bool) -> None:
    if as_json:
        print(timeline.model_dump_json(indent=2))
        return
    shown, all_calls = len(timeline.calls), timeline.call_count
    of_all = f"{all_calls} calls" if shown == all_calls else f"the newest {shown} of {all_calls} calls"
    line(f"{timeline.company_name or 'Company'} ({timeline.company_id}), {of_all}")
    for call in timeline.calls:
        date = f"{call.call_datetime_utc:%Y-%m-%d}" if call.call_datetime_utc else "no date"
        host = f"{call.call_id}, host {call.host_name or '?'}"
        stdout.print(
            f"\n{date}  [bold]{escape(_in_one_line(call.call_title or 'untitled'))}[/]  [dim]{escape(host)}[/]",
            soft_wrap=True,
        )
        line(f"  sentiment   {_number(call.sentiment_score)}  {call.sentiment_category or ''}")
        line(f"  deal        {call.deal_name or '-'}  {call.deal_stage or ''}")
        line(f"  summary     {_in_one_line(call.summary or '-')}")
        line(f"  next steps  {_in_one_line('; '.join(call.next_steps) or '-')}")


def findings(found: Sequence[Finding], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps([vars(finding) for finding in found], indent=2))
        return
    for finding in found:
        mark = "[green]ok[/]  " if finding.ok else "[red]fail[/]"
        stdout.print(f"{mark} {escape(finding.subject)}: {escape(finding.message)}")


def _in_one_line(text: str) -> str:
    return " ".join(text.split())


def _number(value: float | None) -> str:
    return "    -" if value is None else f"{value:5.2f}"
