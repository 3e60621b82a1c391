"""The event log of our own Dagster home: connections stay open, and the content is as in Dagster's class."""

import multiprocessing
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from gong_assets.cli import event_log_storage
from gong_assets.cli.dagster_home import ensure_dagster_home
from gong_assets.cli.event_log_storage import PooledSqliteEventLogStorage
from gong_assets.settings import Settings

RUNS = 3


@dg.asset(partitions_def=dg.StaticPartitionsDefinition(["a", "b"]))
def table() -> None: ...


@dg.asset_check(asset=table)
def is_right() -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=True)


JOB = dg.Definitions(
    assets=[table], asset_checks=[is_right], jobs=[dg.define_asset_job("job", "*")]
).resolve_job_def("job")


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
