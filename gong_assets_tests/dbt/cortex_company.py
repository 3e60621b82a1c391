"""A schema with a few calls, for tests that send texts to the Cortex stand-in."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

from gong_assets.cortex.sending import create_tables
from gong_assets.cortex.texts import Scope
from gong_assets.dates import DateRange, format_ranges
from gong_assets.ingestion.streams import RAW_TABLES
from gong_assets.warehouse.tables import create_raw_tables
from gong_assets_tests.dbt.enriching import Enriched, enrich, scope_of
from gong_assets_tests.dbt.project import DbtProject, variables_of_dbt
from gong_assets_tests.dbt.records import MONDAY, meta, sentence, turn
from gong_assets_tests.dbt.warehouse import Row, Warehouse

REFUSED = "unspeakable"
# Rejected at the start of a text. In an embedding request, a text starts with "passage".
UNSCORABLE = "Unscorable"
# A text whose tokens cannot be counted.
UNCOUNTED = "uncountable"
CALLS, TURNS = 3, 6
MODELS = ("path:models/cortex",)
VIEWS = ("+vw_enriched_gong_calls", "+vw_enriched_gong_call_transcripts", "+vw_gong_call_risks")
SEGMENTS = "CORTEX_GONG_CALL_TRANSCRIPTS"


@dataclass(frozen=True)
class Company:
    """A separate schema with a few calls, and a dbt project that uses it."""

    warehouse: Warehouse
    project: DbtProject
    variables: dict[str, Any]
    sent_before: int

    def land(
        self, calls: dict[str, list[str]], *, first: date = MONDAY, speaker: str = "Carl Customer"
    ) -> None:
        """Land one call per day, with a turn of the speaker for each text."""
        create_raw_tables(self.warehouse.connection, RAW_TABLES)
        for number, (call_id, texts) in enumerate(calls.items()):
            day = first + timedelta(days=number)
            speakers = [{"id": "1", "speakerId": "7", "name": speaker, "affiliation": "External"}]
            record = {"metaData": meta(call_id, f"{day}T09:00:00Z"), "parties": speakers}
            turns = [turn("7", sentence(i * 1000, i * 1000 + 900, text)) for i, text in enumerate(texts)]
            self.warehouse.land_calls([(day, record, None)])
            self.warehouse.land_transcripts([(day, {"callId": call_id, "transcript": turns})])

    def run(
        self,
        *,
        select: tuple[str, ...] = MODELS,
        fails: tuple[str, ...] = (),
        variables: dict[str, Any] | None = None,
        days: list[DateRange] | None = None,
        redacts: bool = False,
        tokens: int | None = None,
        credits: float | None = None,
    ) -> Enriched:
        """Build the staged models that are read, send the texts, and build the selected models.

        Args:
            fails: the enrichments that fail.
        """
        merged = self.variables | (variables or {})
        scope = scope_of(merged, days, redacts=redacts)
        create_tables(self.warehouse.connection, scope.functions)
        self._dbt(scope, merged, *(f"path:models/staging,+{each.lstrip('+')}" for each in select))
        done = self.send(scope, tokens=tokens, credits=credits)
        assert set(done.errors) == set(fails), done
        self._dbt(scope, merged, *select)
        return done

    def send(
        self, scope: Scope | None = None, *, tokens: int | None = None, credits: float | None = None
    ) -> Enriched:
        """Send the staged texts."""
        return enrich(
            self.warehouse.connection,
            self.warehouse.arguments,
            scope or scope_of(self.variables),
            run_key=uuid4().hex,
            tokens=tokens,
            credits=credits,
        )

    def build(self) -> None:
        """Build the models that read the results."""
        self._dbt(scope_of(self.variables), self.variables, *MODELS)

    def _dbt(self, scope: Scope, variables: dict[str, Any], *select: str) -> None:
        days = "" if scope.days is None else format_ranges(scope.days)
        read = {name: value for name, value in variables.items() if name in variables_of_dbt()}
        self.project.succeed(
            *("run", "--select", *select, "--vars", json.dumps(read)),
            GONG_ASSETS_DAYS=days,
            GONG_REDACT_TRANSCRIPTS=str(scope.redacts).lower(),
        )

    def segments(self) -> dict[str, Row]:
        return self.warehouse.rows(SEGMENTS, "TRANSCRIPT_ID")

    def sent(self) -> list[Row]:
        """Return the usage history, oldest first."""
        return self.warehouse.query(
            "select function_name, query_id, is_completed, metrics "
            "from snowflake.account_usage.cortex_ai_functions_usage_history "
            "order by start_time, function_name"
        )[self.sent_before :]

    def billed_tokens(self) -> int:
        return sum(metric["value"] for row in self.sent() for metric in json.loads(row["METRICS"]))

    def batches(self) -> list[Row]:
        return self.warehouse.query(
            "select * from gong_cortex_batches order by planned_at, function_name, batch"
        )


def texts(call: int) -> list[str]:
    return [f"We talked about offer number {call} {number} and it was great." for number in range(TURNS)]
