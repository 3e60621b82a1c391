"""Costs of a run over several days, in the metadata of each day."""

from datetime import date

import dagster as dg
import pytest

from gong_assets.dates import DateRange
from gong_assets.defs.cortex_costs import add_costs_by_day

BATCHES = [
    {
        "FUNCTION_NAME": "AI_EMBED",
        "STATUS": "Answered",
        "CALLS": 10,
        "TOKENS": 1000,
        "ESTIMATED_CREDITS": 0.5,
        "ESTIMATED_DOLLARS": 1.0,
    }
]


@pytest.mark.parametrize(
    ("texts", "dollars"),
    [
        ({date(2026, 3, 1): 3, date(2026, 3, 3): 1}, [0.75, 0.0, 0.25]),
        ({}, [1 / 3, 1 / 3, 1 / 3]),  # Nothing was answered.
    ],
)
def test_each_day_of_a_run_has_its_share_of_the_cost(texts: dict[date, int], dollars: list[float]) -> None:
    @dg.asset(
        partitions_def=dg.DailyPartitionsDefinition("2026-03-01"),
        backfill_policy=dg.BackfillPolicy.single_run(),
    )
    def model(context: dg.AssetExecutionContext) -> None:
        add_costs_by_day(context, dg.AssetKey("model"), BATCHES, texts)

    days = DateRange.inclusive(date(2026, 3, 1), date(2026, 3, 3))
    with dg.DagsterInstance.ephemeral() as instance:
        dg.materialize([model], instance=instance, tags=days.as_run_tags())
        found = instance.fetch_materializations(dg.AssetKey("model"), limit=10).records
        by_day = {
            record.partition_key: record.asset_materialization.metadata["cortex/estimated_dollars"].value
            for record in found
            if record.asset_materialization
        }
    assert [by_day[str(day)] for day in days] == pytest.approx(dollars)
