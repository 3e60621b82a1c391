"""Column lineage of the dbt models, for the Dagster UI.

dagster-dbt derives it from the compiled SQL in every run and for every partition, in about half a second
each. It changes with the files of the project only, so it is derived once and stored beside the manifest.
"""

import json
from collections.abc import Iterable, Iterator
from contextlib import chdir
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtCliRuntimeError, DbtCliInvocation
from dagster_dbt.core.dbt_event_iterator import DbtEventIterator
from filelock import FileLock

_KEY = "dagster/column_lineage"


class ColumnLineage:
    """Adds column lineage to the events of dbt commands.

    Args:
        directory: directory of one state of the project's files (see `prepared_project` in `project.py`).
    """

    def __init__(self, directory: Path) -> None:
        self._file = directory / "column_lineage.json"

    def stream(self, invocation: DbtCliInvocation, assets: Iterable[dg.AssetKey]) -> Iterator[Any]:
        """Yield the events of the command. Missing lineage of `assets` is derived and stored."""
        stored = self._read()
        if {key.to_python_identifier() for key in assets} <= stored.keys():
            for event in invocation.stream():
                yield _with_lineage(event, stored)
            return
        # After the end of dbt: dagster-dbt would hang if a model failed meanwhile.
        events: list[Any] = []
        failed: Exception | None = None
        try:
            events.extend(invocation.stream())
        except DagsterDbtCliRuntimeError as error:
            failed = error
        lineage = {} if failed else self._derive(invocation, events)
        for event in events:
            yield _with_lineage(event, lineage)
        if failed:
            raise failed

    def _derive(self, invocation: DbtCliInvocation, events: list[Any]) -> dict[str, str]:
        # A model has an event for each of its days; one is enough.
        firsts = {name: event for event in reversed(events) if (name := output_name(event))}
        found: dict[str, str] = {}
        # The threads of dagster-dbt change the working directory of the process.
        with chdir(Path.cwd()):
            for event in DbtEventIterator(iter(firsts.values()), invocation).fetch_column_metadata():
                lineage = event.metadata.get(_KEY)
                found[output_name(event) or ""] = "" if lineage is None else dg.serialize_value(lineage.value)
        self._add(found)
        return found

    def _read(self) -> dict[str, str]:
        return json.loads(self._file.read_text()) if self._file.exists() else {}

    def _add(self, found: dict[str, str]) -> None:
        with FileLock(f"{self._file}.lock"):
            partial = self._file.with_suffix(".partial")
            partial.write_text(json.dumps({**self._read(), **found}))
            partial.replace(self._file)


def output_name(event: Any) -> str | None:
    """Return the output name of a model's event, which is the asset key as a Python identifier."""
    if isinstance(event, dg.AssetMaterialization):
        return event.asset_key.to_python_identifier()
    return str(event.output_name) if isinstance(event, dg.Output) else None


def _with_lineage(event: Any, lineage_by_output: dict[str, str]) -> Any:
    serialized = lineage_by_output.get(output_name(event) or "")
    if not serialized:
        return event
    lineage = dg.deserialize_value(serialized, dg.TableColumnLineage)
    return event.with_metadata({**event.metadata, _KEY: dg.TableColumnLineageMetadataValue(lineage)})
