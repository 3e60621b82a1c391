"""Requests to Cortex: batches, costs, the token budget, retries and redaction."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import pytest

from gong_assets.warehouse.tables import create_raw_tables
from gong_assets_tests.dbt.conftest import connected, project_of, served
from gong_assets_tests.dbt.project import DbtProject
from gong_assets_tests.dbt.records import MONDAY, meta, sentence, turn
from gong_assets_tests.dbt.warehouse import Row, Warehouse

pytestmark = pytest.mark.xdist_group("cortex")

REFUSED = "unspeakable"
# Rejected at the start of a text. In an embedding request, a text starts with "passage".
UNSCORABLE = "Unscorable"
CALLS, TURNS = 3, 6
MODELS = ("+path:models/cortex",)
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
        create_raw_tables(self.warehouse.connection)
        for number, (call_id, texts) in enumerate(calls.items()):
            day = first + timedelta(days=number)
            speakers = [{"id": "1", "speakerId": "7", "name": speaker, "affiliation": "External"}]
            record = {"metaData": meta(call_id, f"{day}T09:00:00Z"), "parties": speakers}
            turns = [turn("7", sentence(i * 1000, i * 1000 + 900, text)) for i, text in enumerate(texts)]
            self.warehouse.land_calls([(day, record, None)])
            self.warehouse.land_transcripts([(day, {"callId": call_id, "transcript": turns})])

    def run(
        self,
        *more: str,
        select: tuple[str, ...] = MODELS,
        fails: bool = False,
        variables: dict[str, Any] | None = None,
        **environment: str,
    ) -> str:
        """Build the staged and Cortex models, or the selected ones, and return dbt's output."""
        merged = json.dumps(self.variables | (variables or {}))
        done = self.project.command("run", "--select", *select, "--vars", merged, *more, **environment)
        assert (done.returncode != 0) == fails, done.stdout + done.stderr
        return done.stdout

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


@pytest.fixture(scope="module")
def served_company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    with (
        served(
            tmp_path_factory.mktemp("refusing"), GONG_ASSETS_LOCAL_CORTEX_REFUSES=f"{REFUSED}|^{UNSCORABLE}"
        ) as port,
        connected(port) as warehouse,
    ):
        project = project_of(tmp_path_factory.mktemp("dbt"), port)
        variables = {"cortex_segments_per_batch": 8, "cortex_calls_per_batch": 2, "cortex_max_attempts": 2}
        yield Company(warehouse, project, variables, 0)


@pytest.fixture
def company(served_company: Company) -> Company:
    """Return the schema without any tables."""
    named = "select table_name, table_type from information_schema.tables where table_schema = 'GONG_DATA'"
    for row in served_company.warehouse.query(named):
        kind = "view" if row["TABLE_TYPE"] == "VIEW" else "table"
        served_company.warehouse.query(f"drop {kind} {row['TABLE_NAME']}")
    return replace(served_company, sent_before=len(served_company.sent()))


def test_a_failing_text_is_isolated_and_given_up_while_all_others_get_results(
    company: Company,
) -> None:
    calls = {f"call{number}": texts(number) for number in range(CALLS)}
    calls["call1"][2] = f"This is quite {REFUSED} to me."
    refused = "call1_2000_0"
    company.land(calls)

    # Batches of 8, latest days first: the second batch has the rejected text, and the third is not sent.
    assert "batch 2 of 3" in company.run(fails=True)
    rows = company.segments()
    assert sum(row["PROCESSED_BY_CORTEX"] for row in rows.values()) == 8
    tried = {key for key, row in rows.items() if row["CORTEX_ERROR"]}
    assert len(tried) == 8
    assert refused in tried
    assert {row["CORTEX_ATTEMPTS"] for row in rows.values()} == {0, 1}

    # Texts that were never sent come first, then the failed ones one by one. The rejected one fails again.
    assert "of 9" in company.run(fails=True)
    rows = company.segments()
    assert rows[refused]["CORTEX_ATTEMPTS"] == 2
    assert rows[refused]["CORTEX_ERROR"].startswith("No result")

    # No attempts are left. The dialogue with this text fails as well and is given up. Its insights come last
    # and do not fail a statement.
    for _ in range(2):
        company.run(fails=True)
    company.run()
    company.run()
    rows = company.segments()
    assert {key for key, row in rows.items() if not row["PROCESSED_BY_CORTEX"]} == {refused}
    assert [key for key, row in rows.items() if row["CORTEX_ERROR"]] == [refused]
    summaries = company.warehouse.rows("CORTEX_GONG_CALLS", "CALL_ID")
    assert {key for key, row in summaries.items() if row["CALL_SUMMARY"]} == {"call0", "call2"}
    assert summaries["call1"]["CORTEX_ERROR"].startswith("No result")
    insights = company.warehouse.rows("CORTEX_GONG_CALL_INSIGHTS", "CALL_ID")
    assert "GONG_ASSETS_LOCAL_CORTEX_REFUSES" in insights["call1"]["CORTEX_ERROR"]

    # Each good text got one result. Only texts in a statement with the rejected one were billed twice.
    answered = [row for row in company.sent() if row["IS_COMPLETED"] and row["FUNCTION_NAME"] == "AI_EMBED"]
    probe = 2  # "Good morning, and thank you." is sent before each retry
    assert len(answered) <= 3 + 7 + probe
    sent = len(company.sent())
    company.run()
    assert len(company.sent()) == sent


def test_a_budget_is_never_exceeded_and_the_next_run_continues(company: Company) -> None:
    company.land({f"call{number}": texts(number) for number in range(CALLS)})

    output = company.run(GONG_CORTEX_TOKEN_BUDGET="0")

    assert company.sent() == []
    said = re.search(
        r"cortex_gong_call_transcripts exceeds the token budget of 0 and defers 18 calls of AI_EMBED, "
        r"about (\d+) tokens and 0\.\d{4} credits \(\$0\.\d\d\)",
        output,
    )
    assert said, output
    embedding_tokens = int(said[1])
    assert all(row["CORTEX_ATTEMPTS"] == 0 for row in company.segments().values())

    # The segments cost more than that, because two functions count them.
    budget = 3 * embedding_tokens
    company.run(GONG_CORTEX_TOKEN_BUDGET=str(budget))
    done = company.segments()
    answered = {key for key, row in done.items() if row["PROCESSED_BY_CORTEX"]}
    assert 0 < len(answered) < len(done)
    assert 0 < company.billed_tokens() <= budget
    planned = [row for row in company.batches() if row["STATUS"] == "Answered"]
    assert sum(row["INPUT_TOKENS"] + row["OUTPUT_TOKENS"] for row in planned) <= budget
    # The latest day is sent first.
    assert {key.split("_")[0] for key in answered} <= {"call2", "call1"}

    company.run()
    rows = company.segments()
    assert all(row["PROCESSED_BY_CORTEX"] and row["CORTEX_ATTEMPTS"] == 1 for row in rows.values())
    assert {key: rows[key]["CORTEX_PROCESSED_AT"] for key in answered} == {
        key: done[key]["CORTEX_PROCESSED_AT"] for key in answered
    }
    estimated = sum(
        row["INPUT_TOKENS"]
        for row in company.batches()
        if row["STATUS"] == "Answered" and row["FUNCTION_NAME"] == "AI_EMBED"
    )
    assert estimated == embedding_tokens


def test_a_new_version_reports_its_cost_and_keeps_old_results_until_new_ones_exist(
    company: Company,
) -> None:
    company.land({"call0": texts(0)})
    company.run()
    before, sent = company.segments(), len(company.sent())
    (call,) = company.warehouse.query("select * from cortex_gong_calls")
    assert call["FIRST_PROCESSED_AT"] == call["CORTEX_PROCESSED_AT"]
    company.warehouse.query(
        "update cortex_gong_call_insights set risks = array_construct('what an earlier version found')"
    )

    output = company.run(variables={"enrichment_version": "2"}, GONG_CORTEX_TOKEN_BUDGET="0")

    assert "exceeds the token budget of 0 and defers 6 calls of SENTIMENT" in output
    assert company.segments() == before
    assert len(company.sent()) == sent

    output = company.run(variables={"enrichment_version": "2"})
    assert re.search(
        r"cortex_gong_call_transcripts sends 6 calls of AI_EMBED, about \d+ tokens and", output
    ), output
    after = company.segments()
    assert all(row["ENRICHMENT_VERSION"] == "2" for row in after.values())
    assert {key: row["TRANSCRIPT_EMBEDDING"] for key, row in after.items()} == {
        key: row["TRANSCRIPT_EMBEDDING"] for key, row in before.items()
    }
    (insights,) = company.warehouse.query("select * from cortex_gong_call_insights")
    assert json.loads(insights["RISKS"]) == []
    (again,) = company.warehouse.query("select * from cortex_gong_calls")
    assert again["CORTEX_PROCESSED_AT"] > call["CORTEX_PROCESSED_AT"]
    assert again["FIRST_PROCESSED_AT"] == call["FIRST_PROCESSED_AT"]

    sent = len(company.sent())
    company.run(variables={"enrichment_version": "2", "embedding_model": "snowflake-arctic-embed-m"})
    assert {row["FUNCTION_NAME"] for row in company.sent()[sent:]} == {"AI_EMBED", "SENTIMENT"}
    assert {row["EMBEDDING_MODEL"] for row in company.segments().values()} == {"snowflake-arctic-embed-m"}


def test_only_the_changed_one_of_a_hundred_segments_is_sent(company: Company) -> None:
    lines = [f"Segment {number} of a hundred speaks about the contract." for number in range(100)]
    company.land({"call0": lines})
    company.run()
    before = company.segments()
    sent = len(company.sent())

    lines[41] = "This one speaks about something else."
    company.land({"call0": lines})
    company.run()

    changed = {key for key, row in company.segments().items() if row != before[key]}
    assert changed == {"call0_41000_0"}
    assert [row["FUNCTION_NAME"] for row in company.sent()[sent:]].count("AI_EMBED") == 1
    assert [row["CALLS"] for row in company.batches() if row["FUNCTION_NAME"] == "AI_EMBED"][-1] == 1


def test_costs_are_recorded_by_function(company: Company) -> None:
    company.land({"call0": texts(0)})
    company.run()
    by_function = {row["FUNCTION_NAME"]: row for row in company.batches()}
    assert {name: row["CALLS"] for name, row in by_function.items()} == {
        "SENTIMENT": 6, "AI_EMBED": 6, "AI_SUMMARIZE_AGG": 1, "AI_EXTRACT": 1,
    }  # fmt: skip
    billed = {
        row["FUNCTION_NAME"]: sum(metric["value"] for metric in json.loads(row["METRICS"]))
        for row in company.sent()[-4:]
    }
    for name, row in by_function.items():
        assert row["INPUT_TOKENS"] + row["OUTPUT_TOKENS"] >= billed[name], name
    assert by_function["AI_EMBED"]["INPUT_TOKENS"] == billed["AI_EMBED"]
    embedded = by_function["AI_EMBED"]
    assert embedded["ESTIMATED_CREDITS"] == pytest.approx(embedded["INPUT_TOKENS"] * 0.05 / 1e6)
    assert embedded["ESTIMATED_DOLLARS"] == pytest.approx(2 * embedded["ESTIMATED_CREDITS"])
    assert embedded["CORTEX_MODEL"] == "e5-base-v2"


# This many turns, with this many repetitions of a sentence, exceed the input limit of the family.
@pytest.mark.parametrize(("family", "turns", "repeats"), [("current", 66, 170), ("legacy", 220, 15)])
def test_texts_beyond_the_input_limit_are_truncated_or_split(
    company: Company, family: str, turns: int, repeats: int
) -> None:
    """Each digit is a token, so that neither characters nor words give the length of a text."""
    digits = "7 " * 700
    # The same text each time, so that the stand-in has it in its cache.
    long_call = ["I will send the contract next week and look at prices. " * repeats] * turns
    company.land({"call0": [digits, "日本語の とても 長い 文章です。" * 60, "🙂 " * 400], "call1": long_call})

    company.run(variables={"cortex_family": family})

    rows = company.segments()
    assert len(rows) == 3 + len(long_call)
    assert all(row["PROCESSED_BY_CORTEX"] for row in rows.values())
    calls = company.warehouse.rows("CORTEX_GONG_CALLS", "CALL_ID")
    assert calls["call1"]["CALL_SUMMARY"]
    insights = company.warehouse.rows("CORTEX_GONG_CALL_INSIGHTS", "CALL_ID")
    assert insights["call1"]["CORTEX_ERROR"] is None
    assert json.loads(insights["call1"]["NEXT_STEPS"])
    batches = company.batches()
    functions = {
        "current": {"SENTIMENT", "AI_EMBED", "AI_SUMMARIZE_AGG", "AI_EXTRACT"},
        "legacy": {"SENTIMENT", "EMBED_TEXT_768", "SUMMARIZE", "EXTRACT_ANSWER"},
    }
    assert {row["FUNCTION_NAME"] for row in batches} == functions[family]
    # One call for each part of each dialogue.
    assert sum(row["CALLS"] for row in batches if row["MODEL_NAME"] == "cortex_gong_calls") > 2


def test_labels_of_ai_sentiment_become_numbers_and_an_unknown_label_is_a_result_without_a_score(
    company: Company,
) -> None:
    company.land(
        {"call0": ["This is great and we love it.", "It is terrible, we hate it.", "-- -- -- -- --"]}
    )
    labels = {"cortex_sentiment_function": "ai_sentiment"}

    company.run(variables=labels)

    rows = company.segments()
    assert rows["call0_0_0"]["SEGMENT_SENTIMENT"] == 1
    assert rows["call0_1000_0"]["SEGMENT_SENTIMENT"] == -1
    unknown = rows["call0_2000_0"]
    assert (unknown["SEGMENT_SENTIMENT"], unknown["CORTEX_ERROR"]) == (None, None)
    assert unknown["PROCESSED_BY_CORTEX"]
    sent = len(company.sent())
    company.run(variables=labels)
    assert len(company.sent()) == sent


def test_a_row_without_a_result_keeps_its_error_and_is_sent_again_up_to_a_limit(company: Company) -> None:
    """AI_SENTIMENT returns NULL for one text of a statement and results for the others."""
    company.land({"call0": [f"{UNSCORABLE} as it is, this is about the offer.", *texts(0)]})
    labels = {"cortex_sentiment_function": "ai_sentiment"}
    for attempt in (1, 2):
        company.run(variables=labels)
        rows = company.segments()
        refused = rows.pop("call0_0_0")
        assert (refused["CORTEX_ATTEMPTS"], refused["PROCESSED_BY_CORTEX"]) == (attempt, False)
        assert "GONG_ASSETS_LOCAL_CORTEX_REFUSES" in refused["CORTEX_ERROR"]
        assert refused["SEGMENT_SENTIMENT"] is None
        assert all(row["PROCESSED_BY_CORTEX"] and row["CORTEX_ATTEMPTS"] == 1 for row in rows.values())
    sent = len(company.sent())
    company.run(variables=labels)
    assert len(company.sent()) == sent


def test_a_dialogue_beyond_the_whole_budget_does_not_block_others(company: Company) -> None:
    calls = {"call0": texts(0), "call1": ["We talked about the offer and how it was made. " * 18] * 8}
    company.land(calls)
    company.run()
    # Another speaker name changes the dialogues but not the segments.
    company.land(calls, speaker="Carla")
    sent = len(company.sent())

    output = company.run(GONG_CORTEX_TOKEN_BUDGET="1600")

    assert "1 texts of cortex_gong_calls need up to" in output
    assert "No run can send them within its token budget of 1,600" in output
    assert [row["FUNCTION_NAME"] for row in company.sent()[sent:]] == ["AI_SUMMARIZE_AGG", "AI_EXTRACT"]
    summaries = company.warehouse.rows("CORTEX_GONG_CALLS", "CALL_ID")
    assert {key for key, row in summaries.items() if row["CALL_SUMMARY"]} == {"call0"}
    insights = company.warehouse.rows("CORTEX_GONG_CALL_INSIGHTS", "CALL_ID")
    assert {key for key, row in insights.items() if row["PROCESSED_BY_CORTEX"]} == {"call0"}


def test_after_enabling_redaction_no_result_of_unredacted_text_is_visible(
    company: Company,
) -> None:
    """This includes days that are not run again."""
    secret = "carl@customer.example"
    said = [
        f"Honestly we worry about the price, and {secret} has doubts about the contract.",
        f"The next step is that I will send {secret} the offer next week.",
    ]
    company.land({"call0": said, "call1": said})
    company.run(select=VIEWS)
    shown = company.warehouse.rows("VW_ENRICHED_GONG_CALLS", "CALL_ID")
    assert all(secret in shown[call]["CALL_SUMMARY"] for call in shown)
    assert any(
        row["RISK"] == "Extracted Risk" for row in company.warehouse.query("select * from vw_gong_call_risks")
    )

    second, end = ((MONDAY + timedelta(days=days)).isoformat() for days in (1, 2))
    window = ("--event-time-start", second, "--event-time-end", end)
    company.run(*window, select=VIEWS, GONG_REDACT_TRANSCRIPTS="true")

    shown = company.warehouse.rows("VW_ENRICHED_GONG_CALLS", "CALL_ID")
    old, redacted = shown["call0"], shown["call1"]
    assert (old["CALL_SUMMARY"], old["NEXT_STEPS"], old["NEXT_STEPS_SOURCE"]) == (None, None, None)
    assert "[EMAIL]" in redacted["CALL_SUMMARY"]
    risks = company.warehouse.query("select * from vw_gong_call_risks")
    assert "call0" not in {row["CALL_ID"] for row in risks if row["RISK"] == "Extracted Risk"}
    segments = company.warehouse.rows("VW_ENRICHED_GONG_CALL_TRANSCRIPTS", "TRANSCRIPT_ID")
    assert {row["TRANSCRIPT_TEXT"] for row in segments.values() if row["CALL_ID"] == "call0"} == {None}
    assert secret not in json.dumps([shown, risks, segments], default=str)


def test_views_and_summaries_show_only_redacted_transcripts(company: Company) -> None:
    secret = "carl@customer.example"
    company.land({
        "call0": [f"Please write to {secret} about the offer.", "We love the new offer, thank you."],
        "call1": ["Words without any end " * 300 + f"and then {secret} is where I read it."],
        "call2": [f"This is {REFUSED} to me, and {secret} knows.", "And this is not, thank you."],
        # Split for redaction. One piece is rejected; it lies beyond the prefix that is embedded.
        "call3": ["Words without any end " * 300 + f"which is {REFUSED}, and {secret} knows."],
    })  # fmt: skip

    # The rejected text fails the statement that embeds it, but not the redaction of other texts.
    company.run(GONG_REDACT_TRANSCRIPTS="true", fails=True)
    first = company.warehouse.rows("CORTEX_GONG_REDACTED_TRANSCRIPTS", "TRANSCRIPT_ID")
    assert {key for key, row in first.items() if row["CORTEX_ERROR"]} == {"call2_0_0", "call3_0_0"}
    company.run(GONG_REDACT_TRANSCRIPTS="true", fails=True)
    company.run(GONG_REDACT_TRANSCRIPTS="true")

    redacted = company.warehouse.rows("CORTEX_GONG_REDACTED_TRANSCRIPTS", "TRANSCRIPT_ID")
    assert redacted["call0_0_0"]["REDACTED_TEXT"] == "Please write to [EMAIL] about the offer."
    # Unredacted text stays hidden, and its dialogue is not sent.
    for key in ("call2_0_0", "call3_0_0"):
        refused = redacted.pop(key)
        assert (refused["REDACTED_TEXT"], refused["CORTEX_ATTEMPTS"]) == (None, 2)
        assert refused["CORTEX_ERROR"]
    assert all(row["PROCESSED_BY_CORTEX"] for row in redacted.values())
    assert not any(secret in row["REDACTED_TEXT"] for row in redacted.values())
    hashes = {
        key: row["TRANSCRIPT_HASH"]
        for key, row in company.warehouse.rows("CORTEX_GONG_CALLS", "CALL_ID").items()
    }
    assert [hashes["call2"], hashes["call3"]] == [None, None]
    assert len(redacted["call1_0_0"]["REDACTED_TEXT"]) > 6000
    assert secret not in json.dumps(company.warehouse.rows("CORTEX_GONG_CALLS", "CALL_ID"), default=str)
    assert secret not in json.dumps(
        company.warehouse.rows("CORTEX_GONG_CALL_INSIGHTS", "CALL_ID"), default=str
    )
