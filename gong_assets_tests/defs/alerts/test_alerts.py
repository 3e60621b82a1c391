"""Alerts over a Dagster instance in memory, received by a local webhook and a local mail server."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.definitions.asset_checks.asset_check_evaluation import AssetCheckEvaluationPlanned
from dagster._core.definitions.freshness import FreshnessState, FreshnessStateChange
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.execution.backfill import BulkActionStatus, PartitionBackfill
from dagster._core.remote_origin import (
    RegisteredCodeLocationOrigin,
    RemoteInstigatorOrigin,
    RemoteRepositoryOrigin,
)
from dagster._core.scheduler.instigation import (
    InstigatorState,
    InstigatorStatus,
    InstigatorTick,
    TickData,
    TickStatus,
)
from dagster._utils.error import SerializableErrorInfo
from pydantic import SecretStr

from gong_assets.cli.doctor.alerts import check_alerts
from gong_assets.defs.alerts.channels import Email, Webhook
from gong_assets.defs.alerts.messages import Message, body, format_of
from gong_assets.defs.failures import failure
from gong_assets.defs.partitions import SELECT_DAYS
from gong_assets.error_advice import EXPECTED_ERRORS
from gong_assets.gong import (
    GongAuthenticationError,
    GongPermissionError,
    GongQuotaExhausted,
    GongServerError,
)
from gong_assets.security.redaction import redact
from gong_assets.settings import Settings
from gong_assets.warehouse.errors import WarehouseUnreachable
from gong_assets_tests.defs.alerts.receivers import Inbox, mail_server
from gong_assets_tests.defs.alerts.watched import WatchedLocation
from gong_assets_tests.instances import local_instance

TRANSCRIPT = "We lost the Acme deal to a competitor"


class Deployment(WatchedLocation):
    """A code location whose assets fail as a test says, and its alert sensor."""

    def __init__(self, instance: dg.DagsterInstance, settings: Settings) -> None:
        super().__init__(instance, settings)
        self.errors: dict[str, Exception] = {}
        self.check_passes = True
        names = ("calls", "users", "trackers")
        self.assets = [self._asset(name) for name in names]

        @dg.asset_check(asset="calls", description="No call is orphaned.")
        def orphans() -> dg.AssetCheckResult:
            return dg.AssetCheckResult(passed=self.check_passes, metadata={"count": 7, "example": TRANSCRIPT})

        job = dg.define_asset_job("gong_ingestion", executor_def=dg.in_process_executor)
        self.defs = dg.Definitions([*self.assets], asset_checks=[orphans], jobs=[job])

    def _asset(self, name: str) -> dg.AssetsDefinition:
        @dg.asset(name=name)
        def asset() -> None:
            error = self.errors.get(name)
            if isinstance(error, EXPECTED_ERRORS):
                raise failure(error) from error  # As the assets of the graph do.
            if error:
                raise error

        return asset

    def run(
        self,
        *,
        error: Exception | None = None,
        steps: tuple[str, ...] = ("calls",),
        errors: dict[str, Exception] | None = None,
    ) -> None:
        self.errors = errors or (dict.fromkeys(steps, error) if error else {})
        job = self.defs.resolve_job_def("gong_ingestion")
        job.execute_in_process(instance=self.instance, raise_on_error=False)


@pytest.fixture
def deployment(inbox: Inbox, tmp_path: Path) -> Iterator[Deployment]:
    settings = Settings(
        gong_assets_home=tmp_path,
        gong_assets_alert_webhook_url=SecretStr(inbox.url),
        gong_assets_webserver_url="https://dagster.example.com",
    )
    with local_instance(tmp_path) as instance:
        yield Deployment(instance, settings)


@pytest.mark.slow
def test_a_cause_is_one_message_however_often_it_recurs_and_one_when_it_is_over(
    deployment: Deployment, inbox: Inbox
) -> None:
    error = GongPermissionError("The key lacks api:calls:read (request 4711)", status=403)
    deployment.run(error=error, steps=("calls", "users"))
    deployment.tick()
    again = GongPermissionError("The key lacks api:calls:read (request 98)", status=403)
    deployment.run(error=again, steps=("calls", "users"))
    deployment.tick()
    (opened,) = inbox.posted
    assert opened["title"] == "gong_ingestion failed in calls, users"
    assert opened["reason"] == "The key lacks api:calls:read (request 4711)"
    assert "grant the scope" in opened["advice"]
    assert opened["link"].startswith("https://dagster.example.com/runs/")
    assert opened["text"].startswith("Failed: gong_ingestion failed in calls, users\nThe key lacks")

    deployment.run(error=again, steps=("users",))  # Only one of the two steps works again.
    deployment.tick()
    assert len(inbox.posted) == 1
    deployment.run()
    deployment.tick()
    deployment.tick()
    assert [document["state"] for document in inbox.posted] == ["open", "closed"]
    assert inbox.posted[1]["occurrences"] == 3

    deployment.run(error=error)  # It is back.
    deployment.tick()
    assert [document["state"] for document in inbox.posted] == ["open", "closed", "open"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("first", "second"),
    [
        (KeyError("callId"), KeyError("emailAddress")),
        (ValueError("Gong answered HTTP 403 to /v2/x"), ValueError("Gong answered HTTP 500 to /v2/x")),
        (
            GongPermissionError("GET https://api.gong.io/v2/x: 401 no (request id 12)", status=401),
            GongPermissionError("GET https://api.gong.io/v2/x: 403 no (request id 13)", status=403),
        ),
    ],
)
def test_errors_that_differ_in_a_name_or_a_status_are_two_problems(
    deployment: Deployment, inbox: Inbox, first: Exception, second: Exception
) -> None:
    for error in (first, second, first):
        deployment.run(error=error)
        deployment.tick()
    assert inbox.titles == ["open: gong_ingestion failed in calls"] * 2


@pytest.mark.slow
@pytest.mark.parametrize(
    "errors",
    [
        [
            GongAuthenticationError(
                f"GET https://api.gong.io/v2/{path}: 401 no (request id {number})", status=401
            )
            for number, path in enumerate(("calls", "users", "settings/trackers"))
        ],
        [
            GongServerError(f"GET https://api.gong.io/v2/{path}: {status} no", status=status)
            for status, path in ((503, "calls"), (502, "users"), (503, "settings/trackers"))
        ],
        [
            GongQuotaExhausted(
                "GET https://api.gong.io/v2/calls: 429 API daily limit exceeded", retry_after=9
            ),
            GongQuotaExhausted("Gong's quota is exhausted until 20:40 UTC\nusers: 0 days", retry_after=9),
            GongQuotaExhausted("Gong's quota is exhausted until 20:40 UTC", retry_after=9),
        ],
        [
            WarehouseUnreachable("account.snowflakecomputing.com does not answer"),
            dg.Failure("dbt: Database Error 250003 (08001): 503 Service Unavailable", allow_retries=False),
            WarehouseUnreachable("account.snowflakecomputing.com: timeout after 60 s"),
        ],
    ],
)
def test_what_fails_whatever_is_requested_is_one_problem(
    deployment: Deployment, inbox: Inbox, errors: list[Exception]
) -> None:
    deployment.run(errors=dict(zip(("calls", "users", "trackers"), errors, strict=True)))
    deployment.tick()
    assert inbox.titles == ["open: gong_ingestion failed in calls, trackers, users"]
    deployment.run()
    deployment.tick()
    assert [document["state"] for document in inbox.posted] == ["open", "closed"]


@pytest.mark.slow
def test_a_run_of_daily_assets_without_partitions_is_reported_with_what_to_select(
    deployment: Deployment, inbox: Inbox
) -> None:
    days = dg.DailyPartitionsDefinition("2026-01-01")

    @dg.asset(partitions_def=days)
    def calls_by_day() -> None: ...

    @dg.asset(partitions_def=days, deps=[calls_by_day])
    def reconciliation() -> None: ...

    job = dg.define_asset_job("gong_reconciliation", [reconciliation], executor_def=dg.in_process_executor)
    definitions = dg.Definitions([calls_by_day, reconciliation], jobs=[job])
    dg.materialize([calls_by_day], instance=deployment.instance, partition_key="2026-01-01")
    reconciled = definitions.resolve_job_def("gong_reconciliation")
    reconciled.execute_in_process(instance=deployment.instance, raise_on_error=False)
    deployment.tick()
    (opened,) = inbox.posted
    assert opened["title"] == "gong_reconciliation failed in reconciliation"
    assert opened["advice"] == SELECT_DAYS


@pytest.mark.slow
def test_values_and_numbers_do_not_tell_problems_apart(deployment: Deployment, inbox: Inbox) -> None:
    for rows, value in enumerate(("We lost Acme", "the customers' plan", "4711"), start=1):
        error = ValueError(f"row {rows}: Numeric value '{value}' of 'CALLS' (query {rows:032x})")
        deployment.run(error=error, steps=("calls", "users"))
        deployment.tick()
    assert inbox.titles == ["open: gong_ingestion failed in calls, users"]


@pytest.mark.slow
def test_a_lost_cursor_repeats_open_problems_only(deployment: Deployment, inbox: Inbox) -> None:
    deployment.run(error=ValueError("first"))
    deployment.run()
    deployment.run(error=ValueError("second"), steps=("users",))
    deployment.tick()
    deployment.cursor = None
    deployment.tick()
    assert [document["reason"] for document in inbox.posted] == ["ValueError: second"] * 2


@pytest.mark.slow
def test_failed_checks_and_overdue_assets_are_reported_until_they_pass(
    deployment: Deployment, inbox: Inbox
) -> None:
    deployment.check_passes = False
    deployment.run()
    for key in ("calls", "users"):
        _report_freshness(deployment.instance, key, FreshnessState.FAIL)
    deployment.tick()
    deployment.tick()
    assert inbox.titles == ["open: Check orphans of calls failed", "open: 2 assets are overdue"]
    assert inbox.posted[0]["reason"] == "Expected: No call is orphaned.\ncount: 7"

    # A run that is about to evaluate the check does not end the problem.
    _plan_check(deployment)
    deployment.tick()
    assert len(inbox.posted) == 2

    deployment.check_passes = True
    deployment.run()
    for key in ("calls", "users"):
        _report_freshness(deployment.instance, key, FreshnessState.PASS)
    deployment.tick()
    assert inbox.titles[2:] == ["closed: Check orphans of calls failed", "closed: 2 assets are overdue"]


@pytest.mark.slow
def test_a_failed_check_that_is_planned_again_is_reported(deployment: Deployment, inbox: Inbox) -> None:
    _plan_check(deployment)
    deployment.tick()
    assert not inbox.posted  # It was never evaluated.
    deployment.check_passes = False
    deployment.run()
    _plan_check(deployment)
    deployment.tick()
    deployment.check_passes = True
    deployment.run()
    _plan_check(deployment)
    deployment.tick()
    assert inbox.titles == [
        "open: Check orphans of calls failed",
        "closed: Check orphans of calls failed",
    ]


def _plan_check(deployment: Deployment) -> None:
    """Plan the check in a run that never evaluates it."""
    job = deployment.defs.resolve_job_def("gong_ingestion")
    planned = AssetCheckEvaluationPlanned(asset_key=dg.AssetKey("calls"), check_name="orphans")
    deployment.instance.report_dagster_event(
        dg.DagsterEvent(
            "ASSET_CHECK_EVALUATION_PLANNED",
            "gong_ingestion",
            event_specific_data=planned,
        ),
        deployment.instance.create_run_for_job(job).run_id,
    )


def test_a_failed_tick_is_reported_until_a_tick_succeeds(deployment: Deployment, inbox: Inbox) -> None:
    state = _running_sensor(deployment.instance)
    _record_tick(deployment.instance, state, TickStatus.FAILURE)
    deployment.tick()
    _record_tick(deployment.instance, state, TickStatus.SKIPPED)
    deployment.tick()
    # A tick that fails between two evaluations, and has succeeded since, is not missed.
    _record_tick(deployment.instance, state, TickStatus.FAILURE)
    _record_tick(deployment.instance, state, TickStatus.SUCCESS)
    deployment.tick()
    deployment.tick()
    assert inbox.titles == ["open: Sensor watcher failed", "closed: Sensor watcher failed"] * 2
    assert inbox.posted[0]["reason"] == "Snowflake at x does not answer"
    assert "SNOWFLAKE_HOST" in inbox.posted[0]["advice"]


def test_sensors_that_fail_for_one_cause_are_one_message(deployment: Deployment, inbox: Inbox) -> None:
    states = [_running_sensor(deployment.instance, name) for name in ("watcher", "other")]
    for status in (TickStatus.FAILURE, TickStatus.SUCCESS):
        for state in states:
            _record_tick(deployment.instance, state, status)
        deployment.tick()
    deployment.tick()
    title = "Schedules and sensors watcher, other failed"
    assert sorted(inbox.titles) == [f"closed: {title}", f"open: {title}"]


def test_a_sensor_that_fails_for_another_cause_has_not_recovered(
    deployment: Deployment, inbox: Inbox
) -> None:
    state = _running_sensor(deployment.instance)
    for text in ("Snowflake at x does not answer", "Object 'X' does not exist"):
        error = SerializableErrorInfo(text, [], "WarehouseError")
        _record_tick(deployment.instance, state, TickStatus.FAILURE, error)
        deployment.tick()
    deployment.tick()
    assert inbox.titles == ["open: Sensor watcher failed"] * 2
    _record_tick(deployment.instance, state, TickStatus.SUCCESS)
    deployment.tick()
    assert inbox.titles[2:] == ["closed: Sensor watcher failed"] * 2


def test_a_tick_that_fails_after_an_evaluation_during_it_is_reported(
    deployment: Deployment, inbox: Inbox
) -> None:
    state = _running_sensor(deployment.instance)
    tick = _record_tick(deployment.instance, state, TickStatus.STARTED)
    deployment.tick()
    error = SerializableErrorInfo("Snowflake at x does not answer", [], "WarehouseUnreachable")
    deployment.instance.update_tick(tick.with_status(TickStatus.FAILURE, error=error))
    for _ in range(10):  # The sensor may tick more often than the alerts.
        _record_tick(deployment.instance, state, TickStatus.SKIPPED)
    deployment.tick()
    deployment.tick()
    assert inbox.titles == ["open: Sensor watcher failed", "closed: Sensor watcher failed"]


def test_a_backfill_is_reported_when_it_fails_however_long_it_took(
    deployment: Deployment, inbox: Inbox
) -> None:
    now = time.time()
    for name, days in (("recent", 0.01), ("old", 3)):
        backfill = PartitionBackfill(
            backfill_id=name,
            status=BulkActionStatus.FAILED,
            from_failure=False,
            tags={},
            backfill_timestamp=now - 9 * 86_400,
            backfill_end_timestamp=now - days * 86_400,
            asset_selection=[dg.AssetKey("calls")],
            error=SerializableErrorInfo("no", [], "ValueError"),
            title=None,
            description=None,
        )
        deployment.instance.add_backfill(backfill)
    deployment.tick()
    deployment.tick()
    assert inbox.titles == ["open: Backfill recent failed"]


def _running_sensor(instance: dg.DagsterInstance, name: str = "watcher") -> InstigatorState:
    repository = RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("main"), "__repository__")
    origin = RemoteInstigatorOrigin(repository_origin=repository, instigator_name=name)
    state = InstigatorState(origin, InstigatorType.SENSOR, InstigatorStatus.DECLARED_IN_CODE)
    return instance.add_instigator_state(state)


_UNREACHABLE = SerializableErrorInfo("Snowflake at x does not answer", [], "WarehouseUnreachable")


def _record_tick(
    instance: dg.DagsterInstance,
    state: InstigatorState,
    status: TickStatus,
    error: SerializableErrorInfo = _UNREACHABLE,
) -> InstigatorTick:
    return instance.create_tick(
        TickData(
            state.instigator_origin_id,
            state.instigator_name,
            InstigatorType.SENSOR,
            status,
            time.time(),
            error=error if status is TickStatus.FAILURE else None,
            run_ids=[],
            selector_id=state.selector_id,
        )
    )


def _report_freshness(instance: dg.DagsterInstance, key: str, state: FreshnessState) -> None:
    event = FreshnessStateChange(
        key=dg.AssetKey(key),
        new_state=state,
        previous_state=FreshnessState.UNKNOWN,
        state_change_timestamp=0.0,
    )
    instance._report_runless_asset_event(event)


@pytest.mark.slow
def test_a_run_that_died_or_was_canceled_is_reported(deployment: Deployment, inbox: Inbox) -> None:
    job = deployment.defs.resolve_job_def("gong_ingestion")
    dead = deployment.instance.create_run_for_job(job, tags={"dagster/partition": "not a date"})
    deployment.instance.report_run_failed(dead, "Its process does not answer.")
    canceled = deployment.instance.create_run_for_job(job)
    deployment.instance.report_run_canceled(canceled)
    deployment.tick()
    assert sorted(inbox.titles) == [
        "open: gong_ingestion for not a date failed",
        "open: gong_ingestion was canceled",
    ]
    deployment.run()
    deployment.tick()
    assert sorted(inbox.titles)[:2] == [
        "closed: gong_ingestion for not a date failed",
        "closed: gong_ingestion was canceled",
    ]


@pytest.mark.slow
def test_a_webhook_that_fails_gets_the_message_with_the_next_tick(
    deployment: Deployment, inbox: Inbox
) -> None:
    inbox.status = 500
    deployment.run(error=ValueError("no"))
    told = deployment.tick()
    assert "The alert webhook answered with HTTP 500." in told
    assert "s3cret-path" not in told
    inbox.status = 200
    deployment.tick()
    assert [document["reason"] for document in inbox.posted] == ["ValueError: no"]


def test_an_alert_contains_no_secret_and_no_value_of_a_record(deployment: Deployment, inbox: Inbox) -> None:
    deployment.check_passes = False
    text = f"Failed to cast variant value '{TRANSCRIPT}' of CALLS: {inbox.url} refused password=hunter22"
    deployment.run(error=ValueError(text))
    deployment.tick()
    everything = json.dumps(inbox.posted) + str(deployment.cursor)
    for hidden in ("Acme", "s3cret-path", "hunter22"):
        assert hidden not in everything
    assert "Failed to cast variant value '…' of CALLS" in json.loads(json.dumps(inbox.posted[0]))["reason"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"Numeric value '{TRANSCRIPT}' is not recognized", "Numeric value '…' is not recognized"),
        ("Object 'SOPHIA_AI.GONG_DATA.X' does not exist", "Object 'SOPHIA_AI.GONG_DATA.X' does not exist"),
        ("The asset 'gong_calls_raw' isn't there", "The asset 'gong_calls_raw' isn't there"),
        ("Gong's answer: it's 'late", "Gong's answer: it's '…'"),
        ('invalid: {"text": {"a": "secret words"}}', "invalid: …"),
        ("value 'it's \"his\" call' here", "value '…' here"),
        ("401 for ann@acme.com: Bearer abcdef123456", "401 for …: Bearer …"),
        ("GET https://u:p@host/a?key=1 failed", "GET https://…@host/a?… failed"),
        ("SNOWFLAKE_PASSWORD=hunter22, then", "SNOWFLAKE_PASSWORD=…, then"),
    ],
)
def test_quoted_values_and_secrets_are_masked(text: str, shown: str) -> None:
    assert redact(text, names={"GONG_CALLS_RAW"}) == shown


def message(**changes: Any) -> Message:
    values: dict[str, Any] = {
        "keys": ("run:1",),
        "kind": "run",
        "state": "open",
        "name": "gong_sync",
        "failure": "failed in <a>",
        "reason": "1 < 2 & *no*",
        "advice": "Try again.",
        "link": "https://dagster.example.com/runs/1",
        "since": datetime(2026, 3, 10, tzinfo=UTC),
        "until": None,
        "occurrences": 1,
    }
    return Message(**{**values, **changes})


def test_each_provider_gets_its_own_body() -> None:
    assert format_of("https://hooks.slack.com/services/T/B/x") == "slack"
    assert format_of("https://prod-1.westeurope.logic.azure.com:443/workflows/x") == "teams"
    assert format_of("https://acme.webhook.office.com/x") == "teams"
    assert format_of("https://slack.com.example.org/x") == "json"
    slack = body(message(), "slack")
    assert slack["blocks"][1]["text"]["text"] == "```1 &lt; 2 &amp; *no*```"
    assert (
        slack["blocks"][-1]["elements"][0]["text"] == "<https://dagster.example.com/runs/1|Open in Dagster>"
    )
    (attachment,) = body(message(), "teams")["attachments"]
    assert attachment["content"]["actions"][0]["url"] == "https://dagster.example.com/runs/1"
    assert attachment["content"]["body"][1]["inlines"][0]["text"] == "1 < 2 & *no*"


@pytest.mark.parametrize(
    ("name", "failure", "headline"),
    [
        (
            "gong_sync for 2026-11-20",
            "failed in gong_dbt_staging",
            "gong_sync for 2026-11-20, which had failed in gong_dbt_staging",
        ),
        ("gong_sync", "failed", "gong_sync, which had failed"),
        ("gong_sync", "was canceled", "gong_sync, which had been canceled"),
        ("gong_calls_raw", "is overdue", "gong_calls_raw, which had been overdue"),
        ("2 assets", "are overdue", "2 assets, which had been overdue"),
    ],
)
def test_the_headline_of_a_recovery_is_a_sentence(name: str, failure: str, headline: str) -> None:
    assert message(name=name, failure=failure, state="closed").headline == f"Recovered: {headline}"


def test_an_e_mail_has_the_headline_as_its_subject() -> None:
    with mail_server() as (url, received):
        Email(url, "alerts@example.com", ("ann@example.com", "bob@example.com")).send(message())
    (mail,) = received
    assert mail["subject"] == "[gong_assets] Failed: gong_sync failed in <a>"
    assert mail["to"] == "ann@example.com, bob@example.com"
    assert "1 < 2 & *no*" in mail.as_string()


def test_a_webhook_that_does_not_exist_is_an_error_without_its_url() -> None:
    with pytest.raises(Exception, match=r"cannot be reached \(ConnectError\)"):
        Webhook("http://127.0.0.1:9/s3cret", "json").send(message())


def test_the_doctor_tries_every_channel_in_the_form_of_an_alert(inbox: Inbox) -> None:
    with mail_server() as (url, received):
        settings = Settings(
            gong_assets_alert_webhook_url=SecretStr(inbox.url),
            gong_assets_alert_webhook_format="slack",
            gong_assets_alert_smtp_url=SecretStr(url),
            gong_assets_alert_email_to="ann@example.com",
        )
        probes = list(check_alerts(settings, send=False))
        assert [each.status for each in probes] == ["ok", "ok"]
        assert (inbox.posted, received) == ([], [])
        sent = list(check_alerts(settings, send=True))
    assert [each.status for each in sent] == ["ok", "ok"]
    assert inbox.posted[0]["text"] == "Failed: Test alert"
    assert received[0]["subject"] == "[gong_assets] Failed: Test alert"
    inbox.status = 404
    refused = [each for send in (False, True) for each in check_alerts(settings, send=send)]
    assert [each.status for each in refused] == ["ok", "fail", "fail", "fail"]
    assert all("s3cret" not in each.message for each in refused)
    assert "HTTP 404. Check GONG_ASSETS_ALERT_WEBHOOK_URL" in refused[2].message
    assert "GONG_ASSETS_ALERT_SMTP_URL" in refused[3].message
    (unset,) = check_alerts(Settings(), send=False)
    assert unset.status == "warn"
