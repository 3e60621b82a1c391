"""Output of the commands: results go to stdout, progress and errors to stderr."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich import markup
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

from gong_assets.cli.errors import CommandError
from gong_assets.security.texts import csv_cell, printable, visible_json

if TYPE_CHECKING:
    from gong_assets.cli.doctor import CheckResult
    from gong_assets.cli.graph_run import RunReport
    from gong_assets.defs.health.cost import CostEstimate
    from gong_assets.local import LocalStack


# In a file or a pipe each row stays on one line, however long, because the next program reads line by line.
stdout = Console(highlight=False, emoji=False, width=None if sys.stdout.isatty() else 1_000_000)
stderr = Console(stderr=True, highlight=False, emoji=False)

# Asset groups in the order in which data flows. Other groups come last.
LAYERS = ("raw", "staging", "hubspot", "cortex", "enriched", "monitoring", "agents")


def escape(text: str) -> str:
    """Return the text on one line, without control characters and escaped from Rich's markup."""
    return _escape_lines(text.replace("\n", " "))


def _escape_lines(text: str) -> str:
    return markup.escape(printable(text))


def line(text: str) -> None:
    stdout.print(escape(text))


def json_text(document: str) -> None:
    """Print JSON for a program: unlike `line` with all characters, as escapes if a terminal executes them."""
    print(visible_json(document))


def error(text: str) -> None:
    stderr.print(f"[bold red]error:[/] {_escape_lines(text)}", soft_wrap=True)


def note(text: str) -> None:
    """Print a note for the user to stderr, apart from the results."""
    stderr.print(_escape_lines(text), soft_wrap=True)


def heading(text: str) -> None:
    stdout.print(f"\n[bold]{escape(text)}[/]")


@contextmanager
def status(text: str) -> Iterator[None]:
    with stderr.status(escape(text)):
        yield


def run_report(report: RunReport) -> None:
    """Print the tables of each layer with their rows and seconds, and the failed checks."""
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
        stdout.print(f"[yellow]check failed[/] {escape(check)}")
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


def rows(columns: Sequence[str], values: Sequence[Sequence[Any]], output_format: str) -> None:
    if output_format == "json":
        records = [dict(zip(columns, row, strict=True)) for row in values]
        json_text(json.dumps(records, default=str, ensure_ascii=False, indent=2))
        return
    if output_format == "csv":
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(map(csv_cell, columns))
        # Numbers keep their sign.
        writer.writerows(
            [csv_cell(value) if isinstance(value, str) else value for value in row] for row in values
        )
        return
    table(columns, [["" if value is None else str(value) for value in row] for row in values])
    stderr.print(f"{len(values)} row{'s' if len(values) != 1 else ''}")


def table(columns: Sequence[str], values: Sequence[Sequence[str]]) -> None:
    """Print rows as a table, or, if the terminal is too narrow for it, each row as a list of its columns."""
    table = Table(box=None, pad_edge=False)
    for column in columns:
        table.add_column(escape(column), overflow="fold")
    for row in values:
        table.add_row(*(escape(value) for value in row))
    unlimited = stdout.options.update(width=1_000_000)
    if values and Measurement.get(stdout, unlimited, table).maximum > stdout.width:
        width = max(len(column) for column in columns)
        table = Table(box=None, pad_edge=False, show_header=False)
        table.add_column(no_wrap=True, style="dim", width=min(width, stdout.width // 2))
        table.add_column(overflow="fold")
        for row in values:
            for column, value in zip(columns, row, strict=True):
                table.add_row(escape(column), escape(value))
            table.add_row("", "")
    stdout.print(table)


def check_results(results: Iterable[CheckResult], *, as_json: bool) -> list[CheckResult]:
    """Print each result as soon as it is known, or all of them as JSON, and return them."""
    marks = {"ok": "[green]ok[/]  ", "warn": "[yellow]warn[/]", "fail": "[red]fail[/]"}
    printed = []
    for result in results:
        printed.append(result)
        if not as_json:
            text = f"{marks[result.status]} {escape(result.subject)}: {_escape_lines(result.message)}"
            stdout.print(text, soft_wrap=True)
    if as_json:
        print(json.dumps([result.as_json() for result in printed], indent=2))
    return printed


def cost_estimate(estimate: CostEstimate, *, requests_per_day: int, as_json: bool) -> None:
    from gong_assets.defs.health.cost import MEASURED_DAYS

    if as_json:
        totals = ("warehouse_credits", "warehouse_dollars", "cortex_tokens", "cortex_dollars")
        document = asdict(estimate) | {name: getattr(estimate, name) for name in totals}
        print(json.dumps(document, indent=2))
        return
    limit = f" of {requests_per_day:,}" if requests_per_day else ""
    recently = f"the last {MEASURED_DAYS} days"
    source = f"averages of {recently}" if estimate.is_measured else f"assumptions, nothing sent in {recently}"
    line(f"{estimate.calls_per_day:,.1f} calls a day; Cortex by {source}")
    line(
        f"warehouse  {estimate.statements:,.0f} statements, {estimate.warehouse_minutes:,.0f} minutes (XS), "
        f"{estimate.warehouse_credits:.2f} credits, about ${estimate.warehouse_dollars:,.2f} a day"
    )
    line(f"gong       {estimate.gong_requests:,.0f}{limit} requests a day")
    line(f"cortex     {estimate.cortex_tokens:,.0f} tokens, about ${estimate.cortex_dollars:,.2f} a day")
    for use in estimate.cortex:
        line(f"           {use.function}: {use.tokens:,.0f} tokens and ${use.dollars:.4f} a call")


def text(document: str) -> None:
    """Print a document of several lines for another program, without control characters."""
    print(printable(document))


def file(path: Path, document: str) -> None:
    """Write a file that the user named, with its directories.

    Raises:
        CommandError: the file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(document, "utf-8")
    except OSError as error:
        raise CommandError(f"Cannot write {path}: {error.strerror}. Choose another path.") from error


def audit(found: Mapping[str, Any]) -> None:
    """Print the findings of an audit: the counts, a row for each day and source, and the IDs."""
    days, ids = found.get("by_day") or [], found.get("ids") or found.get("differences") or {}
    for name, value in found.items():
        if name not in ("by_day", "ids", "differences", "dagster/code_version"):
            line(f"{name.removeprefix('run/').replace('_', ' ')}: {value}")
    if days:
        line("")
        table(list(days[0]), [[str(value) for value in day.values()] for day in days])
    for kind, call_ids in ids.items():
        line(f"{kind.replace('_', ' ')}: {', '.join(call_ids)}")
