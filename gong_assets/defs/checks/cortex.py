"""Checks on what Cortex has not answered.

A text that fails, or that a run's token budget leaves out, holds back nothing else: these checks are where it shows.
"""

from typing import Any

import dagster as dg

from gong_assets.defs.resources import SnowflakeResource
from gong_assets.settings import Settings
from gong_assets.warehouse.queries import unanswered_calls, unanswered_segments, unredacted_segments

_NOT_SENT = "not sent yet"


def build_cortex_checks(settings: Settings) -> list[dg.AssetChecksDefinition]:
    checks = [
        _check(
            "cortex_gong_call_transcripts",
            "segments_are_enriched",
            "Cortex has answered for every staged segment as it is now, but for those too short to be sent.",
            unanswered_segments(),
        ),
        _check(
            "cortex_gong_calls",
            "calls_are_summarized",
            "Cortex has summarized the dialogue of every staged call as it is now.",
            unanswered_calls("CORTEX_GONG_CALLS"),
        ),
        _check(
            "cortex_gong_call_insights",
            "calls_have_insights",
            "Cortex has answered for every call of which Gong says no topics or next steps.",
            unanswered_calls("CORTEX_GONG_CALL_INSIGHTS"),
        ),
    ]
    if settings.gong_redact_transcripts:
        checks.append(
            _check(
                "cortex_gong_redacted_transcripts",
                "segments_are_redacted",
                "Every staged segment is redacted. One that is not cannot be read in the views.",
                unredacted_segments(),
            )
        )
    return checks


def _check(asset: str, name: str, description: str, unanswered: str) -> dg.AssetChecksDefinition:
    @dg.asset_check(asset=asset, name=name, description=description)
    def check(snowflake: SnowflakeResource) -> dg.AssetCheckResult:
        return unanswered_result(snowflake.warehouse().query(unanswered))

    return check


def unanswered_result(rows: list[dict[str, Any]]) -> dg.AssetCheckResult:
    """Passes if there are none; the errors, how many texts each has, and an example of each."""
    metadata: dict[str, Any] = {"texts": sum(int(row["TEXTS"]) for row in rows)}
    if rows:
        metadata["by_error"] = dg.MetadataValue.table(
            [
                dg.TableRecord(
                    {
                        "error": row["CORTEX_ERROR"] or _NOT_SENT,
                        "texts": int(row["TEXTS"]),
                        "example": row["EXAMPLE"],
                        "days": f"{row['FIRST_DATE']} to {row['LAST_DATE']}",
                    }
                )
                for row in rows
            ]
        )
        metadata["what_to_do"] = (
            "Materialize these days again: a run sends what waits, within its token budget, and what failed up to "
            "cortex_max_attempts times. VW_CORTEX_STATUS shows each day, CORTEX_ERROR and CORTEX_ATTEMPTS each text."
        )
    return dg.AssetCheckResult(passed=not rows, severity=dg.AssetCheckSeverity.WARN, metadata=metadata)
