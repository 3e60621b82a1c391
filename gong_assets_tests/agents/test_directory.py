"""Reps, companies and deals that are found by a name."""

from __future__ import annotations

import pytest

from gong_assets.agents import AgentError, NotFound, Records, find_calls, find_records
from gong_assets.warehouse.connection import Warehouse
from gong_assets_tests.agents.tables import call, company, create_views, deal, rep

RITA_ONE = rep("77", "Rita O'Neill", "rita@x.example")
RITA_TWO = rep("78", "Rita O’Neill", "rita.oneill@x.example")


@pytest.fixture(scope="module")
def directory(module_warehouse: Warehouse) -> Warehouse:
    create_views(
        module_warehouse,
        calls=[call("1", primary_user_id="77"), call("2", primary_user_id="79")],
        directory=[
            RITA_ONE,
            RITA_TWO,
            rep("79", "Tomáš Novák", "tomas@x.example"),
            rep("79", "Tomáš Novák", "tomas@x.example", term="Tomáš Svoboda", is_former=True)[1:2],
            company("900", "Calloway Lifts", "calloway.example"),
            company("901", "Calloway Bank"),
            company("902", "Müller-Bau GmbH"),
            deal("10", "Renewal 2026"),
            deal("10", "Renewal 2026", term="9")[:1],
        ],
    )
    return module_warehouse


def found(answer: Records) -> dict[str, str | None]:
    return {each.record_id: each.match for each in answer.records}


@pytest.mark.parametrize(
    ("record_type", "name", "expected"),
    [
        ("Rep", "tomas novak", {"79": "name"}),
        ("rep", "Tomas Svoboda", {"79": "former name"}),
        ("Rep", "TOMAS@X.example", {"79": "name"}),
        ("Rep", "79", {"79": "id"}),
        ("Rep", "novak", {"79": "part"}),
        ("Rep", "Tomas Nowak", {"79": "similar"}),
        ("Rep", "rita", {"77": "part", "78": "part"}),
        ("COMPANY", "calloway", {"900": "part", "901": "part"}),
        (" Company ", "calloway.example", {"900": "name"}),
        ("Company", "Callaway Lifts", {"900": "similar"}),
        ("Company", "Calloway Lifts Incorporated", {"900": "similar"}),
        ("Company", "Muller Bau", {"902": "part"}),
        ("Company", "Tomáš Novák", {}),
        ("Company", "%", {}),
        ("Deal", "renewal", {"10": "part"}),
        # The id of a deal that was merged into it.
        ("Deal", "9", {"10": "id"}),
    ],
)  # fmt: skip
def test_a_record_is_found_by_what_is_known_of_it(
    directory: Warehouse, record_type: str, name: str, expected: dict[str, str]
) -> None:
    matches = found(find_records(directory, record_type, name))  # type: ignore[arg-type]
    assert expected.items() <= matches.items()
    # Similar names may be others, but they are last.
    assert [match for match in matches.values() if match != "similar"] == [
        match for match in expected.values() if match != "similar"
    ]


def test_without_a_name_all_records_are_listed_by_name(directory: Warehouse) -> None:
    answer = find_records(directory, "Company")
    assert [each.record_name for each in answer.records] == [
        "Calloway Bank",
        "Calloway Lifts",
        "Müller-Bau GmbH",
    ]
    assert {each.match for each in answer.records} == {None}


def test_the_pages_of_records_are_disjoint_and_complete(directory: Warehouse) -> None:
    names: list[str | None] = []
    page: str | None = None
    while True:
        answer = find_records(directory, "Company", "a", limit=1, page=page)
        names += [each.record_name for each in answer.records]
        page = answer.next_page
        if page is None:
            break
    assert names == ["Calloway Bank", "Calloway Lifts", "Müller-Bau GmbH"]


@pytest.mark.parametrize(
    "name",
    ["Стройсервис " * 20, "田中建設" * 100, "𝒜" * 600, "Long " * 500],
    ids=["cyrillic", "japanese", "astral", "very long"],
)
def test_a_long_name_of_any_script_is_followed_by_its_next_page(warehouse: Warehouse, name: str) -> None:
    names = [f"{name} {number}" for number in range(3)]
    rows = [row for number, each in enumerate(names) for row in company(f"90{number}", each)]
    create_views(warehouse, directory=[rows])
    found_ids, page = [], None
    while True:
        answer = find_records(warehouse, "Company", limit=1, page=page)
        found_ids += [each.record_id for each in answer.records]
        page = answer.next_page
        if page is None:
            break
    assert found_ids == ["900", "901", "902"]


def test_two_reps_of_one_name_are_ambiguous(directory: Warehouse) -> None:
    with pytest.raises(AgentError) as raised:
        find_calls(directory, rep="rita oneill")
    message = str(raised.value)
    assert message.startswith("several reps are named rita oneill; use an id: ")
    assert "77 (Gong, rita@x.example)" in message
    assert "78 (Gong, rita.oneill@x.example)" in message
    assert [each.call_id for each in find_calls(directory, rep="rita@x.example").calls] == ["1"]


@pytest.mark.parametrize("name", ["Tomás Novak", "tomas svoboda", "79"])
def test_a_rep_is_found_without_accents_and_by_a_former_name(directory: Warehouse, name: str) -> None:
    assert [each.call_id for each in find_calls(directory, rep=name).calls] == ["2"]


def test_an_unknown_name_suggests_similar_ones(directory: Warehouse) -> None:
    with pytest.raises(NotFound) as raised:
        find_calls(directory, rep="Tomas Nowak")
    assert str(raised.value) == ('there is no rep Tomas Nowak; use a whole name or an id: "Tomáš Novák" (79)')
