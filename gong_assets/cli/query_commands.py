"""Commands that read the tables: those that answer what agents ask, and `sql`."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from gong_assets.cli import answers, output
from gong_assets.cli.options import CallLimit, FromDate, JsonOption, OutputFormat, ToDate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gong_assets.warehouse.connection import Warehouse


class SpeakerType(StrEnum):
    internal = "Internal"
    external = "External"


class RecordType(StrEnum):
    rep = "Rep"
    company = "Company"
    deal = "Deal"


class RiskLevel(StrEnum):
    low = "Low"
    medium = "Medium"
    high = "High"


Limit = Annotated[int, typer.Option("--limit", min=1, max=1000, help="Maximum number of results.")]
SegmentLimit = Annotated[int, typer.Option("--limit", min=1, max=1000, help="Maximum number of segments.")]
PageOption = Annotated[
    str | None,
    typer.Option("--page", metavar="TOKEN", help="Continue an earlier answer, which printed the token."),
]
MinSimilarity = Annotated[
    float | None,
    # The agents' function checks the range: Typer reports "nan" as a number that is too large.
    typer.Option(help="Minimum similarity, from -1 to 1. The scale depends on the embedding model."),
]
RepOption = Annotated[
    str | None,
    typer.Option(help="Only calls that this user hosted: Gong user ID, full name or e-mail address."),
]
DealOption = Annotated[str | None, typer.Option(help="Only calls about this deal: HubSpot ID or full name.")]
CompanyOption = Annotated[str | None, typer.Option(help="Only calls with this company: CRM ID or full name.")]
SpeakerOption = Annotated[
    SpeakerType | None,
    typer.Option(
        case_sensitive=False, help="Only segments of this side: external (customers) or internal (your team)."
    ),
]
MinWords = Annotated[int, typer.Option(min=0, max=10_000, help="Minimum number of words per segment.")]
ContextTurns = Annotated[
    int, typer.Option(min=0, max=20, help="Number of turns to show before and after each segment.")
]
CallId = Annotated[str, typer.Argument(help="Gong call ID.")]


def find(
    record_type: Annotated[
        RecordType, typer.Argument(case_sensitive=False, help="What to look for: rep, company or deal.")
    ],
    name: Annotated[
        str | None,
        typer.Argument(help="Part of the name, e-mail address or domain, or an ID. Default: list all."),
    ] = None,
    limit: Limit = 20,
    page: PageOption = None,
    as_json: JsonOption = False,
) -> None:
    """Find reps, companies or deals by part of a name, best matches first.

    Accents, case, blanks and punctuation do not matter, and similar names are found too.
    """
    from gong_assets.agents import find_records

    answer = find_records(_warehouse(), record_type.value, name, limit=limit, page=page)
    answers.show(answer, answers.records, as_json=as_json)


def calls(
    from_date: FromDate = None,
    to_date: ToDate = None,
    rep: RepOption = None,
    deal: DealOption = None,
    company: CompanyOption = None,
    limit: CallLimit = 20,
    page: PageOption = None,
    as_json: JsonOption = False,
) -> None:
    """List calls by date, rep, deal and company, newest first."""
    from gong_assets.agents import find_calls

    answer = find_calls(
        _warehouse(),
        from_date=from_date,
        to_date=to_date,
        rep=rep,
        deal=deal,
        company=company,
        limit=limit,
        page=page,
    )
    answers.show(answer, answers.calls, as_json=as_json)


def transcript(
    call_id: CallId,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Maximum number of turns.")] = 1000,
    page: PageOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print what was said on one call, in time order."""
    from gong_assets.agents import read_transcript

    answer = read_transcript(_warehouse(), call_id, limit=limit, page=page)
    answers.show(answer, answers.transcript, as_json=as_json)


def deals(
    level: Annotated[
        RiskLevel, typer.Option(case_sensitive=False, help="Lowest risk level to list.")
    ] = RiskLevel.low,
    owner: Annotated[
        str | None, typer.Option(help="Only deals of this owner: full name or e-mail address.")
    ] = None,
    limit: Limit = 20,
    page: PageOption = None,
    as_json: JsonOption = False,
) -> None:
    """List open deals at risk, those with the most risk indicators first."""
    from gong_assets.agents import deals_at_risk

    answer = deals_at_risk(_warehouse(), level=level.value, owner=owner, limit=limit, page=page)
    answers.show(answer, answers.deals, as_json=as_json)


def coach(
    days: Annotated[int, typer.Option(min=1, max=36500, help="Number of days to look back.")] = 14,
    limit: CallLimit = 10,
    page: PageOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the calls that need coaching, worst first, with the reasons."""
    from gong_assets.agents import coaching_opportunities

    answer = coaching_opportunities(_warehouse(), days=days, limit=limit, page=page)
    answers.show(answer, answers.coaching, as_json=as_json)


def analyze(call_id: CallId, as_json: JsonOption = False) -> None:
    """Analyze one call: its summary, sentiment, and risk segments in time order."""
    from gong_assets.agents import analyze_call

    answers.show(analyze_call(_warehouse(), call_id), answers.analysis, as_json=as_json)


def search(
    text: Annotated[str, typer.Argument(help="Text to search for, in your own words.")],
    limit: SegmentLimit = 5,
    min_similarity: MinSimilarity = None,
    from_date: FromDate = None,
    to_date: ToDate = None,
    rep: RepOption = None,
    deal: DealOption = None,
    company: CompanyOption = None,
    speaker: SpeakerOption = None,
    min_words: MinWords = 0,
    context: ContextTurns = 0,
    page: PageOption = None,
    as_json: JsonOption = False,
) -> None:
    """Search for call segments with a similar meaning.

    The most similar segments are returned even if none is relevant, so check the similarity and the text. The
    filters apply before the search.
    """
    from gong_assets.agents import similar_segments

    answer = similar_segments(
        _warehouse(),
        text,
        limit=limit,
        min_similarity=min_similarity,
        from_date=from_date,
        to_date=to_date,
        rep=rep,
        deal=deal,
        company=company,
        speaker=speaker.value if speaker else None,
        min_words=min_words,
        context=context,
        page=page,
    )
    answers.show(answer, answers.segments, as_json=as_json)


def account(
    company: Annotated[str, typer.Argument(help="CRM ID or full name of the company.")],
    limit: CallLimit = 20,
    page: PageOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the latest calls with a company in time order: deal, sentiment, summary and next steps."""
    from gong_assets.agents import account_timeline

    answer = account_timeline(_warehouse(), company, limit=limit, page=page)
    answers.show(answer, answers.account, as_json=as_json)


def sql(
    query: Annotated[
        str, typer.Argument(help="One SQL statement. Write `--` before one that starts with a comment.")
    ],
    output_format: Annotated[
        OutputFormat, typer.Option("--format", help="Output format: table, json or csv.")
    ] = OutputFormat.table,
) -> None:
    """Run one SQL statement on the configured warehouse."""
    from gong_assets.warehouse.connection import fetch_table

    if not query.strip().strip(";").strip():
        raise typer.BadParameter("the SQL text is empty", param_hint="QUERY")
    with _warehouse().connect() as connection:
        columns, rows = fetch_table(connection, query)
    output.rows(columns, rows, output_format)


def _warehouse() -> Warehouse:
    from gong_assets.settings import load_settings
    from gong_assets.warehouse.connection import Warehouse, open_warehouse

    warehouse = open_warehouse(load_settings())

    def arguments() -> Mapping[str, object]:
        # Called by the first query, after the command's arguments were validated. May start the local stack.
        with output.status("connecting"):
            return warehouse.arguments

    return Warehouse(arguments)
