"""Redaction: what views, summaries and insights show."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from gong_assets.dates import DateRange
from gong_assets_tests.dbt.cortex_company import REFUSED, VIEWS, Company
from gong_assets_tests.dbt.records import MONDAY

pytestmark = [pytest.mark.extended, pytest.mark.xdist_group("cortex")]


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

    company.run(days=[DateRange.single(MONDAY + timedelta(days=1))], select=VIEWS, redacts=True)

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
    company.run(redacts=True, fails=("segments",))
    first = company.warehouse.rows("CORTEX_GONG_REDACTED_TRANSCRIPTS", "TRANSCRIPT_ID")
    assert {key for key, row in first.items() if row["CORTEX_ERROR"]} == {"call2_0_0", "call3_0_0"}
    company.run(redacts=True, fails=("segments",))
    company.run(redacts=True)

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
