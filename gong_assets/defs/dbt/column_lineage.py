"""Which columns each column of a dbt model comes from, for the Dagster UI.

dagster-dbt works it out from the compiled SQL, on every run, for every partition: about half a second each. It
only changes with the project's files, so it is worked out once for these files and kept beside their manifest.
"""

import json
from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import DbtCliInvocation
from dagster_dbt.core.dbt_event_iterator import DbtEventIterator
from dagster_dbt.errors import DagsterDbtCliRuntimeError
from filelock import FileLock

_KEY = "dagster/column_lineage"


class ColumnLineage:
    """Adds column lineage to the events of dbt commands.

    Args:
        directory: belongs to one state of the project's files (see `dbt_project.prepared_project`).
    """

    def __init__(self, directory: Path) -> None:
        self._file = directory / "column_lineage.json"

    def stream(self, invocation: DbtCliInvocation, assets: set[str]) -> Iterator[Any]:
        """The command's events; the lineage of `assets` that is not known yet is worked out and kept."""
        known = self._read()
        if assets <= known.keys():
            for event in invocation.stream():
                yield _with_lineage(event, known)
            return
        # Only when dbt has ended: while it runs, dagster-dbt hangs if a model fails.
        events: list[Any] = []
        failed: Exception | None = None
        try:
            events.extend(invocation.stream())
        except DagsterDbtCliRuntimeError as error:
            failed = error
        found = {} if failed else self._work_out(invocation, events)
        for event in events:
            yield _with_lineage(event, found)
        if failed:
            raise failed

    def _work_out(self, invocation: DbtCliInvocation, events: list[Any]) -> dict[str, str]:
        # One event of a model is enough; there is one for each of its days.
        firsts = {name: event for event in reversed(events) if (name := _asset_name(event))}
        found: dict[str, str] = {}
        # dagster-dbt works in threads that each change the working directory, and leave the process in the wrong one.
        with chdir(Path.cwd()):
            for event in DbtEventIterator(iter(firsts.values()), invocation).fetch_column_metadata():
                lineage = event.metadata.get(_KEY)
                found[_asset_name(event) or ""] = "" if lineage is None else dg.serialize_value(lineage.value)
        self._add(found)
        return found

    def _read(self) -> dict[str, str]:
        return json.loads(self._file.read_text()) if self._file.exists() else {}

    def _add(self, found: dict[str, str]) -> None:
        with FileLock(f"{self._file}.lock"):
            partial = self._file.with_suffix(".partial")
            partial.write_text(json.dumps({**self._read(), **found}))
            partial.replace(self._file)


def _asset_name(event: Any) -> str | None:
    if isinstance(event, dg.AssetMaterialization):
        return event.asset_key.to_user_string()
    return str(event.output_name) if isinstance(event, dg.Output) else None


def _with_lineage(event: Any, known: dict[str, str]) -> Any:
    serialized = known.get(_asset_name(event) or "")
    if not serialized:
        return event
    lineage = dg.deserialize_value(serialized, dg.TableColumnLineage)
    return event.with_metadata({**event.metadata, _KEY: dg.TableColumnLineageMetadataValue(lineage)})
