"""Checks for texts without an answer of Cortex.

A text that fails, or that exceeds the token budget of a run, does not stop other texts. These checks report
it.
"""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from gong_assets.defs.checks.results import connection_of_check
from gong_assets.defs.options import DEFAULT_OPTIONS, GraphOptions
from gong_assets.defs.resources import SnowflakeResource
from gong_assets.security.redaction import first_lines, redact
from gong_assets.settings import Settings
from gong_assets.warehouse.connection import fetch
from gong_assets.warehouse.queries import unanswered_calls, unanswered_segments, unredacted_segments

_NOT_SENT = "not sent yet"


def build_cortex_checks(
    settings: Settings, options: GraphOptions = DEFAULT_OPTIONS
) -> list[dg.AssetChecksDefinition]:
    def check(asset: str, name: str, description: str, unanswered: str) -> dg.AssetChecksDefinition:
        @dg.asset_check(
            asset=options.asset_key(asset),
            name=name,
            description=description,
        )
        def cortex_check(gong_snowflake: SnowflakeResource) -> dg.AssetCheckResult:
            with connection_of_check(gong_snowflake) as connection:
                return unanswered_result(fetch(connection, unanswered))

        return cortex_check

    return [check(*arguments) for arguments in _checks(redacted=settings.gong_redact_transcripts)]


def _checks(*, redacted: bool) -> Iterator[tuple[str, str, str, str]]:
    """Yield the asset, name, description and query of each check."""
    yield (
        "cortex_gong_call_transcripts",
        "segments_are_enriched",
        "Cortex has answered for the current text of every staged segment that is long enough to be sent.",
        unanswered_segments(),
    )
    yield (
        "cortex_gong_calls",
        "calls_are_summarized",
        "Cortex has summarized the current dialogue of every staged call.",
        unanswered_calls("CORTEX_GONG_CALLS"),
    )
    yield (
        "cortex_gong_call_insights",
        "calls_have_insights",
        "Cortex has answered for every staged call without topics or next steps from Gong.",
        unanswered_calls("CORTEX_GONG_CALL_INSIGHTS"),
    )
    if redacted:
        yield (
            "cortex_gong_redacted_transcripts",
            "segments_are_redacted",
            "Every staged segment is redacted. The views do not show a segment that is not.",
            unredacted_segments(),
        )


def unanswered_result(rows: list[dict[str, Any]]) -> dg.AssetCheckResult:
    """Return a check that passes without rows, and otherwise lists each error with an example."""
    metadata: dict[str, Any] = {"texts": sum(int(row["TEXTS"]) for row in rows)}
    if rows:
        metadata["by_error"] = dg.MetadataValue.table(
            [
                dg.TableRecord(
                    {
                        # Cortex may quote the text that it rejects.
                        "error": first_lines(redact(row["CORTEX_ERROR"] or _NOT_SENT)),
                        "texts": int(row["TEXTS"]),
                        "example": row["EXAMPLE"],
                        "days": f"{row['FIRST_DATE']} to {row['LAST_DATE']}",
                    }
                )
                for row in rows
            ]
        )
        metadata["what_to_do"] = (
            "Materialize these days again: a run sends the texts that have not been sent, within its token "
            "budget, and the texts that failed, up to cortex_max_attempts times. VW_CORTEX_STATUS has a row "
            "for each day; CORTEX_ERROR and CORTEX_ATTEMPTS are columns of each text."
        )
    return dg.AssetCheckResult(passed=not rows, severity=dg.AssetCheckSeverity.WARN, metadata=metadata)
