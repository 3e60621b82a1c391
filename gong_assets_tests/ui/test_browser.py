"""The Dagster UI in headless Chromium: pages, launchpads and buttons, with the daemon and the local stack."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg
import pytest
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from gong_assets.defs.assets.ingestion import GONG_POOL
from gong_assets.defs.build import build_defs
from gong_assets.defs.dbt.assets import DBT_POOL
from gong_assets.defs.jobs import JOB_NAMES
from gong_assets.local import stack
from gong_assets.settings import Settings
from gong_assets_tests.pools import held_pool
from tools.browser import VIEWPORT, chromium, chromium_path, dagster_ui

if TYPE_CHECKING:
    from playwright.sync_api import Page, Request

pytestmark = [
    pytest.mark.extended,
    pytest.mark.slow,
    pytest.mark.xdist_group("browser"),
    pytest.mark.skipif(chromium_path() is None, reason="Chromium is not installed"),
]

# Milliseconds. On two cores, a page waits for the daemon and the runs.
TIMEOUT = 120_000
CLICK_TIMEOUT = 3_000
TODAY = datetime.now(UTC).date()
DAYS = [(TODAY - timedelta(days=age)).isoformat() for age in range(9, -1, -1)]
LOCATION = "/locations/gong_assets"
ASSET = "/assets/gong_calls_raw?view="
RUN_PAGE = re.compile(r"/runs/[0-9a-f-]{36}")

PAGES = {
    "/overview/activity/timeline": "Timeline",
    "/runs": "Show runs within backfills",
    "/assets": "gong_assets",
    "/jobs": "gong_sync",
    "/automation": "gong_ingestion_schedule",
    "/asset-groups": "staging",
    "/deployment/locations": "gong_assets",
    "/deployment/daemons": "Backfill",
    "/deployment/concurrency": "Pools",
    "/deployment/config": "PooledSqliteEventLogStorage",
    f"{LOCATION}/resources": "gong_snowflake",
    f"{LOCATION}/resources/gong": "The Gong API",
    f"{LOCATION}/schedules/gong_ingestion_schedule": "every 4 hours",
    f"{LOCATION}/sensors/gong_missing_transcripts": "gong_transcripts",
    f"{ASSET}overview": "POST /v2/calls/extensive",
    f"{ASSET}partitions": "Missing",
    f"{ASSET}events": "gong_calls_raw",
    f"{ASSET}checks": "schema_is_known",
    f"{ASSET}lineage": "stg_gong_calls",
    "/assets/vw_enriched_gong_calls?view=overview": "vw_enriched_gong_calls",
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("browser")


@contextmanager
def served(home: Path, *, schedules: bool) -> Iterator[str]:
    """Serve the UI with the daemon and the local stack, with or without schedules and sensors."""
    variables = {
        "GONG_ASSETS_HOME": str(home),
        "GONG_START_DATE": DAYS[0],
        "GONG_ASSETS_SCHEDULES_ENABLED": str(schedules),
        "DAGSTER_DISABLE_TELEMETRY": "yes",
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    }
    try:
        with dagster_ui(home, variables) as url:
            yield url
    finally:
        stack.down(home)


@pytest.fixture(scope="module")
def url(home: Path) -> Iterator[str]:
    with served(home, schedules=False) as url:
        yield url


@pytest.fixture(scope="module")
def errors() -> list[str]:
    """Errors of the console, of scripts and of requests since the last test cleared them."""
    return []


@pytest.fixture(scope="module")
def page(url: str, errors: list[str]) -> Iterator[Page]:
    with chromium() as browser:
        page = browser.new_page(base_url=url, viewport=VIEWPORT)  # type: ignore[arg-type]
        page.set_default_timeout(TIMEOUT)
        # Otherwise a launchpad begins with the partition of its last launch.
        page.add_init_script("localStorage.clear()")
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("response", lambda answer: errors.append(answer.url) if answer.status >= 400 else None)
        yield page


@pytest.fixture(scope="module")
def instance(url: str, home: Path) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.from_config(str(home / "dagster")) as instance:
        yield instance


def launch(page: Page, job: str, partition: str | None = None) -> str:
    """Launch a job with what its launchpad shows, and return the ID of the run."""
    launchpad = f"{LOCATION}/jobs/{job}/playground"
    if partition is None:
        page.goto(launchpad)
    else:
        # Before the partitions are loaded, none can be chosen.
        with page.expect_response(lambda answer: is_of("ConfigPartitionsQuery", answer.request)):
            page.goto(launchpad)
        chosen = page.get_by_placeholder("Partition")
        chosen.fill(partition)
        page.get_by_role("menuitem", name=partition).wait_for()
        with page.expect_response(lambda answer: is_of("ConfigPartitionSelectionQuery", answer.request)):
            chosen.press("Enter")
    button = page.get_by_role("button", name="Launch Run")
    with requests_of(page, "LaunchPipelineExecution") as sent:
        for _ in range(TIMEOUT // CLICK_TIMEOUT):
            # A click before the configuration is validated is lost. A launch leaves the page.
            with suppress(PlaywrightTimeout):
                button.click(timeout=CLICK_TIMEOUT)
                page.wait_for_url(RUN_PAGE, timeout=CLICK_TIMEOUT)
            if sent:
                return launched_run(page)
    pytest.fail(f"{job} was not launched")


@contextmanager
def requests_of(page: Page, operation: str) -> Iterator[list[Request]]:
    """Yield a list to which the page's requests of this GraphQL operation are added."""
    sent: list[Request] = []

    def add(request: Request) -> None:
        if is_of(operation, request):
            sent.append(request)

    page.on("request", add)
    try:
        yield sent
    finally:
        page.remove_listener("request", add)


def is_of(operation: str, request: Request) -> bool:
    """Return whether a request of the UI is of this GraphQL operation."""
    return f'"{operation}"' in (request.post_data or "")


def launched_run(page: Page) -> str:
    """Return the ID of the run whose page is open."""
    page.wait_for_url(RUN_PAGE)
    return page.url.rsplit("/", 1)[1].partition("?")[0]


def wait_for_status(page: Page, instance: dg.DagsterInstance, run_id: str, *statuses: str) -> None:
    for _ in range(TIMEOUT // 500):
        run = instance.get_run_by_id(run_id)
        if run is not None and run.status.value in statuses:
            return
        page.wait_for_timeout(500)
    pytest.fail(f"run {run_id} is {run and run.status.value}, not {' or '.join(statuses)}")


def terminate(page: Page, **options: float) -> None:
    page.get_by_role("button", name="Terminate").first.click(**options)
    page.get_by_role("dialog").get_by_role("button", name=re.compile("erminat")).click(**options)


def terminate_until_it_ends(page: Page, instance: dg.DagsterInstance, run_id: str) -> None:
    """Terminate a run, again if necessary: Dagster ignores it while it starts the process of the run."""
    for _ in range(TIMEOUT // CLICK_TIMEOUT):
        run = instance.get_run_by_id(run_id)
        if run is not None and run.is_finished:
            break
        with suppress(PlaywrightTimeout):  # The button is gone while the run is being terminated.
            terminate(page, timeout=CLICK_TIMEOUT)
        page.wait_for_timeout(CLICK_TIMEOUT)
        page.keyboard.press("Escape")  # Closes a dialog that shows an error.


@pytest.mark.parametrize("path", PAGES)
def test_a_page_shows_its_content_without_an_error(page: Page, errors: list[str], path: str) -> None:
    errors.clear()
    page.goto(path)
    page.get_by_text(PAGES[path]).first.wait_for()
    assert errors == []


@pytest.fixture(scope="module")
def jobs(url: str, home: Path) -> Mapping[str, dg.JobDefinition]:
    """The jobs of the code location."""
    defs = build_defs(Settings(gong_assets_home=home, gong_start_date=date.fromisoformat(DAYS[0])))
    return {job: defs.resolve_job_def(job) for job in JOB_NAMES}


@pytest.mark.parametrize("job", JOB_NAMES)
def test_a_launchpad_launches_its_job(
    page: Page,
    errors: list[str],
    instance: dg.DagsterInstance,
    jobs: Mapping[str, dg.JobDefinition],
    job: str,
) -> None:
    """`test_launchpads.py` waits for the results of all jobs, which takes minutes.

    Here one ends, one is terminated while it works, and all others while they wait for a pool: a run over
    tables that do not exist yet could fail before it is terminated.
    """
    errors.clear()
    partitions = jobs[job].partitions_def
    day = partitions.get_partition_keys()[-1] if partitions else None
    with ExitStack() as held:
        for pool in () if job in ("gong_reference_data", "gong_staging") else (GONG_POOL, DBT_POOL):
            held.enter_context(held_pool(instance, pool))
        run_id = launch(page, job, day)
        run = instance.get_run_by_id(run_id)
        assert run is not None
        assert (run.job_name, run.tags.get("dagster/partition")) == (job, day)
        assert "resources" not in run.run_config
        if job == "gong_reference_data":
            wait_for_status(page, instance, run_id, "SUCCESS")
        else:
            if job == "gong_staging":
                wait_for_status(page, instance, run_id, "STARTED")
            terminate_until_it_ends(page, instance, run_id)
            wait_for_status(page, instance, run_id, "CANCELED", "SUCCESS")
    assert errors == []


def test_a_canceled_run_can_be_executed_again(
    page: Page, errors: list[str], instance: dg.DagsterInstance
) -> None:
    """The run waits for the pool, so that it cannot end before it is terminated."""
    errors.clear()
    first = launch(page, "gong_ingestion", DAYS[-2])
    wait_for_status(page, instance, first, "STARTING")
    with held_pool(instance):
        wait_for_status(page, instance, first, "STARTED")
        terminate(page)
        wait_for_status(page, instance, first, "CANCELED")
    page.get_by_role("button", name=re.compile("^Re-execute")).first.click()
    page.wait_for_url(lambda url: "/runs/" in url and first not in url)
    wait_for_status(page, instance, launched_run(page), "SUCCESS")
    assert errors == []


def test_seven_days_are_backfilled_in_one_run(
    page: Page, errors: list[str], instance: dg.DagsterInstance
) -> None:
    errors.clear()
    page.goto(f"{ASSET}partitions")
    page.get_by_role("button", name="Materialize").first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("textbox").first.fill(f"[{DAYS[0]}...{DAYS[6]}]")
    page.keyboard.press("Enter")
    dialog.get_by_text("7 partitions").first.wait_for()
    dialog.get_by_role("button", name="Launch backfill").click()
    for _ in range(TIMEOUT // 500):
        if set(DAYS[:7]) <= instance.get_materialized_partitions(dg.AssetKey("gong_calls_raw")):
            break
        page.wait_for_timeout(500)
    runs: Any = instance.get_runs(dg.RunsFilter(tags={"dagster/asset_partition_range_end": DAYS[6]}))
    assert [run.tags["dagster/asset_partition_range_start"] for run in runs] == [DAYS[0]]
    assert set(DAYS[:7]) <= instance.get_materialized_partitions(dg.AssetKey("gong_calls_raw"))
    assert errors == []


def test_a_check_is_executed_alone(page: Page, errors: list[str], instance: dg.DagsterInstance) -> None:
    def evaluations() -> list[str]:
        key = dg.AssetCheckKey(dg.AssetKey("gong_calls_raw"), "schema_is_known")
        records = instance.event_log_storage.get_asset_check_execution_history(key, limit=100)
        return [record.status.value for record in records]

    errors.clear()
    if not instance.get_materialized_partitions(dg.AssetKey("gong_calls_raw")):  # by another test
        wait_for_status(page, instance, launch(page, "gong_ingestion", DAYS[-2]), "SUCCESS")
    page.goto(f"{ASSET}checks")
    page.get_by_text("schema_is_known").first.click()
    before = evaluations()
    page.get_by_role("button").filter(has_text=re.compile("^Execute$")).click()
    for _ in range(TIMEOUT // 500):
        if len(after := evaluations()) > len(before) and after[0] != "PLANNED":
            break
        page.wait_for_timeout(500)
    assert after == ["SUCCEEDED", *before]
    assert errors == []


def test_a_schedule_is_off_by_the_switch_and_can_be_turned_on(
    page: Page, errors: list[str], instance: dg.DagsterInstance
) -> None:
    errors.clear()
    page.goto(f"{LOCATION}/schedules/gong_reconciliation_schedule")
    page.get_by_text("only on Sunday").first.wait_for()
    toggle = page.locator("input[type=checkbox]").first
    assert not toggle.is_checked()
    toggle.dispatch_event("click")
    for _ in range(TIMEOUT // 500):
        if states := [state for state in instance.all_instigator_state() if "RUNNING" in str(state.status)]:
            break
        page.wait_for_timeout(500)
    assert [state.name for state in states] == ["gong_reconciliation_schedule"]
    assert errors == []


def test_freshness_passes_after_the_asset_is_materialized(
    page: Page, errors: list[str], tmp_path: Path
) -> None:
    """Of an asset that needs no other one. Only assets of a schedule that is on have a policy."""
    errors.clear()
    with served(tmp_path, schedules=True) as url:
        page.goto(f"{url}/assets/gong_pipeline_health?view=overview")
        page.get_by_text("Not evaluated").first.wait_for()
        page.get_by_role("button", name="Materialize").first.click()
        # Nothing upstream is materialized yet.
        page.get_by_role("button", name="Confirm").click()
        passing = page.get_by_text("Passing").first
        for _ in range(TIMEOUT // CLICK_TIMEOUT):
            page.wait_for_timeout(CLICK_TIMEOUT)
            page.reload()  # The page does not ask for the state again, and shows it after its other content.
            with suppress(PlaywrightTimeout):
                passing.wait_for(timeout=CLICK_TIMEOUT)
                break
        assert passing.is_visible()
        assert errors == []
        page.goto("about:blank")  # Nothing is requested from the server that ends.
