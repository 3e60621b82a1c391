"""What `doctor` creates to find out what the role may do is removed, whatever happens in between."""

from __future__ import annotations

from pathlib import Path

import pytest

from gong_assets.cli.doctor.session import Session
from gong_assets.cli.doctor.warehouse import _check_privileges
from gong_assets.settings import Settings
from gong_assets.warehouse.connection import Warehouse, fetch
from gong_assets.warehouse.errors import WarehouseError

pytestmark = pytest.mark.slow


class FailingSession(Session):
    """Raises an error, or returns one, in place of the first statement with this beginning."""

    beginning = ""
    failure: BaseException | WarehouseError

    def error(self, *statements: str) -> WarehouseError | None:
        for statement in statements:
            if statement.startswith(self.beginning):
                if isinstance(self.failure, WarehouseError):
                    return self.failure
                raise self.failure
            if error := super().error(statement):
                return error
        return None


@pytest.mark.parametrize("beginning", ["INSERT", "DELETE", "CREATE VIEW"])
@pytest.mark.parametrize("failure", [KeyboardInterrupt(), WarehouseError("no privilege")])
def test_nothing_is_left_after_a_signal_or_a_failed_statement(
    warehouse: Warehouse, tmp_path: Path, beginning: str, failure: BaseException
) -> None:
    with warehouse.connect() as connection:
        session = FailingSession(connection, warehouse.host)
        session.beginning, session.failure = beginning, failure
        try:
            results = list(_check_privileges(session, Settings(gong_assets_home=tmp_path)))
        except KeyboardInterrupt:
            assert isinstance(failure, KeyboardInterrupt)
        else:
            assert [result.status for result in results].count("fail") == 1
        assert fetch(connection, "SHOW OBJECTS LIKE 'GONG_ASSETS_DOCTOR%'") == []
