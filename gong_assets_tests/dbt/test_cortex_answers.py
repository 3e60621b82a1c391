"""Answers by content: what is kept when calls move, processes die and tokens cannot be counted."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from threading import Barrier
from typing import Any
from unittest import mock

import pytest
import snowflake.connector

from gong_assets.cortex import sending
from gong_assets.cortex.batching import leftover_queues
from gong_assets.cortex.enrichments import ENRICHMENTS
from gong_assets.cortex.functions import Functions
from gong_assets.cortex.planning import Plan
from gong_assets.cortex.prices import MAX_AGE_DAYS, Prices
from gong_assets.cortex.rehearsal import rehearse
from gong_assets.dates import DateRange
from gong_assets.settings.dbt_vars import default_vars
from gong_assets_tests.dbt.cortex_company import CALLS, TURNS, UNCOUNTED, VIEWS, Company, texts
from gong_assets_tests.dbt.enriching import Enriched, enrich, scope_of
from gong_assets_tests.dbt.project import DbtProject
from gong_assets_tests.dbt.records import MONDAY

pytestmark = [pytest.mark.extended, pytest.mark.xdist_group("cortex")]

TUESDAY = MONDAY + timedelta(days=1)


def on(day: date) -> list[DateRange]:
    return [DateRange.single(day)]


def test_a_call_that_moves_to_another_day_in_separate_runs_is_paid_once(company: Company) -> None:
    kept = {"cortex_answers_kept_days": 7}
    company.land({"call0": texts(0)})
    company.run(days=on(MONDAY))
    (before,) = company.warehouse.query("select * from cortex_gong_calls")
    sent = len(company.sent())

    # Gong no longer has the call on Monday, and a run of Monday deletes it.
    company.warehouse.delete_call("call0")
    company.run(days=on(MONDAY), variables=kept)
    assert company.segments() == {}
    # Another run lands it on Tuesday, where its turns start a second later.
    company.land({"call0": texts(0)}, first=TUESDAY)
    company.run(days=on(TUESDAY), variables=kept)

    assert len(company.sent()) == sent
    rows = company.segments()
    assert len(rows) == 6
    assert all(row["CALL_DATE"] == TUESDAY and row["PROCESSED_BY_CORTEX"] for row in rows.values())
    (after,) = company.warehouse.query("select * from cortex_gong_calls")
    assert after == {**before, "CALL_DATE": TUESDAY}


def test_what_is_no_longer_said_or_landed_is_deleted(company: Company) -> None:
    company.land({"call0": texts(0), "call1": texts(1)})
    company.run()
    company.land({"call0": texts(0)[:3]})
    company.warehouse.delete_call("call1")

    company.run()

    for table in ("gong_cortex_answers", "gong_cortex_attempts"):
        counted = company.warehouse.query(
            f"select enrichment, call_id, count(*) as texts from {table} group by 1, 2 order by 1, 2"
        )
        assert [tuple(row.values()) for row in counted] == [
            ("insights", "call0", 1), ("segments", "call0", 3), ("summaries", "call0", 1),
        ], table  # fmt: skip


def test_an_answer_of_nulls_is_no_next_step(company: Company) -> None:
    company.land({"call0": texts(0)})
    company.run(select=VIEWS)
    lists = {"key_topics": ["price", None], "next_steps": [None], "risks": [None]}
    company.warehouse.query(
        "update cortex_gong_call_insights set "
        + ", ".join(f"{name} = parse_json('{json.dumps(value)}')" for name, value in lists.items())
    )

    # Of a day that no run builds again.
    (call,) = company.warehouse.rows("VW_ENRICHED_GONG_CALLS", "CALL_ID").values()
    assert (json.loads(call["KEY_TOPICS"]), call["KEY_TOPICS_SOURCE"]) == (["price"], "Cortex")
    assert (call["NEXT_STEPS"], call["NEXT_STEPS_SOURCE"]) == (None, None)
    risks = company.warehouse.query("select risk from vw_gong_call_risks")
    assert "Extracted Risk" not in {row["RISK"] for row in risks}


def test_of_a_call_that_is_no_longer_landed_only_the_older_answers_are_deleted(company: Company) -> None:
    kept = {"cortex_answers_kept_days": 7}
    company.land({"call0": texts(0)})
    company.run()
    # The dialogue was sent before too, to another function.
    older = "'before' as batch_id, 'another' as cortex_request"
    for table, at in (("answers", "answered_at"), ("attempts", "attempted_at")):
        company.warehouse.query(
            f"insert into gong_cortex_{table} select * replace ({older}, dateadd('day', -8, {at}) as {at}) "
            f"from gong_cortex_{table} where enrichment = 'summaries'"
        )
    hashes = [row["CONTENT_HASH"] for row in company.segments().values()]
    company.warehouse.query(
        "update gong_cortex_attempts set attempted_at = dateadd('day', -8, attempted_at) "
        f"where enrichment = 'segments' and text_hash in ('{hashes[0]}', '{hashes[1]}')"
    )
    company.warehouse.delete_call("call0")

    def kept_texts(table: str) -> list[tuple[str, str, str]]:
        rows = company.warehouse.query(
            f"select enrichment, text_hash, cortex_request from gong_cortex_{table} order by 1, 2, 3"
        )
        return [(row["ENRICHMENT"], row["TEXT_HASH"], row["CORTEX_REQUEST"]) for row in rows]

    before = kept_texts("answers")
    company.run(variables=kept)

    newer = [each for each in before if each[1] not in hashes[:2] and each[2] != "another"]
    assert len(newer) == len(before) - 3
    assert kept_texts("answers") == kept_texts("attempts") == newer
    company.warehouse.query("update gong_cortex_attempts set attempted_at = dateadd('day', -7, attempted_at)")
    company.run(variables=kept)
    assert kept_texts("answers") == kept_texts("attempts") == []


def test_a_text_whose_tokens_cannot_be_counted_waits_whole_and_loses_no_attempt(company: Company) -> None:
    long = f"This is {UNCOUNTED} for now, but it is about the offer of next year. " * 3
    company.land({"call0": [*texts(0), long], "call1": texts(1)})

    done = company.run()

    assert {name: outcome.uncounted for name, outcome in done.outcomes.items()} == {
        "segments": 1, "summaries": 1, "insights": 0,
    }  # fmt: skip
    rows = company.segments()
    waiting = rows.pop("call0_6000_0")
    assert (waiting["CORTEX_ATTEMPTS"], waiting["CORTEX_ERROR"], waiting["CORTEX_REQUEST"]) == (0, None, None)
    assert all(row["PROCESSED_BY_CORTEX"] for row in rows.values())
    # When it can be counted, the whole text is sent.
    company.warehouse.query(
        "update stg_gong_call_transcripts "
        f"set transcript_text = replace(transcript_text, '{UNCOUNTED}', 'ok')"
    )
    before = len(company.sent())
    company.send()
    (embedded,) = [row for row in company.sent()[before:] if row["FUNCTION_NAME"] == "AI_EMBED"]
    assert json.loads(embedded["METRICS"])[0]["value"] > 3 * 12


_SENDER = """
import json, sys
import snowflake.connector
from gong_assets_tests.dbt.enriching import enrich, scope_of
arguments = json.loads(sys.argv[1])
with snowflake.connector.connect(**arguments, session_parameters={"TIMEZONE": "UTC"}) as connection:
    enrich(connection, arguments, scope_of({"cortex_segments_per_batch": 1, "cortex_connections": 1}))
"""


def test_a_process_killed_in_a_batch_loses_no_answer_but_that_of_the_batch(company: Company) -> None:
    company.land({f"call{number}": texts(number) for number in range(CALLS)})
    company.run(tokens=0)
    arguments = json.dumps(dict(company.warehouse.arguments))
    process = subprocess.Popen([sys.executable, "-c", _SENDER, arguments], cwd=Path(__file__).parents[2])

    def answered() -> int:
        (row,) = company.warehouse.query("select count(*) as n from gong_cortex_answers")
        return int(row["N"])

    limit = time.monotonic() + 60
    while answered() < 3:
        assert process.poll() is None, "the process ended before it was killed"
        assert time.monotonic() < limit
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert answered() < CALLS * 6

    company.run()
    rows = company.segments()
    assert all(row["PROCESSED_BY_CORTEX"] and row["CORTEX_ATTEMPTS"] <= 1 for row in rows.values())
    embedded = [row for row in company.sent() if row["FUNCTION_NAME"] == "AI_EMBED"]
    billed = sum(json.loads(row["METRICS"])[0]["value"] for row in embedded)
    estimated = {row["INPUT_TOKENS"] for row in company.batches() if row["FUNCTION_NAME"] == "AI_EMBED"}
    once = company.warehouse.query("select sum(length(transcript_text)) as n from stg_gong_call_transcripts")
    assert once
    # Each text has 16 tokens. At most that of the batch in flight is billed twice.
    assert billed <= (CALLS * 6 + 1) * 16 + 20, (billed, estimated)
    attempts = company.warehouse.query(
        "select text_hash from gong_cortex_attempts where enrichment = 'segments' "
        "group by call_id, text_hash having count(*) > 1"
    )
    assert len(attempts) <= 1


def test_an_answer_counts_although_a_later_attempt_was_interrupted(company: Company) -> None:
    company.land({"call0": texts(0)})
    company.run()
    (before,) = company.warehouse.query("select * from cortex_gong_calls")
    sent = len(company.sent())
    company.warehouse.query(
        "insert into gong_cortex_attempts select * replace (2 as attempt, 'killed' as batch_id) "
        "from gong_cortex_attempts where enrichment = 'summaries'"
    )

    company.run()

    (after,) = company.warehouse.query("select * from cortex_gong_calls")
    assert after == {**before, "CORTEX_ATTEMPTS": 2}
    assert (after["PROCESSED_BY_CORTEX"], after["CORTEX_ERROR"]) == (True, None)
    assert len(company.sent()) == sent


def test_two_runs_at_once_pay_for_each_text_once(company: Company) -> None:
    company.land({f"call{number}": texts(number) for number in range(CALLS)})
    company.run(tokens=0)
    scope = scope_of({"cortex_segments_per_batch": 2, "cortex_calls_per_batch": 1, "cortex_connections": 1})
    planned = Barrier(2)
    send = sending.Sender._send_batches

    def send_together(sender: sending.Sender, *arguments: Any) -> None:
        # Both runs have planned all segments by now.
        planned.wait(60)
        send(sender, *arguments)

    def run(key: str) -> Enriched:
        arguments = dict(company.warehouse.arguments)
        with snowflake.connector.connect(**arguments, session_parameters={"TIMEZONE": "UTC"}) as own:
            # The second run may plan the next enrichment while the first is sending it.
            return enrich(own, arguments, scope, run_key=key, names=("segments",))

    with (
        mock.patch.object(sending.Sender, "_send_batches", send_together),
        ThreadPoolExecutor(2) as pool,
    ):
        done = list(pool.map(run, ("one", "other")))

    assert [each.errors for each in done] == [{}, {}]
    assert {each.outcomes["segments"].texts for each in done} == {CALLS * TURNS}
    twice = company.warehouse.query(
        "select enrichment, call_id, text_hash from gong_cortex_answers group by 1, 2, 3 having count(*) > 1 "
        "union all "
        "select enrichment, call_id, text_hash from gong_cortex_attempts group by 1, 2, 3 having count(*) > 1"
    )
    assert twice == []
    embedded = [row for row in company.sent() if row["FUNCTION_NAME"] == "AI_EMBED"]
    billed = sum(metric["value"] for row in embedded for metric in json.loads(row["METRICS"]))
    by_run: dict[str, int] = {}
    for row in company.batches():
        if row["FUNCTION_NAME"] == "AI_EMBED" and row["RUN_KEY"] in ("one", "other"):
            by_run[row["RUN_KEY"]] = by_run.get(row["RUN_KEY"], 0) + row["INPUT_TOKENS"]
    assert by_run == {"one": billed, "other": billed}
    company.run()
    assert all(row["CORTEX_ATTEMPTS"] == 1 for row in company.segments().values())
    left = company.warehouse.query(
        "select table_name from information_schema.tables where table_name like 'GONG_CORTEX_QUEUE%'"
    )
    assert left == []


def test_the_queue_of_a_killed_run_is_dropped_two_days_later() -> None:
    plan = Plan(ENRICHMENTS["segments"], scope_of(), Prices.of_vars(default_vars()), "run", "abc123")
    plan = replace(plan, started_on=date(2026, 11, 3))
    assert plan.queue == "GONG_CORTEX_QUEUE_SEGMENTS_20261103_ABC123"
    names = [
        f"GONG_CORTEX_QUEUE_{rest}_AB"
        for rest in ("SEGMENTS_20261101", "SEGMENTS_20261102", "SEGMENTS_20261103", "SUMMARIES_20261101")
    ]
    left = leftover_queues(
        plan.enrichment.queue, plan.started_on, [*names, "GONG_CORTEX_BATCHES", plan.queue]
    )
    assert left == names[:1]


def test_tables_of_an_earlier_version_keep_their_answers(company: Company) -> None:
    company.land({"call0": texts(0)})
    company.run()
    before = {table: company.warehouse.query(f"select * from {table}") for table in (
        "cortex_gong_calls", "cortex_gong_call_insights",
    )}  # fmt: skip
    segments, sent = company.segments(), len(company.sent())
    company.warehouse.query("drop table gong_cortex_answers")
    company.warehouse.query("drop table gong_cortex_attempts")

    company.run()

    assert len(company.sent()) == sent
    assert company.segments() == segments
    for table, rows in before.items():
        assert company.warehouse.query(f"select * from {table}") == rows


def test_all_statements_run_on_temporary_tables_for_a_few_cents(new_company: Company) -> None:
    """`gong-assets doctor --deep` on the emulator."""
    for family in ("current", "legacy"):
        functions = Functions({**default_vars(), "cortex_family": family})
        done = list(rehearse(new_company.warehouse.connection, functions, redacts=True))
        assert [each.enrichment.name for each in done] == list(ENRICHMENTS)
        assert [each.failures for each in done] == [()] * len(done)
        assert all(each.statements >= 14 for each in done)
        assert 0 < sum(each.dollars for each in done) < 0.05
    assert new_company.warehouse.query(
        "select * from information_schema.tables where table_schema = 'GONG_DATA'"
    ) == []  # fmt: skip


@pytest.mark.parametrize("family", ["current", "legacy"])
@pytest.mark.parametrize("sentiment", ["sentiment", "ai_sentiment"])
def test_dbt_and_python_name_the_same_request(project: DbtProject, family: str, sentiment: str) -> None:
    """Otherwise the status would show answered texts as waiting."""
    variables = {"cortex_family": family, "cortex_sentiment_function": sentiment}
    macros = " ".join(
        f"{{{{ cortex_request({list(each.capabilities)}) }}}};" for each in ENRICHMENTS.values()
    )
    output = project.succeed(
        "compile", "--inline", macros, "--no-introspect", "--vars", json.dumps(variables), "--quiet"
    )
    functions = scope_of(variables).functions
    assert [part.strip() for part in output.split(";")][:-1] == [
        each.request(functions) for each in ENRICHMENTS.values()
    ]


def test_prices_have_a_date_and_are_reported_when_they_are_old() -> None:
    functions, prices = Functions(default_vars()), Prices.of_vars(default_vars())
    used = [functions.of(capability) for each in ENRICHMENTS.values() for capability in each.capabilities]
    assert all(prices.of(function) for function in used)
    summary = prices.of(functions.of("summary"))
    embedding = prices.of(functions.of("embedding"))
    assert summary
    assert embedding
    assert (summary.credits, embedding.credits) == (1.60, 0.03)
    last = summary.as_of + timedelta(days=MAX_AGE_DAYS)
    assert prices.outdated(used, last) == []
    assert len(prices.outdated(used, last + timedelta(days=1))) == len(used)
