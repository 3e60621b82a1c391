"""Names that count as the same, in Python and in the warehouse."""

from __future__ import annotations

import unicodedata

import pytest

from gong_assets.agents.names import KEY, KEY_VALUES, key
from gong_assets.warehouse.connection import Warehouse

SAME_NAMES = [
    ["O'Hara & Söhne", "O’HARA & SÖHNE", "ohara sohne", "O`Hara  &\u00a0So\u0308hne"],
    ["Jean-Luc", "Jean\u2013Luc", "jean luc", "JEAN\u2011LUC"],
    ["Muñoz", "munoz", unicodedata.normalize("NFD", "Muñoz")],
    ["Groß", "GROSS", "gross"],
    ["Łódź Ørsted", "lodz orsted"],
    ["Ｇｏｎｇ", "gong"],
    ["Tomáš Novák", " tomas\tnovak"],
    ["Дмитрий", "ДМИТРИЙ", unicodedata.normalize("NFD", "Дмитрий")],
    ["株式会社ミナト", "株式会社 ミナト"],
    ["rita@seller.example", "Rita@Seller.EXAMPLE"],
]


@pytest.mark.parametrize("names", SAME_NAMES, ids=lambda names: names[0])
def test_accents_case_blanks_and_punctuation_do_not_matter(names: list[str]) -> None:
    assert len({key(name) for name in names}) == 1
    assert key(names[0])


@pytest.mark.parametrize(("one", "other"), [("Ann", "Anna"), ("Twin 1", "Twin 2"), ("ガス", "ガズ")])
def test_other_letters_and_digits_make_another_name(one: str, other: str) -> None:
    assert key(one) != key(other)


def test_a_text_without_letters_and_digits_has_an_empty_key() -> None:
    assert key(" -–'%_\\\"") == ""


def test_the_warehouse_computes_the_same_keys(warehouse: Warehouse) -> None:
    names = [name for same in SAME_NAMES for name in same]
    for name in [*names, " -–'%_\\\"x"]:
        (row,) = warehouse.query(f"SELECT {KEY.format(column='%s')} AS NAME_KEY", (name, *KEY_VALUES))
        assert row["NAME_KEY"] == key(name), name
