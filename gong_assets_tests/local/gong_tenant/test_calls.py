"""Generated calls: reproducible and consistent."""

from __future__ import annotations

import subprocess
import sys
from collections import defaultdict
from datetime import date
from statistics import mean
from typing import Any

import httpx
import pytest

from gong_assets.local.gong_tenant.calls import CallGenerator
from gong_assets.local.gong_tenant.company import Company
from gong_assets_tests.local.gong_tenant.topics import topic_of

from .conftest import extensive, transcripts, window

pytestmark = pytest.mark.slow

Json = dict[str, Any]
QUARTER = window("2025-12-15", "2026-03-10")


@pytest.fixture(scope="module")
def calls(tenant: httpx.Client) -> list[Json]:
    return extensive(tenant, QUARTER)


@pytest.fixture(scope="module")
def monologues(tenant: httpx.Client) -> dict[str, list[Json]]:
    return transcripts(tenant, QUARTER)


def generator(seed: int = 1, calls_per_day: int = 12) -> CallGenerator:
    return CallGenerator(Company(seed), calls_per_day=calls_per_day, words_per_call=300)


def test_another_process_generates_the_same_calls() -> None:
    program = (
        "from datetime import date\n"
        "from gong_assets.local.gong_tenant.calls import CallGenerator\n"
        "from gong_assets.local.gong_tenant.company import Company\n"
        "generator = CallGenerator(Company(1), calls_per_day=12, words_per_call=300)\n"
        "print([(call, generator.conversation(call)) for call in generator.calls_on(date(2026, 3, 3))])"
    )
    elsewhere = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout
    here = generator()
    assert elsewhere == f"{[(call, here.conversation(call)) for call in here.calls_on(date(2026, 3, 3))]}\n"


def test_another_seed_generates_other_calls() -> None:
    day = date(2026, 3, 3)
    assert {call.id for call in generator(1).calls_on(day)}.isdisjoint(
        call.id for call in generator(2).calls_on(day)
    )


def test_a_call_of_any_age_is_found_by_its_id() -> None:
    old = generator().calls_on(date(2019, 5, 7))[3]
    assert generator().find_call(old.id) == old


def test_ids_have_18_to_20_digits_and_exceed_the_precision_of_a_double(calls: list[Json]) -> None:
    for call in calls:
        ids = [call["metaData"]["id"], call["metaData"]["primaryUserId"]]
        ids += [party["id"] for party in call.get("parties", [])]
        assert all(isinstance(i, str) and i.isdecimal() and 18 <= len(i) <= 20 for i in ids)
    assert any(str(int(float(call["metaData"]["id"]))) != call["metaData"]["id"] for call in calls)


def test_weekdays_have_the_configured_number_of_calls_and_weekends_fewer() -> None:
    many = generator(calls_per_day=100)
    weekdays = [len(many.calls_on(date(2026, 3, day))) for day in range(2, 7)]
    weekend = [len(many.calls_on(date(2026, 3, day))) for day in (7, 8)]
    assert all(80 <= count <= 120 for count in weekdays)
    assert all(10 <= count <= 25 for count in weekend)


def test_speaker_ids_of_parties_and_transcripts_match_and_are_no_party_ids(
    calls: list[Json], monologues: dict[str, list[Json]]
) -> None:
    for call in calls:
        parties = call.get("parties", [])
        voices = {party["speakerId"] for party in parties} - {None}
        heard = {turn["speakerId"] for turn in monologues.get(call["metaData"]["id"], [])} - {None}
        assert voices.isdisjoint(party["id"] for party in parties)
        if parties and call["metaData"]["id"] in monologues:
            assert heard == voices


def test_talk_times_are_the_sums_of_the_sentences_of_each_speaker(
    calls: list[Json], monologues: dict[str, list[Json]]
) -> None:
    for call in calls:
        call_id = call["metaData"]["id"]
        if "interaction" not in call or call_id not in monologues:
            continue
        voices = {party["id"]: party["speakerId"] for party in call["parties"]}
        heard: defaultdict[str, float] = defaultdict(float)
        for turn in monologues[call_id]:
            for sentence in turn["sentences"]:
                heard[turn["speakerId"]] += (sentence["end"] - sentence["start"]) / 1000
        for speaker in call["interaction"]["speakers"]:
            assert speaker["talkTime"] == pytest.approx(heard[voices[speaker["id"]]])
        stats = {stat["name"]: stat["value"] for stat in call["interaction"]["interactionStats"]}
        total = sum(speaker["talkTime"] for speaker in call["interaction"]["speakers"])
        host = next(
            speaker["talkTime"]
            for speaker in call["interaction"]["speakers"]
            if speaker["userId"] == call["metaData"]["primaryUserId"]
        )
        assert stats["Talk Ratio"] == pytest.approx(host / total, abs=1e-4)


def test_sentences_are_in_order_and_end_before_the_call(
    calls: list[Json], monologues: dict[str, list[Json]]
) -> None:
    for call in calls:
        sentences = [s for turn in monologues.get(call["metaData"]["id"], []) for s in turn["sentences"]]
        times = [time for s in sentences for time in (s["start"], s["end"])]
        assert times == sorted(times)
        assert not times or times[-1] <= call["metaData"]["duration"] * 1000
        assert call["metaData"]["duration"] >= 60


def test_tracker_counts_match_their_occurrences(calls: list[Json]) -> None:
    for call in calls:
        for tracker in call.get("content", {}).get("trackers", []):
            if tracker["type"] == "KEYWORD":
                assert tracker["count"] == sum(phrase["count"] for phrase in tracker["phrases"])
            assert tracker["count"] == len(tracker["occurrences"])
    counts = [t["count"] for call in calls for t in call.get("content", {}).get("trackers", [])]
    assert 0 in counts
    assert max(counts) > 1


def test_imported_calls_have_no_parties_and_no_crm_context(calls: list[Json]) -> None:
    imported = [call for call in calls if call["metaData"]["system"] == "Upload API"]
    assert imported
    for call in imported:
        assert "parties" not in call
        assert call["context"] == []
        assert "videoUrl" not in call["media"]


def test_optional_values_of_gong_are_sometimes_missing(
    calls: list[Json], monologues: dict[str, list[Json]]
) -> None:
    parties = [party for call in calls for party in call.get("parties", [])]
    assert any(party["speakerId"] is None for party in parties)
    assert any("userId" not in party for party in parties)
    assert any(call["metaData"]["title"] is None for call in calls)
    assert any(call["context"] == [] for call in calls)
    assert any(call["collaboration"] == {} for call in calls)
    assert any(call["collaboration"] for call in calls)
    turns = [turn for transcript in monologues.values() for turn in transcript]
    assert any(turn["speakerId"] is None for turn in turns)
    assert any(turn["topic"] is None for turn in turns)
    assert any(turn["topic"] for turn in turns)


def test_crm_objects_occur_for_each_timing_with_values_of_several_types(calls: list[Json]) -> None:
    objects = [item for call in calls for context in call["context"] for item in context["objects"]]
    assert {item["objectType"] for item in objects} == {"Account", "Opportunity"}
    assert {item["timing"] for item in objects} == {"Now", "TimeOfCall"}
    assert all(item["objectId"].isdecimal() for item in objects)
    values = [field["value"] for item in objects for field in item["fields"]]
    assert {type(value) for value in values} == {int, str, type(None)}
    assert "false" in values
    stages = defaultdict(set)
    for call in calls:
        for context in call["context"]:
            for item in context["objects"]:
                fields = {field["name"]: field["value"] for field in item["fields"]}
                stages[call["metaData"]["id"], item["objectId"]].add(fields.get("dealstage"))
    assert any(len(seen) == 2 for seen in stages.values())  # the deal moved to another stage after the call


def test_texts_contain_quotes_line_breaks_and_other_scripts(
    calls: list[Json], monologues: dict[str, list[Json]]
) -> None:
    texts = [s["text"] for turns in monologues.values() for turn in turns for s in turn["sentences"]]
    titles = [call["metaData"]["title"] or "" for call in calls]
    for sought in ("\n", "\\", '"', "'", "👍"):
        assert any(sought in text for text in texts), sought
    for sought in ("🚀", '"', "ミナト", "Größ", "Стройсервис"):
        assert any(sought in title for title in titles), sought


def test_every_sentence_belongs_to_a_topic(monologues: dict[str, list[Json]]) -> None:
    texts = {s["text"] for turns in monologues.values() for turn in turns for s in turn["sentences"]}
    assert len(texts) > 500
    assert None not in {topic_of(text) for text in texts}
    assert topic_of("Nobody on any call says this.") is None


def test_one_rep_talks_most_of_the_time(calls: list[Json]) -> None:
    ratios = defaultdict(list)
    for call in calls:
        if "interaction" in call:
            stats = {stat["name"]: stat["value"] for stat in call["interaction"]["interactionStats"]}
            ratios[call["metaData"]["primaryUserId"]].append(stats["Talk Ratio"])
    averages = sorted(mean(values) for values in ratios.values())
    assert len(averages) == 8
    assert averages[-1] > 0.7
    assert averages[-2] < 0.6


def test_calls_have_about_the_configured_number_of_words(monologues: dict[str, list[Json]]) -> None:
    words = [
        sum(len(s["text"].split()) for turn in turns for s in turn["sentences"])
        for turns in monologues.values()
    ]
    assert 270 < mean(words) < 330


def test_ai_scorecards_are_returned_only_on_request(tenant: httpx.Client) -> None:
    def cards(**filter: Any) -> list[Json]:
        body = {"filter": {"callFromDate": "2026-02-01", "callToDate": "2026-03-01", **filter}}
        answered: list[Json] = tenant.post("/v2/stats/activity/scorecards", json=body).json()[
            "answeredScorecards"
        ]
        return answered

    assert {card["reviewMethod"] for card in cards()} == {"MANUAL"}
    assert {card["reviewMethod"] for card in cards(reviewMethod="BOTH")} == {"MANUAL", "AUTOMATIC"}
    assert all(card["reviewerUserId"] is None for card in cards(reviewMethod="AUTOMATIC"))
    reviewed = cards(reviewFromDate="2026-02-10", reviewToDate="2026-02-11")
    assert {card["reviewTime"][:10] for card in reviewed} == {"2026-02-10"}


def test_daily_activity_lists_all_hosted_calls(tenant: httpx.Client) -> None:
    body = {"filter": {"fromDate": "2026-03-03", "toDate": "2026-03-05"}}
    people = tenant.post("/v2/stats/activity/day-by-day", json=body).json()["usersDetailedActivities"]
    hosted = [i for person in people for day in person["userDailyActivityStats"] for i in day["callsAsHost"]]
    days = {"fromDateTime": "2026-03-03T00:00:00-08:00", "toDateTime": "2026-03-05T00:00:00-08:00"}
    assert sorted(hosted) == sorted(call["metaData"]["id"] for call in extensive(tenant, days, {}))


def test_daily_activity_lists_only_users_with_activity(tenant: httpx.Client) -> None:
    """By Gong's OpenAPI document: "Records are returned only for users with activity in the range"."""
    day = {"fromDate": "2026-03-07", "toDate": "2026-03-08"}  # a Saturday
    people = tenant.post("/v2/stats/activity/day-by-day", json={"filter": day}).json()
    listed = {
        person["userId"]: person["userDailyActivityStats"] for person in people["usersDetailedActivities"]
    }
    everybody = {user["id"] for user in tenant.get("/v2/users").json()["users"]}

    assert listed.keys() < everybody
    for days in listed.values():
        assert any(value for key, value in days[0].items() if key not in ("fromDate", "toDate"))
    (idle, *_) = sorted(everybody - listed.keys())
    response = tenant.post("/v2/stats/activity/day-by-day", json={"filter": {**day, "userIds": [idle]}})
    assert response.status_code == 404


def test_interaction_stats_are_averages_over_calls(tenant: httpx.Client) -> None:
    body = {"filter": {"fromDate": "2026-03-03", "toDate": "2026-03-04"}}
    people = tenant.post("/v2/stats/interaction", json=body).json()["peopleInteractionStats"]
    day = {"fromDateTime": "2026-03-03T00:00:00-08:00", "toDateTime": "2026-03-04T00:00:00-08:00"}
    patience = defaultdict(list)
    for call in extensive(tenant, day):
        if "interaction" in call:
            stats = {stat["name"]: stat["value"] for stat in call["interaction"]["interactionStats"]}
            patience[call["metaData"]["primaryUserId"]].append(stats["Patience"])
    averages = {
        person["userId"]: {stat["name"]: stat["value"] for stat in person["personInteractionStats"]}
        for person in people
    }
    assert averages.keys() == patience.keys()
    for user_id, values in patience.items():
        assert averages[user_id]["Patience"] == pytest.approx(mean(values), abs=1e-3)
