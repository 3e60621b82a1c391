"""Options that several commands share, with their parsers and help texts."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated

import typer


class OutputFormat(StrEnum):
    table = "table"
    json = "json"
    csv = "csv"


def parse_date(text: str) -> date:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a date (YYYY-MM-DD)") from None


JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
FromDate = Annotated[
    date | None, typer.Option(parser=parse_date, metavar="DATE", help="First call date, in UTC.")
]
ToDate = Annotated[
    date | None, typer.Option(parser=parse_date, metavar="DATE", help="Last call date (inclusive), in UTC.")
]
CallLimit = Annotated[int, typer.Option("--limit", min=1, max=1000, help="Maximum number of calls.")]
