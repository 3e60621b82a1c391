"""Checks of a raw table are evaluated again if the run changed the table."""

from datetime import date

import dagster as dg
import pytest

from gong_assets.dates import DateRange
from gong_assets.defs.checks.results import table_changed

KEY = dg.AssetKey("table")
DAYS = DateRange.inclusive(date(2026, 3, 1), date(2026, 3, 3))


@pytest.mark.parametrize(("deleted", "changed"), [(0, False), (1, True)])
def test_a_run_changed_its_table_if_it_changed_one_of_its_days(deleted: int, changed: bool) -> None:
    found: list[bool] = []

    @dg.asset(
        key=KEY,
        partitions_def=dg.DailyPartitionsDefinition("2026-03-01"),
        backfill_policy=dg.BackfillPolicy.single_run(),
    )
    def table(context: dg.AssetExecutionContext) -> None:
        context.add_asset_metadata({"run/rows_inserted": 0, "run/rows_deleted": deleted})
        for partition in context.partition_keys:
            rows = {"rows_inserted": 0, "rows_deleted": deleted if partition == "2026-03-01" else 0}
            context.add_asset_metadata(rows, partition_key=partition)

    @dg.asset_check(asset=KEY)
    def check(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
        found.append(table_changed(context, KEY))
        return dg.AssetCheckResult(passed=True)

    with dg.DagsterInstance.ephemeral() as instance:
        dg.materialize([table, check], instance=instance, tags=DAYS.as_run_tags())
    assert found == [changed]
