"""The audit of another product's calls, as functions of Gong's list and of the landed rows."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

from gong_assets.gong.records import read_call
from gong_assets.ingestion.audit import LandedCall, compare
from gong_assets.ingestion.reconciliation import FIELDS, BasicCall
from gong_assets.ingestion.sources import CallsById

DAY, NEXT_DAY = date(2026, 3, 1), date(2026, 3, 2)
BASIC = BasicCall(DAY, (None,) * len(FIELDS))


def read_by_id(*metadata: dict[str, Any]) -> CallsById:
    """Return the source after it has read calls with this `metaData`."""
    calls = CallsById([], include_private=False, first_day=DAY)
    for each in metadata:
        calls.row(read_call(json.dumps({"metaData": each}).encode()))
    return calls


def test_a_landed_call_is_compared_with_gongs_list_by_its_id() -> None:
    landed = LandedCall(BASIC, "airbyte")
    assert compare({}, {"1": landed}, "airbyte").ids() == {"kept_calls": ["1"]}
    assert compare({"1": BASIC}, {"1": landed}, "airbyte").ids() == {}
    assert compare({"1": BASIC}, {}, "airbyte").ids() == {"lost_calls": ["1"]}


def test_an_invalid_call_is_landed_and_is_not_missing_in_gongs_list() -> None:
    invalid = LandedCall(BASIC, "airbyte", is_valid=False)
    assert compare({}, {"unidentified-0": invalid}, "airbyte").ids() == {}
    assert compare({"1": BASIC}, {"1": invalid}, "airbyte").ids() == {}


def test_of_the_calls_that_gongs_list_lacks_only_those_that_gong_does_not_return_are_deleted() -> None:
    names = ("moved", "invalid", "private", "early", "deleted")
    audit = compare({}, dict.fromkeys(names, LandedCall(BASIC, "airbyte")), "airbyte")
    calls = read_by_id(
        {"id": "moved", "started": f"{NEXT_DAY}T10:00:00Z"},
        {"id": "invalid", "started": "soon"},
        {"id": "private", "started": f"{DAY}T10:00:00Z", "isPrivate": True},
        {"id": "early", "started": "2020-01-01T10:00:00Z"},
    )
    audit.move_existing(calls.existing)
    assert audit.ids() == {"kept_calls": ["deleted", "early", "private"], "wrong_days": ["moved"]}
    assert audit.found["wrong_days"] == {"moved": (NEXT_DAY, "airbyte")}
