"""Requests to Cortex: batches, costs, the token budget and retries."""

from __future__ import annotations

import json
import re

import pytest

from gong_assets_tests.dbt.cortex_company import CALLS, REFUSED, UNSCORABLE, Company, texts

pytestmark = pytest.mark.xdist_group("cortex")


@pytest.mark.extended
def test_a_failing_text_is_isolated_and_given_up_while_all_others_get_results(
    company: Company,
) -> None:
    calls = {f"call{number}": texts(number) for number in range(CALLS)}
    calls["call1"][2] = f"This is quite {REFUSED} to me."
    refused = "call1_2000_0"
    company.land(calls)
    one_by_one = {"cortex_connections": 1}

    # Batches of 8, latest days first: the second batch has the rejected text, and the third is not sent. The
    # dialogue with this text fails as well.
    failed = company.run(fails=("segments", "summaries"), variables=one_by_one)
    assert "Cortex: cortex_gong_call_transcripts, batch 2 of 3" in failed.log
    rows = company.segments()
    assert sum(row["PROCESSED_BY_CORTEX"] for row in rows.values()) == 8
    tried = {key for key, row in rows.items() if row["CORTEX_ERROR"]}
    assert len(tried) == 8
    assert refused in tried
    assert {row["CORTEX_ATTEMPTS"] for row in rows.values()} == {0, 1}

    # Texts that were never sent come first, then the failed ones one by one. The rejected one fails again.
    again = company.run(fails=("segments", "summaries"), variables=one_by_one)
    assert "of 9" in "".join(again.log)
    rows = company.segments()
    assert rows[refused]["CORTEX_ATTEMPTS"] == 2
    assert rows[refused]["CORTEX_ERROR"].startswith("No result")

    # No attempts are left.
    company.run(variables=one_by_one)
    rows = company.segments()
    assert {key for key, row in rows.items() if not row["PROCESSED_BY_CORTEX"]} == {refused}
    assert [key for key, row in rows.items() if row["CORTEX_ERROR"]] == [refused]
    summaries = company.warehouse.rows("CORTEX_GONG_CALLS", "CALL_ID")
    assert {key for key, row in summaries.items() if row["CALL_SUMMARY"]} == {"call0", "call2"}
    assert summaries["call1"]["CORTEX_ERROR"].startswith("No result")
    # Without a summary the dialogue itself is asked, which does not fail a statement.
    company.run(variables=one_by_one)
    insights = company.warehouse.rows("CORTEX_GONG_CALL_INSIGHTS", "CALL_ID")
    assert "GONG_ASSETS_LOCAL_CORTEX_REFUSES" in insights["call1"]["CORTEX_ERROR"]

    # Each good text got one result. Only texts in a statement with the rejected one were billed twice.
    answered = [row for row in company.sent() if row["IS_COMPLETED"] and row["FUNCTION_NAME"] == "AI_EMBED"]
    probe = 2  # "Good morning, and thank you." is sent before each retry
    assert len(answered) <= 3 + 7 + probe
    sent = len(company.sent())
    company.run(variables=one_by_one)
    assert len(company.sent()) == sent


@pytest.mark.extended
def test_a_budget_is_never_exceeded_and_the_next_run_continues(company: Company) -> None:
    company.land({f"call{number}": texts(number) for number in range(CALLS)})

    output = company.run(tokens=0)

    assert company.sent() == []
    said = re.search(
        r"cortex_gong_call_transcripts exceeds the budget of 0 tokens and 100 credits a run, [^.]* and "
        r"defers "
        r"18 calls of AI_EMBED, about (\d+) tokens and 0\.\d{4} credits \(\$0\.\d\d\)",
        "\n".join(output.log),
    )
    assert said, output
    embedding_tokens = int(said[1])
    assert all(row["CORTEX_ATTEMPTS"] == 0 for row in company.segments().values())

    # The segments cost more than that, because two functions count them.
    budget = 3 * embedding_tokens
    company.run(tokens=budget)
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


@pytest.mark.extended
def test_credits_are_limited_for_a_run_and_for_a_day(company: Company) -> None:
    company.land({f"call{number}": texts(number) for number in range(CALLS)})

    def spent() -> float:
        (row,) = company.warehouse.query(
            "select coalesce(sum(estimated_credits), 0) as credits from gong_cortex_batches "
            "where status in ('Sent', 'Answered')"
        )
        return float(row["CREDITS"])

    # A summary costs more than all segments together, at a price twenty times higher.
    company.run(credits=0.0009)
    assert 0 < spent() <= 0.0009
    assert all(row["PROCESSED_BY_CORTEX"] for row in company.segments().values())
    summaries = company.warehouse.rows("CORTEX_GONG_CALLS", "CALL_ID")
    assert not any(row["PROCESSED_BY_CORTEX"] for row in summaries.values())

    # Another run of the same day has what the first one left of the day.
    company.run(variables={"cortex_credit_budget_per_day": 0.0025})
    assert 0.0009 < spent() <= 0.0025
    summaries = company.warehouse.rows("CORTEX_GONG_CALLS", "CALL_ID")
    assert sum(row["PROCESSED_BY_CORTEX"] for row in summaries.values()) in (1, 2)
    sent = len(company.sent())
    company.run(variables={"cortex_credit_budget_per_day": 0.0025})
    assert len(company.sent()) == sent
    # So has a day of tokens.
    company.run(variables={"cortex_token_budget_per_day": 1})
    assert len(company.sent()) == sent


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


@pytest.mark.extended
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
    assert embedded["ESTIMATED_CREDITS"] == pytest.approx(embedded["INPUT_TOKENS"] * 0.03 / 1e6)
    assert embedded["ESTIMATED_DOLLARS"] == pytest.approx(2 * embedded["ESTIMATED_CREDITS"])
    assert embedded["CORTEX_MODEL"] == "e5-base-v2"


# This many turns, with this many repetitions of a sentence, exceed the input limit of the family.
@pytest.mark.parametrize(("family", "turns", "repeats"), [("current", 66, 170), ("legacy", 220, 15)])
@pytest.mark.extended
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


@pytest.mark.extended
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


@pytest.mark.extended
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


@pytest.mark.extended
def test_a_dialogue_beyond_the_whole_budget_does_not_block_others(company: Company) -> None:
    calls = {"call0": texts(0), "call1": ["We talked about the offer and how it was made. " * 18] * 8}
    company.land(calls)
    company.run()
    # Another speaker name changes the dialogues but not the segments.
    company.land(calls, speaker="Carla")
    sent = len(company.sent())

    output = "".join(company.run(tokens=1600).log)

    assert "1 texts of cortex_gong_calls need up to" in output
    assert "No run can send them within its budget of 1,600 tokens" in output
    assert [row["FUNCTION_NAME"] for row in company.sent()[sent:]] == ["AI_SUMMARIZE_AGG", "AI_EXTRACT"]
    summaries = company.warehouse.rows("CORTEX_GONG_CALLS", "CALL_ID")
    assert {key for key, row in summaries.items() if row["CALL_SUMMARY"]} == {"call0"}
    insights = company.warehouse.rows("CORTEX_GONG_CALL_INSIGHTS", "CALL_ID")
    assert {key for key, row in insights.items() if row["PROCESSED_BY_CORTEX"]} == {"call0"}
