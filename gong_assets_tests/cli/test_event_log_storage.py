"""The event log of our own Dagster home: connections stay open, and the content is as in Dagster's class."""

import multiprocessing
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from gong_assets.cli import event_log_storage
from gong_assets.cli.dagster_home import ensure_dagster_home
from gong_assets.cli.event_log_storage import BATCH_SIZE_VARIABLE, PooledSqliteEventLogStorage
from gong_assets.settings import Settings
from gong_assets_tests.instances import local_instance

RUNS = 3


@dg.asset(partitions_def=dg.StaticPartitionsDefinition(["a", "b"]))
def table() -> None: ...


@dg.asset_check(asset=table)
def is_right() -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=True)


JOB = dg.Definitions(
    assets=[table], asset_checks=[is_right], jobs=[dg.define_asset_job("job", "*")]
).resolve_job_def("job")


# A run over a range, whose events Dagster passes in batches.
RANGE_TAGS = {"dagster/asset_partition_range_start": "1", "dagster/asset_partition_range_end": "3"}


@dg.asset(
    partitions_def=dg.StaticPartitionsDefinition(["1", "2", "3"]),
    backfill_policy=dg.BackfillPolicy.single_run(),
    code_version="1",
)
def several() -> dg.MaterializeResult[None]:
    return dg.MaterializeResult(metadata={"rows": 3})


@dg.asset_check(asset=several)
def is_complete() -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=True)


RANGE_JOB = dg.Definitions(
    assets=[several], asset_checks=[is_complete]
).resolve_implicit_global_asset_job_def()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    monkeypatch.setenv("DAGSTER_HOME", "")  # Restored at the end of the test.
    return ensure_dagster_home(Settings(gong_assets_home=tmp_path / "it's: a home"))


@pytest.fixture
def instance(home: Path) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.from_config(str(home)) as instance:
        yield instance


def test_only_the_owner_can_read_the_home_of_dagster(home: Path) -> None:
    assert [path.stat().st_mode & 0o777 for path in (home.parent, home)] == [0o700, 0o700]


def test_the_files_of_the_home_are_replaced_only_if_their_content_changed(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace, options = home / "workspace.yaml", home / "dagster.yaml"
    content = workspace.read_text()
    workspace.write_text("load_from: []\n")
    before = {path: path.stat().st_ino for path in (workspace, options)}
    with workspace.open() as reading:
        monkeypatch.setenv("DAGSTER_HOME", "")
        ensure_dagster_home(Settings(gong_assets_home=home.parent))
        assert reading.read() == "load_from: []\n"
    assert workspace.read_text() == content
    assert workspace.stat().st_ino != before[workspace]
    assert options.stat().st_ino == before[options]


def run_jobs(home: str) -> None:
    with dg.DagsterInstance.from_config(home) as instance:
        for _ in range(RUNS):
            assert JOB.execute_in_process(instance=instance, partition_key="a").success


def test_the_home_of_the_commands_has_the_storage_in_dagsters_own_place(
    home: Path, instance: dg.DagsterInstance
) -> None:
    assert isinstance(instance.event_log_storage, PooledSqliteEventLogStorage)
    run_id = JOB.execute_in_process(instance=instance, partition_key="a").run_id
    assert (home / "history" / "runs" / f"{run_id}.db").exists()


def test_a_run_opens_each_file_once(instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch) -> None:
    JOB.execute_in_process(instance=instance, partition_key="a")
    opened: list[str] = []
    connect = sqlite3.connect

    def counted(database: str, *args: object, **kwargs: object) -> sqlite3.Connection:
        opened.append(Path(database).parent.name)
        return connect(database, *args, **kwargs)  # type: ignore[call-overload, no-any-return]

    monkeypatch.setattr(sqlite3, "connect", counted)
    monkeypatch.setattr(sqlite3.dbapi2, "connect", counted)
    result = JOB.execute_in_process(instance=instance, partition_key="b")
    assert len(result.all_events) > 10
    # Only the run's own file is new, and its tables are looked up once.
    assert 1 <= opened.count("runs") <= 3


def test_dagsters_own_class_reads_the_same_events(home: Path, instance: dg.DagsterInstance) -> None:
    result = JOB.execute_in_process(instance=instance, partition_key="a")
    kept = instance.all_logs(result.run_id)
    (home / "dagster.yaml").write_text("telemetry: {enabled: false}")
    with dg.DagsterInstance.from_config(str(home)) as own:
        assert type(own.event_log_storage) is not PooledSqliteEventLogStorage
        assert own.all_logs(result.run_id) == kept
        assert own.get_materialized_partitions(table.key) == {"a"}
        (check,) = own.event_log_storage.get_asset_check_execution_history(is_right.check_key, limit=5)
        assert check.status.value == "SUCCEEDED"


def stored(instance: dg.DagsterInstance, run_id: str) -> dict[str, object]:
    """Return what the storage has of a run of the range, without times and IDs."""
    storage = instance.event_log_storage
    records = instance.get_records_for_run(run_id).records
    materialized = instance.fetch_materializations(several.key, limit=10).records
    latest = instance.get_latest_materialization_event(several.key)
    (check,) = storage.get_asset_check_execution_history(is_complete.check_key, limit=5)
    assert all(record.run_id == run_id for record in materialized)
    return {
        "events": sorted(
            (str(entry.dagster_event_type), str(entry.dagster_event and entry.dagster_event.partition))
            for entry in (record.event_log_entry for record in records)
        ),
        "in the file of all assets": sorted(str(record.partition_key) for record in materialized),
        "tags": sorted(
            instance.get_event_tags_for_asset(several.key, filter_event_id=record.storage_id)
            for record in materialized
        ),
        "latest is the last": latest == materialized[0].event_log_entry,
        "partitions": instance.get_materialized_partitions(several.key),
        "check": check.status,
    }


def run_range(home: Path, batch_size: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    monkeypatch.setenv(BATCH_SIZE_VARIABLE, batch_size)
    home.mkdir()
    with local_instance(home) as instance:
        result = RANGE_JOB.execute_in_process(instance=instance, tags=RANGE_TAGS)
        assert result.success
        return stored(instance, result.run_id)


@pytest.mark.parametrize("batch_size", ["1", "2", "1000"])
def test_batches_store_what_single_events_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, batch_size: str
) -> None:
    single = run_range(tmp_path / "single", "0", monkeypatch)
    assert single["partitions"] == {"1", "2", "3"}
    assert single["latest is the last"]
    assert run_range(tmp_path / "batch", batch_size, monkeypatch) == single


def test_a_batch_that_cannot_be_stored_leaves_nothing_and_is_stored_event_by_event(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dagster tries the events of a failed batch again, each alone."""
    single = run_range(tmp_path / "single", "0", monkeypatch)
    store = PooledSqliteEventLogStorage._store_asset_event
    attempts: list[int] = []

    def fail_twice(storage: PooledSqliteEventLogStorage, *event: Any) -> None:
        attempts.append(1)
        if len(attempts) in (1, 5):  # the planned events, and after three of them the materializations
            raise sqlite3.OperationalError("disk I/O error")
        store(storage, *event)

    monkeypatch.setattr(PooledSqliteEventLogStorage, "_store_asset_event", fail_twice)
    assert run_range(tmp_path / "batch", "1000", monkeypatch) == single
    assert len(attempts) == 8


@pytest.mark.slow
def test_processes_write_at_the_same_time(home: Path, instance: dg.DagsterInstance) -> None:
    started = [
        multiprocessing.get_context("spawn").Process(target=run_jobs, args=(str(home),)) for _ in range(2)
    ]
    for process in started:
        process.start()
    run_jobs(str(home))
    for process in started:
        process.join(120)
    assert [process.exitcode for process in started] == [0, 0]
    records = instance.fetch_materializations(table.key, limit=100).records
    assert len(records) == len({record.run_id for record in records}) == 3 * RUNS


@pytest.mark.slow
def test_few_files_are_open_at_once(instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_log_storage, "MAX_OPEN_FILES", 3)
    results = [JOB.execute_in_process(instance=instance, partition_key="a") for _ in range(5)]
    for result in results:
        assert len(instance.all_logs(result.run_id)) > 10
    storage = instance.event_log_storage
    assert isinstance(storage, PooledSqliteEventLogStorage)
    assert len(storage._engines) <= 3
    storage.dispose()
    assert not storage._engines
