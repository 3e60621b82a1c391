"""All SQL of these tests is parsed by a second parser: the local server may accept more than Snowflake."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import pytest

from gong_assets_tests.second_parser import parse_error
from gong_assets_tests.statements import recorded_statements

_parse_error = cache(parse_error)


@pytest.fixture(autouse=True)
def statements_that_a_second_parser_accepts() -> Iterator[None]:
    """Fail if the parser rejects a statement. What it cannot parse is in `UNSUPPORTED_CLAUSES`."""
    with recorded_statements() as sent:
        yield
    assert {sql: error for sql in sent.statements if (error := _parse_error(sql))} == {}
