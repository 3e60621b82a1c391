"""Words of any language: how keywords are found in texts, and how words are counted."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from gong_assets.settings.dbt_vars import default_vars
from gong_assets_tests.dbt.conftest import connected, project_of, served
from gong_assets_tests.dbt.project import DbtProject
from gong_assets_tests.dbt.warehouse import Warehouse

pytestmark = [pytest.mark.extended, pytest.mark.slow]

# Texts and phrases that are whole words of them, or are not.
WHOLE_WORDS = [
    ("Follow-up", "follow up", True),
    ("FOLLOW–UP!", "follow-up", True),
    ("Following the upgrade, all is well", "follow up", False),
    ("We followed up", "follow up", False),
    ("(next steps)", "next step", False),
    ("**Next Steps:**", "next steps", True),
    ("next\u00a0steps", "next steps", True),
    ("Pa\u0301gina: pro\u0301ximos pasos", "próximos pasos", True),
    ("PRÓXIMOS PASOS", "proximos pasos", True),
    ("Nächste Schritte", "nächste schritte", True),
    (unicodedata.normalize("NFD", "Nächste Schritte"), "nächste schritte", True),
    ("Übernächste Schritte", "nächste schritte", False),
    ("GROSSE FUSSNOTE", "Fußnote", True),
    ("SONRAKİ ADIMLAR", "sonraki adımlar", True),
    ("L’étape suivante", "étape suivante", True),
    ("d'action", "action", True),
    ("Επόμενα βήματα", "ΕΠΌΜΕΝΑ ΒΉΜΑΤΑ", True),
    ("ΕΠΟΜΕΝΟΣ", "επόμενος", True),
    ("Дальнейшие шаги.", "дальнейшие шаги", True),
    ("busy", "busy", True),
    ("Business", "busy", False),
    ("voice_mail", "voice mail", True),
    ("100% no answer", "no answer", True),
    ("100% sure", "%", False),
    ("今後の次のステップについて", "次のステップ", True),
    ("ネクストステップ", "ネクストステップ", True),
    ("我们的下一步：发送合同", "下一步", True),
    ("다음 단계는", "다음 단계", True),
    ("และขั้นตอนถัดไปคือ", "ขั้นตอนถัดไป", True),
    ("", "next steps", False),
]
# The same for words that may be longer.
BEGINNINGS = [
    ("Competitors", "competitor", True),
    ("our competitor's offer", "competitor", True),
    ("Asterisk PBX", "risk", False),
    ("Risks", "risk", True),
    ("high risk", "risk", True),
    ("brisk", "risk", False),
    ("Cancelled/Churned", "churn", True),
    ("(churn)", "churn", True),
    ("Not interested", "not interested", True),
    ("Cannot interest", "not interest", False),
    ("Hauptwettbewerber", "wettbewerb", False),
    ("Hauptwettbewerber", "*wettbewerb", True),
    ("Einwände", "einwand", True),
    ("Risques élevés", "risque", True),
    ("アスタリスク", "リスク", False),
    ("高いリスク", "リスク", True),
    ("主要競合他社", "競合", True),
]  # fmt: skip
# Two characters of a script without blanks are a word.
COUNTS = [
    ("Let us talk", 3),
    ("ดีมาก", 3),
    ("ကျေးဇူးတင်ပါတယ်", 8),
    ("ຂອບໃຈຫຼາຍ", 5),
    ("អរគុណច្រើន", 5),
    ("ありがとう", 3),
    ("谢谢你们", 2),
    ("ขอ API ใหม่", 4),
    ("Ja — gern", 3),
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Warehouse, DbtProject]]:
    with served(tmp_path_factory.mktemp("words")) as port, connected(port) as warehouse:
        yield warehouse, project_of(tmp_path_factory.mktemp("dbt"), port)


def evaluated(server: tuple[Warehouse, DbtProject], expressions: Sequence[str]) -> list[Any]:
    """Return the values of expressions that call macros, as dbt compiles them."""
    warehouse, project = server
    columns = ",\n".join(f"{each} as x{index}" for index, each in enumerate(expressions))
    compiled = project.succeed("compile", "--quiet", "--output", "json", "--inline", f"select {columns}")
    (row,) = warehouse.query(json.loads(compiled)["compiled"])
    return list(row.values())


def quoted(text: str) -> str:
    return "{{ text_literal(" + json.dumps(text) + ") }}"


def call_of(text: str, phrase: str, *options: str) -> str:
    arguments = ", ".join([f"text_literal({json.dumps(text)})", json.dumps([phrase]), *options])
    return "{{ has_words(" + arguments + ") }}"


def test_a_phrase_is_found_as_whole_words(server: tuple[Warehouse, DbtProject]) -> None:
    found = evaluated(server, [call_of(text, phrase) for text, phrase, _ in WHOLE_WORDS])
    assert list(zip(WHOLE_WORDS, found, strict=True)) == [(case, case[2]) for case in WHOLE_WORDS]


def test_a_phrase_is_found_at_the_beginning_of_words(server: tuple[Warehouse, DbtProject]) -> None:
    found = evaluated(server, [call_of(text, phrase, "endings=true") for text, phrase, _ in BEGINNINGS])
    assert list(zip(BEGINNINGS, found, strict=True)) == [(case, case[2]) for case in BEGINNINGS]


def test_the_place_of_a_phrase_can_be_fixed(server: tuple[Warehouse, DbtProject]) -> None:
    texts = ["Next steps are clear", "The next steps", "Next steps:", "下一步计划"]
    calls = [call_of(text, phrase, option)
             for option in ("at_start=true", "whole=true")
             for text, phrase in zip(texts, ["next steps"] * 3 + ["下一步"], strict=True)]  # fmt: skip
    assert evaluated(server, calls) == [True, False, True, True, False, False, True, False]


def test_a_risk_tracker_does_not_only_begin_like_one(server: tuple[Warehouse, DbtProject]) -> None:
    names = {
        "Risco": True, "Riscos do projeto": True, "Rischi": True, "Riscontro cliente": False,
        "Riscossione": False, "Einwand": True, "Einwandbehandlung": True, "Einwanderung": False,
        "Einwandfrei": False, "Risks": True, "Risky deal": True, "Riskified": False,
    }  # fmt: skip
    calls = ["{{ is_risk_tracker(text_literal(" + json.dumps(name) + ")) }}" for name in names]
    assert dict(zip(names, evaluated(server, calls), strict=True)) == names


def test_people_rooms_and_note_takers_are_told_apart(server: tuple[Warehouse, DbtProject]) -> None:
    kinds = {
        "Krisp AI": "Note-Taker", "Fathom AI": "Note-Taker", "Kris Person": "Person",
        "Sitzungszimmer 3": "Room", "Salle de conférence 2": "Room", "3階 会議室": "Room",
        "Zoe Sitz": "Person",
    }  # fmt: skip
    calls = [
        "{{ participant_kind(text_literal(" + json.dumps(name) + "), text_literal('')) }}" for name in kinds
    ]
    assert dict(zip(kinds, evaluated(server, calls), strict=True)) == kinds


def test_words_are_counted_in_every_script(server: tuple[Warehouse, DbtProject]) -> None:
    counts = evaluated(
        server, ["{{ word_count(" + json.dumps(quoted_sql(text)) + ") }}" for text, _ in COUNTS]
    )
    assert list(zip((text for text, _ in COUNTS), counts, strict=True)) == COUNTS


def quoted_sql(text: str) -> str:
    return "'" + text + "'"


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_every_heading_of_next_steps_is_found(server: tuple[Warehouse, DbtProject], form: str) -> None:
    by_language = default_vars()["next_step_headings"]
    # Unicode has no single letters for the parts of a Korean syllable.
    languages = by_language.keys() - ({"korean"} if form == "NFD" else set())
    headings = [each for language in sorted(languages) for each in by_language[language]]
    texts = [f"{unicodedata.normalize(form, each).upper()}:" for each in headings]  # type: ignore[arg-type]
    all_headings = "var('next_step_headings').values() | sum(start=[])"
    call = "{{ has_words('heading', " + all_headings + ") }}"
    sql = "\nunion all\n".join(f"select {quoted(text)} as heading, {index} as position"
                               for index, text in enumerate(texts))  # fmt: skip
    warehouse, project = server
    compiled = project.succeed("compile", "--quiet", "--output", "json", "--inline",
                               f"select heading from ({sql}) as texts where not ({call})")  # fmt: skip
    assert warehouse.query(json.loads(compiled)["compiled"]) == []
