"""Amounts that people and programs write in a CRM, read by the macro `amounts`."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from gong_assets_tests.dbt.project import DbtProject
from gong_assets_tests.dbt.warehouse import Warehouse

pytestmark = [pytest.mark.xdist_group("dbt"), pytest.mark.slow]

# Text, whether a program wrote it, amount, currency, and the reason why it cannot be read.
TEXTS: list[tuple[str, bool, str | None, str | None, str | None]] = [
    ("12500", False, "12500", None, None),
    ("12500.00", False, "12500", None, None),
    ("12500,5", False, "12500.50", None, None),
    ("1.5e3", True, "1500", None, None),
    ("12,500.00", False, "12500", None, None),
    ("$12500", False, "12500", None, None),
    ("US$ 12,500", False, "12500", "USD", None),
    ("1.234,56 €", False, "1234.56", "EUR", None),
    ("€1.234.567", False, "1234567", "EUR", None),
    ("1.234 €", False, "1234", "EUR", None),
    ("1,234", False, "1234", None, None),
    ("0,500", False, "0.50", None, None),
    ("1 234 567,89", False, "1234567.89", None, None),
    ("1\u00a0234,50 EUR", False, "1234.50", "EUR", None),
    ("1\u202f234 zł", False, "1234", "PLN", None),
    ("CHF 1’234.50", False, "1234.50", "CHF", None),
    ("12'500.-", False, "12500", None, None),
    ("R$ 1.234,00", False, "1234", "BRL", None),
    ("5,000,000円", False, "5000000", "JPY", None),
    ("500万円", False, "5000000", "JPY", None),
    ("₹12,34,567.5", False, "1234567.50", "INR", None),
    ("kr 1 200", False, "1200", None, None),
    ("$1.2M", False, "1200000", None, None),
    ("1,2 Mio. €", False, "1200000", "EUR", None),
    ("350k", False, "350000", None, None),
    ("2.5 bn USD", False, "2500000000", "USD", None),
    ("1.234M", False, "1234000", None, None),
    ("S$ 1,200", False, "1200", "SGD", None),
    ("MX$500", False, "500", "MXN", None),
    ("₱5,000", False, "5000", "PHP", None),
    ("500.000 ₫", False, "500000", "VND", None),
    ("฿ 1.000,50", False, "1000.50", "THB", None),
    ("¥1,200,000", False, "1200000", None, None),
    ("USD$500", False, "500", "USD", None),
    ("2500EUR", False, "2500", "EUR", None),
    ("500,- CHF", False, "500", "CHF", None),
    ("12.500,- €", False, "12500", "EUR", None),
    ("KWD 12,500.750", False, "12500.75", "KWD", None),
    ("1250.500 JOD", False, "1250.50", "JOD", None),
    ("KWD 12.500", True, "12.50", "KWD", None),
    ("-500", False, "-500", None, None),
    ("\u2212500", False, "-500", None, None),
    ("($1,500.00)", False, "-1500", None, None),
    ("500-", False, "-500", None, None),
    ("1.234", True, "1.23", None, None),
    ("1.234", False, None, None, "Ambiguous: 1.234"),
    *(
        (f"{code} 12.500", False, None, code, f"Ambiguous: {code} 12.500")
        for code in ("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND")
    ),
    ("1,234M", False, None, None, "Ambiguous: 1,234M"),
    ("1e14", True, None, None, "Too Large: 1e14"),
    ("99,999,999,999,999", False, None, None, "Too Large: 99,999,999,999,999"),
    ("much", True, None, None, "Not a Number: much"),
    ("true", False, None, None, "Not a Number: true"),
    ("Pending", False, None, None, "Not a Number: Pending"),
    ("500 dollars", False, None, None, "Not a Number: 500 dollars"),
    ("500 Euro", False, None, None, "Not a Number: 500 Euro"),
    ("10k-20k", False, None, None, "Not a Number: 10k-20k"),
    ("12,5000", False, None, None, "Not a Number: 12,5000"),
    ("1,23.45", False, None, None, "Not a Number: 1,23.45"),
    ("12 34", False, None, None, "Not a Number: 12 34"),
    ("(500", False, None, None, "Not a Number: (500"),
    ("100 USD / month", False, None, "USD", "Not a Number: 100 USD / month"),
    ("10%", False, None, None, "Not a Number: 10%"),
]


@pytest.fixture(scope="module")
def read(warehouse: Warehouse, project: DbtProject) -> dict[Any, Any]:
    sql = project.compile_inline(
        "with texts as (select column1 as amount_text, column2 as is_machine from values "
        + ", ".join(f"('{text.replace(chr(39), chr(39) * 2)}', {machine})" for text, machine, *_ in TEXTS)
        + "), {{ amounts('found', 'texts') }} select * from found"
    )
    return {
        (row["AMOUNT_TEXT"], row["IS_MACHINE"]): (row["AMOUNT"], row["CURRENCY_CODE"], row["PROBLEM"])
        for row in warehouse.query(sql)
    }


@pytest.mark.parametrize(("text", "is_machine", "amount", "currency", "problem"), TEXTS)
def test_an_amount_is_read_or_has_a_problem(
    read: dict[Any, Any],
    text: str,
    is_machine: bool,
    amount: str | None,
    currency: str | None,
    problem: str | None,
) -> None:
    assert read[text, is_machine] == (amount and Decimal(amount), currency, problem)
