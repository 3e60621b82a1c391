"""Fixtures of the tests of alerts."""

from collections.abc import Iterator

import pytest

from gong_assets_tests.defs.alerts.receivers import Inbox, webhook


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    with webhook() as received:
        yield received
