"""When a problem of a run is over: once what failed has succeeded, for the days that failed."""

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from pydantic import SecretStr

from gong_assets.dates import PARTITION_TAG, parse_ranges
from gong_assets.defs.alerts.ledger import Cursor
from gong_assets.defs.partitions import DAYS_TAG
from gong_assets.settings import Settings
from gong_assets_tests.defs.alerts.receivers import Inbox
from gong_assets_tests.defs.alerts.watched import WatchedLocation
from gong_assets_tests.instances import local_instance

MODELS = ("stg_calls", "stg_users")
OLD, RECENT = "2026-03-01", "2026-03-08..2026-03-14"


class Deployment(WatchedLocation):
    """A code location with a step of daily models, one of models without days, and one of a daily list."""

    def __init__(self, instance: dg.DagsterInstance, settings: Settings) -> None:
        super().__init__(instance, settings)
        self.failing: Collection[str] = ()
        self.text = "no"
        daily: dict[str, Any] = {
            "partitions_def": dg.DailyPartitionsDefinition("2026-03-01", end_date="2026-04-01"),
            "backfill_policy": dg.BackfillPolicy.single_run(),
        }
        test = dg.AssetCheckSpec("unique", asset="stg_calls")
        assets = [
            self._models("gong_dbt_staging", MODELS, [test], daily),
            self._models("gong_dbt_models", ("deals", "users"), [], {}),
            self._models("calls", ("calls",), [], daily),
        ]
        self.defs = dg.Definitions(assets, executor=dg.in_process_executor)

    def _models(
        self, name: str, models: Collection[str], checks: list[dg.AssetCheckSpec], daily: dict[str, Any]
    ) -> dg.AssetsDefinition:
        specs = [dg.AssetSpec(model, skippable=True) for model in models]

        @dg.multi_asset(name=name, specs=specs, check_specs=checks, can_subset=True, **daily)
        def build(context: dg.AssetExecutionContext) -> Iterator[Any]:
            selected = {key.to_user_string() for key in context.selected_asset_keys}
            for model in sorted(selected - set(self.failing)):
                yield dg.MaterializeResult(asset_key=model)
            for key in context.selected_asset_check_keys:
                yield dg.AssetCheckResult(
                    asset_key=key.asset_key, check_name=key.name, passed=key.name not in self.failing
                )
            if failed := {*selected, *(check.name for check in checks)} & set(self.failing):
                # dbt has one failure for all models and tests.
                raise dg.Failure(f"{self.text} {sorted(failed)}", allow_retries=False)

        return build

    def run(self, *assets: str, days: str = "", failing: Collection[str] = (), **tags: str) -> str:
        self.failing = failing
        (range_tags,) = [each.as_run_tags() for each in parse_ranges(days)] or [{}]
        job = self.defs.resolve_implicit_global_asset_job_def()
        job.execute_in_process(
            instance=self.instance,
            asset_selection=[dg.AssetKey(asset) for asset in assets],
            tags={**range_tags, **tags},
            raise_on_error=False,
        )
        return self.tick()


@pytest.fixture
def deployment(inbox: Inbox, tmp_path: Path) -> Iterator[Deployment]:
    settings = Settings(gong_assets_home=tmp_path, gong_assets_alert_webhook_url=SecretStr(inbox.url))
    with local_instance(tmp_path) as instance:
        yield Deployment(instance, settings)


def states(inbox: Inbox) -> list[str]:
    return [document["state"] for document in inbox.posted]


@pytest.mark.slow
def test_a_failed_model_recovers_when_it_is_built_and_not_when_another_model_of_its_step_is(
    deployment: Deployment, inbox: Inbox
) -> None:
    deployment.run("users", "deals", failing=["users"])
    deployment.run("deals")
    assert states(inbox) == ["open"]
    deployment.run("users")
    assert states(inbox) == ["open", "closed"]
    assert inbox.posted[1]["occurrences"] == 1
    assert inbox.posted[1]["text"].startswith(
        "Recovered: A run of assets, which had failed in gong_dbt_models"
    )


@pytest.mark.slow
def test_a_tick_reports_the_numbers_of_problems_and_messages(tmp_path: Path) -> None:
    with local_instance(tmp_path) as instance:
        deployment = Deployment(instance, Settings(gong_assets_home=tmp_path))  # Only the log.
        assert deployment.run("deals") == "0 problems are open, and 0 messages were sent."
        assert deployment.run("deals", failing=["deals"]) == "1 problem is open, and 1 message was sent."


@pytest.mark.slow
def test_a_failed_test_of_dbt_recovers_when_it_passes(deployment: Deployment, inbox: Inbox) -> None:
    deployment.text = "dbt: Database Error in test"
    deployment.run(*MODELS, days=OLD, failing=["unique"])
    deployment.run("stg_users", days=OLD)  # The same step without the test.
    assert states(inbox) == ["open", "open"]  # The step, and the check.
    deployment.run("stg_calls", days=OLD)
    assert states(inbox) == ["open", "open", "closed", "closed"]


@pytest.mark.slow
def test_a_day_that_failed_recovers_when_it_is_materialized_and_not_when_other_days_are(
    deployment: Deployment, inbox: Inbox
) -> None:
    deployment.run("calls", days="2026-03-01..2026-03-03", failing=["calls"])
    deployment.run("calls", days=RECENT)
    deployment.run("calls", days="2026-03-01..2026-03-02")
    assert states(inbox) == ["open"]
    deployment.run("calls", days="2026-03-03")
    assert states(inbox) == ["open", "closed"]


@pytest.mark.slow
def test_a_cause_that_is_back_for_other_days_is_reported_although_an_old_day_still_waits(
    deployment: Deployment, inbox: Inbox
) -> None:
    deployment.run("calls", days=OLD, failing=["calls"])
    deployment.run("calls", days=OLD, failing=["calls"])
    assert states(inbox) == ["open"]
    deployment.run("calls", days=RECENT)
    deployment.run("calls", days=OLD, failing=["calls"])  # Nothing new: it has failed since.
    assert states(inbox) == ["open"]
    deployment.run("calls", days=RECENT)
    deployment.run("calls", days=RECENT, failing=["calls"])
    deployment.run("calls", days=RECENT, failing=["calls"])
    assert inbox.titles == [
        "open: A run of assets for 2026-03-01 failed in calls",
        "open: A run of assets for 2026-03-08 to 2026-03-14 failed in calls",
    ]
    deployment.run("calls", days=RECENT)
    deployment.run("calls", days=OLD)
    assert states(inbox) == ["open", "open", "closed"]


@pytest.mark.slow
def test_only_the_named_days_of_a_range_fail_and_recover(deployment: Deployment, inbox: Inbox) -> None:
    named = {DAYS_TAG: "2026-03-01,2026-03-14"}
    deployment.run(*MODELS, days="2026-03-01..2026-03-14", failing=["stg_users"], **named)
    deployment.run(*MODELS, days="2026-03-01..2026-03-14", **{DAYS_TAG: "2026-03-02,2026-03-14"})
    assert states(inbox) == ["open"]
    deployment.run("stg_users", days="2026-03-01")  # The days between were not to be transformed.
    assert states(inbox) == ["open", "closed"]


@pytest.mark.slow
def test_a_canceled_run_recovers_when_its_days_are_materialized(deployment: Deployment, inbox: Inbox) -> None:
    job = deployment.defs.resolve_implicit_global_asset_job_def()
    canceled = deployment.instance.create_run_for_job(job, tags={PARTITION_TAG: OLD})
    deployment.instance.report_run_canceled(canceled)
    deployment.run("users", "deals")
    deployment.run("calls", *MODELS, days=RECENT)
    assert states(inbox) == ["open"]
    deployment.run("calls", *MODELS, days=OLD)
    assert states(inbox) == ["open", "closed"]


@pytest.mark.slow
def test_the_cursor_has_ranges_of_days_and_the_partitions_of_other_assets(deployment: Deployment) -> None:
    deployment.run("calls", days=RECENT, failing=["calls"])
    assert deployment.cursor is not None
    assert '"asset:calls": [["2026-03-08", "2026-03-14"]]' in deployment.cursor
    foreign = deployment.cursor.replace('[["2026-03-08", "2026-03-14"]]', '["", "20260308", "a..b"]')
    assert Cursor.loads(foreign).dumps() == foreign
