"""Deals that `deals_at_risk` lists, and their order."""

from __future__ import annotations

import pytest

from gong_assets.agents import AgentError, NotFound, deals_at_risk
from gong_assets.warehouse.connection import Warehouse
from gong_assets_tests.agents.tables import create_views, deal_risk, owner

LAST_CALL = {
    "last_call_id": "1",
    "last_call_title": "Call 1",
    "last_call_host": "Rita",
    "last_call_url": "https://gong.example/call?id=1",
}


@pytest.fixture(scope="module")
def deals(module_warehouse: Warehouse) -> Warehouse:
    tomas = {"deal_owner": "Tomáš Novák", "deal_owner_email": "tomas@x.example"}
    create_views(
        module_warehouse,
        calls=[],
        deal_risks=[
            deal_risk("10", "Stalled", deal_amount_in_home_currency=100, **tomas),
            deal_risk("20", "Stalled", "Overdue", risk_level="Medium", **LAST_CALL),
            deal_risk("30"),
            deal_risk("40", "No Call", deal_amount_in_home_currency=200),
            deal_risk("50", "No Call", deal_amount_in_home_currency=100),
            deal_risk("60", "A", "B", "C", risk_level="High"),
            deal_risk("70", "No Call", deal_owner="Twin", deal_owner_email="twin1@x.example"),
        ],
        directory=[
            owner("Tomáš Novák", "tomas@x.example"),
            owner("Tomáš Novák", "tomas@x.example", term="tomas@old.example", is_former=True)[1:],
            owner("Twin", "twin1@x.example"),
            owner("Twin", "twin2@x.example"),
        ],
    )
    return module_warehouse


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({}, ["60", "20", "40", "10", "50", "70"]),
        ({"level": "medium"}, ["60", "20"]),
        ({"level": " HIGH"}, ["60"]),
        ({"owner": "tomas novak"}, ["10"]),
        ({"owner": "Tomas@x.example"}, ["10"]),
        ({"owner": "tomas@OLD.example"}, ["10"]),
        ({"owner": "twin2@x.example"}, []),
    ],
)
def test_deals_with_the_most_and_largest_risks_come_first(
    deals: Warehouse, arguments: dict[str, str], expected: list[str]
) -> None:
    found = deals_at_risk(deals, **arguments).deals  # type: ignore[arg-type]
    assert [each.hubspot_deal_id for each in found] == expected


@pytest.mark.parametrize(
    ("owner", "error", "message"),
    [
        ("twin", AgentError, "several owners are named twin; use an id: twin1@x.example (HubSpot"),
        ("Tomas Nowak", NotFound, 'there is no owner Tomas Nowak; use a whole name or an id: "Tomáš Novák"'),
        ("%", NotFound, "there is no owner %; look for an owner by part of a name"),
    ],
)
def test_an_owner_is_found_by_a_whole_name_of_one_person(
    deals: Warehouse, owner: str, error: type[AgentError], message: str
) -> None:
    with pytest.raises(error) as raised:
        deals_at_risk(deals, owner=owner)
    assert message in str(raised.value)


def test_a_deal_has_its_reasons_and_its_last_call(deals: Warehouse) -> None:
    found = deals_at_risk(deals).deals[1]
    assert found.reasons == ["Stalled", "Overdue"]
    assert (found.last_call_id, found.last_call_title, found.last_call_host) == ("1", "Call 1", "Rita")
    assert found.last_call_url == "https://gong.example/call?id=1"


def test_the_pages_of_deals_are_disjoint_and_complete(deals: Warehouse) -> None:
    ids: list[str] = []
    page: str | None = None
    for _ in range(3):
        answer = deals_at_risk(deals, limit=2, page=page)
        ids += [each.hubspot_deal_id for each in answer.deals]
        page = answer.next_page
    assert page is None
    assert ids == ["60", "20", "40", "10", "50", "70"]
