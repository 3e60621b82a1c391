"""The pools of sentences."""

from __future__ import annotations

from gong_assets.local.gong_tenant.company import Company
from gong_assets.local.gong_tenant.speech import kinds, pools
from gong_assets_tests.local.gong_tenant.topics import topic_of


def templates() -> list[tuple[str, str]]:
    return [
        (topic, template)
        for topic, pool in pools()["topics"].items()
        for side in (pool["rep"], pool["customer"])
        for sentences in side.values()
        for template in sentences
    ]


def test_there_are_several_hundred_distinct_sentences() -> None:
    sentences = [template for _, template in templates()]
    assert len(sentences) > 450
    assert len(set(sentences)) == len(sentences)


def test_every_sentence_belongs_to_one_topic() -> None:
    slots = {
        "account": "O'Hara & Sons Plumbing",
        "rep": "Dana",
        "contact": "健太",
        "colleague": "Owen",
        "city": "Leeds",
        "competitor": Company(1).competitors[0],
        "seats": "60",
        "amount": "24,000",
        "percent": "12",
        "weekday": "Friday",
    }
    for topic, template in templates():
        assert topic_of(template.format_map(slots)) == topic, template


def test_kinds_of_calls_refer_to_existing_topics() -> None:
    topics = pools()["topics"].keys()
    for kind in kinds().values():
        assert topics >= {*kind.agenda, *kind.optional, kind.closing}
