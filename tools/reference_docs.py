"""Reference pages in docs/ that are generated from code: settings, commands, operations and tables."""

from __future__ import annotations

import textwrap
import warnings
from collections.abc import Iterable, Iterator
from datetime import date
from enum import Enum
from pathlib import Path
from typing import Any

import dagster as dg
import typer
import yaml  # type: ignore[import-untyped]
from pydantic.fields import FieldInfo

import gong_assets
from gong_assets.cli.app import app
from gong_assets.defs.build import build_asset_checks, build_automation, build_parts, build_raw_layer
from gong_assets.defs.options import DEFAULT_OPTIONS
from gong_assets.defs.partitions import daily_partitions
from gong_assets.defs.parts import Part
from gong_assets.defs.storage_cleanup import build_storage_cleanup
from gong_assets.defs.transformation import Models
from gong_assets.ingestion.streams import RAW_TABLES
from gong_assets.settings import Settings
from gong_assets.settings.alert_settings import AlertSettings
from gong_assets.settings.retention_settings import RetentionSettings
from gong_assets.settings.source_settings import SourceSettings
from gong_assets.settings.webhook_settings import WebhookSettings

MODELS = Path(gong_assets.__file__).parent / "dbt" / "models"


def _header(title: str, source: str) -> str:
    return f"<!-- Generated from {source} by `make generate`. Do not edit. -->\n# {title}\n"


def _wrapped(text: str, indent: str = "") -> str:
    return textwrap.fill(
        text, width=110, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )


def _item(name: str, text: str) -> str:
    return _wrapped(f"- {name}: {' '.join(text.split())}", "  ")


# The sections of docs/settings.md, by their first setting.
_SETTINGS_SECTIONS = {
    "gong_provisioned": "Provisioning",
    "gong_assets_target": "Project",
    "gong_base_url": "Gong",
    "gong_source": "Other sources",
    "snowflake_account": "Snowflake",
    "hubspot_database": "HubSpot",
    "gong_redact_transcripts": "Cortex and privacy",
    "gong_retention_days": "Retention",
    "gong_webhook_url": "Gong's webhook",
    "gong_assets_alert_webhook_url": "Alerts",
}

_SETTINGS_INTRODUCTION = """
Settings are environment variables. A `.env` file in the working directory is read too, and the environment
wins. In a subdirectory the project's `.env` is read as well: the project is the nearest directory above that
contains `.gong_assets`, or otherwise a `.env` with one of these variables. A relative path in a `.env` file
is relative to the file's directory. No variable is required: without any, the graph uses a simulated Gong
tenant and the local stack.

Secrets are read in the run that needs them. Dagster's definitions and run config have neither their values
nor the names of their variables. The local stack has a few variables of its own: see
[local_stack.md](local_stack.md)."""


def settings_reference() -> str:
    """Return docs/settings.md."""
    lines = [_header("Settings", "gong_assets/settings") + _SETTINGS_INTRODUCTION]
    for name, field in _settings_in_order():
        if section := _SETTINGS_SECTIONS.get(name):
            lines.append(f"\n## {section}\n")
        lines.append(_item(f"**`{name.upper()}`**{_default(field)}", field.description or ""))
    return "\n".join(lines) + "\n"


def _settings_in_order() -> list[tuple[str, FieldInfo]]:
    """Return the settings as declared, with those of the source after those of Gong."""
    last = [*RetentionSettings.model_fields, *WebhookSettings.model_fields, *AlertSettings.model_fields]
    moved = {*SourceSettings.model_fields, *last}
    own = [name for name in Settings.model_fields if name not in moved]
    place = own.index("snowflake_account")
    names = [*own[:place], *SourceSettings.model_fields, *own[place:], *last]
    return [(name, Settings.model_fields[name]) for name in names]


def _default(field: FieldInfo) -> str:
    if field.default is None:
        return ""
    value = str(field.default).lower() if isinstance(field.default, bool) else str(field.default)
    return f" (default `{value}`)"


_COMMANDS_INTRODUCTION = """
Exit codes: 0 success, 1 the work failed or a requested record does not exist, 2 wrong usage or settings, 130
interrupted. An error is one or two lines. `gong-assets --verbose COMMAND` adds the traceback.
`gong-assets COMMAND --help` shows the same texts as this page."""


def commands_reference() -> str:
    """Return docs/commands.md."""
    lines = [_header("Commands", "gong_assets/cli") + _COMMANDS_INTRODUCTION]
    for name, command in _commands("gong-assets", typer.main.get_command(app)):
        arguments = [_argument(p) for p in command.params if p.param_type_name == "argument"]
        lines.append(f"\n## `{' '.join([name, *arguments])}`\n")
        lines.append("\n\n".join(_wrapped(text) for text in (command.help or "").split("\n\n")))
        if options := [_option(p) for p in command.params if p.name != "help"]:
            lines.append("\n" + "\n".join(options))
    return "\n".join(lines) + "\n"


def _argument(parameter: Any) -> str:
    name = parameter.name.upper()
    return name if parameter.required else f"[{name}]"


def _commands(prefix: str, group: Any) -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            if command.invoke_without_command:
                yield f"{prefix} {name}", command
            yield from _commands(f"{prefix} {name}", command)
        else:
            yield f"{prefix} {name}", command


def _option(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return _item(f"`{parameter.name.upper()}`", parameter.help)
    names = ", ".join(f"`{name}`" for name in (*parameter.opts, *parameter.secondary_opts))
    default = parameter.default.value if isinstance(parameter.default, Enum) else parameter.default
    if isinstance(parameter.show_default, str):
        default = parameter.show_default
    suffix = "" if default is None or isinstance(default, bool) else f" (default `{default}`)"
    return _item(f"{names}{suffix}", parameter.help)


_OPERATIONS_INTRODUCTION = """
Schedules and sensors are on by default where they spend nothing: for the simulated tenant with the local
warehouse. With accounts, they are off until GONG_ASSETS_SCHEDULES_ENABLED is true in the environment of the
deployment, or `gong-assets dev --schedules` starts it. The variable is rejected in a `.env` file, because a
copy of the file would start a second deployment. The sensor `gong_orphaned_runs` is always on: it repairs
runs by hand too, and reads nothing but Dagster's storage. Each schedule and sensor can be turned on and off
in the Dagster UI. Times are in GONG_ASSETS_TIMEZONE (UTC by default), and each cron expression is a setting,
such as GONG_ASSETS_INGESTION_CRON. In your own project, the attributes `schedules` and `sensors` of the
component `gong_assets.GongAssets` take precedence.

What has to be transformed is known from the rows that landed: the sensor `gong_transformation_sensor`
requests the changed days, and the check `changes_are_transformed` finds changes that have waited for too
long. Dagster's own marks of stale assets compare materializations, not rows. A day that was read again
without a change counts as newer than its models, and so does a table that a view reads: ignore these marks.

This page lists all parts of the graph, also those of GONG_RETENTION_DAYS, GONG_REDACT_TRANSCRIPTS,
GONG_AGENT_OBJECTS, GONG_PROVISIONED, GONG_WEBHOOK_URL, and GONG_SOURCE, with Airbyte as the example.

Without DAGSTER_HOME, the `gong-assets` commands use an instance with the right limits. In an instance of your
own, copy `concurrency` and `run_monitoring` from [dagster.yaml](../gong_assets/cli/dagster.yaml): they allow
one step at a time to call Gong, and one at a time to rebuild the model tables.

## Run by hand

Every job and asset can be launched with the run config that its launchpad shows: `confirm_deletions` allows a
run to delete more records than GONG_MAX_VANISHED_SHARE. Accounts and secrets are no run config; a run reads
them from its environment. Days are partitions. Select them in the dialog `Materialize`: a range is one run
and one window of Gong's API, not one per day. A run without partitions fails with a line that says so.

![The launchpad of the job gong_ingestion](images/ui_launchpad.png)

```console
$ gong-assets sync                         # the last days
$ gong-assets sync --mode backfill --from-date 2026-11-01 --to-date 2026-11-07
$ dg launch --assets gong_calls_raw --partition-range "2026-11-01...2026-11-07"
$ dg launch --job gong_ingestion --partition 2026-11-01
$ dagster asset materialize -m gong_assets.definitions --select gong_calls_raw \\
    --partition-range "2026-11-01...2026-11-07"
$ dagster job execute -m gong_assets.definitions -j gong_reference_data
$ dagster job launch -w workspace.yaml -j gong_calls --tags '{"dagster/partition": "2026-11-01"}'
```

To queue runs, or to show them in the Dagster UI, Dagster's own commands need DAGSTER_HOME, an absolute path.
The instance of `gong-assets dev` and of the other commands is `dagster` in GONG_ASSETS_HOME: `export
DAGSTER_HOME=$PWD/.gong_assets/dagster`. `dg` is the package `dagster-dg-cli`, and works in a `dg` project:
one [of your own](dagster.md) or the checkout, which also has `workspace.yaml`.

The last command queues a run for the daemon. Such a run must name the code location as the daemon does, so
pass the daemon's `workspace.yaml`. `dagster job backfill` queues one run per day; use a range instead. The
button `Re-execute from failure` reads only what failed.

## Failures

A stream that fails stops its own checks and nothing else. In a run that materializes raw assets and models
together, Dagster skips the models after a failed raw asset; `gong-assets sync` then runs them on the rows
that are there, also those of the failed table, and ends with the error of the stream. In a deployment, the
days that landed are transformed like those of any other run.

If Gong or Snowflake does not answer, or reports a server error, the step is retried twice, a minute apart.
Errors that stay are not retried: a refused sign-in, a missing endpoint or scope, a host that does not exist,
the deletion guard. The daily quota ends a run, and a sensor resumes it."""

_CHECKS_INTRODUCTION = """\
Each description is the condition that passes. The data tests of the dbt models are checks too; the Dagster UI
shows them with their models."""


def operations_reference() -> str:
    """Return docs/operations.md, for a graph with all optional parts."""
    parts = {
        "gong_retention_days": 730,
        "gong_redact_transcripts": True,
        "gong_agent_objects": True,
        "gong_provisioned": True,
    }
    # The texts are those of the first graph that has the part.
    graphs = (Settings().model_copy(update=parts), Settings(gong_source="airbyte"))
    found = [_automation(each) for each in graphs]
    schedules = _by_name(each for automation in found for each in automation.schedules)
    sensors = _by_name(each for automation in found for each in automation.sensors)
    jobs = _by_name(each for automation in found for each in automation.jobs)
    checks = _by_name(check for settings in graphs for check in _check_specs(settings))
    sections = (
        _header("Operations", "gong_assets/defs") + _OPERATIONS_INTRODUCTION,
        _section(
            "Schedules",
            ((f"`{name}` (`{each.cron_schedule}`)", each.description) for name, each in schedules.items()),
        ),
        _section("Sensors", ((f"`{name}`", each.description) for name, each in sensors.items())),
        _section("Jobs", ((f"`{name}`", each.description) for name, each in jobs.items())),
        _section(
            "Checks", ((f"`{name}`", each.description) for name, each in checks.items()), _CHECKS_INTRODUCTION
        ),
    )
    return "\n\n".join(sections) + "\n"


def _automation(settings: Settings) -> Part:
    """Return the jobs, schedules and sensors of a graph."""
    cleanup = build_storage_cleanup(settings, DEFAULT_OPTIONS, (), MODELS)
    parts = [cleanup, *build_parts(settings, DEFAULT_OPTIONS)]
    return build_automation(settings, DEFAULT_OPTIONS, Models([]), (), parts)


def _by_name(items: Iterable[Any]) -> dict[str, Any]:
    """Return the first item of each name."""
    found: dict[str, Any] = {}
    for each in items:
        found.setdefault(each.name, each)
    return found


def _check_specs(settings: Settings) -> Iterator[dg.AssetCheckSpec]:
    """Yield the checks of the graph but those of dbt."""
    with warnings.catch_warnings(action="ignore", category=dg.BetaWarning):
        raw = build_raw_layer(settings, daily_partitions(date(2026, 1, 1)), DEFAULT_OPTIONS, ())
    for each in (*raw, *build_asset_checks(settings, DEFAULT_OPTIONS)):
        if isinstance(each, dg.AssetsDefinition):
            yield from each.check_specs


def _section(title: str, items: Iterable[tuple[str, str | None]], introduction: str = "") -> str:
    lines = [f"## {title}\n", *([introduction + "\n"] if introduction else [])]
    return "\n".join([*lines, *(_item(name, text or "") for name, text in items)])


# The folders of dbt models, in the order of the data flow.
_LAYERS = {
    "staging": "Staging",
    "staging/hubspot": "HubSpot",
    "cortex": "Cortex",
    "enriched": "Enriched views",
    "monitoring": "Monitoring views",
}

_TABLES_INTRODUCTION = """
All tables and views are in `SNOWFLAKE_DATABASE.SNOWFLAKE_SCHEMA`. The columns are described in the Dagster UI
and in dbt's documentation, which `make docs` builds as one page."""


def tables_reference() -> str:
    """Return docs/tables.md."""
    layers: dict[str, dict[str, str]] = {layer: {} for layer in _LAYERS}
    for path in sorted(MODELS.rglob("*.yml")):
        folder = path.parent.relative_to(MODELS).as_posix()
        layer = folder if folder in _LAYERS else folder.split("/")[0]
        for model in yaml.safe_load(path.read_text("utf-8")).get("models", []):
            layers[layer][model["name"].upper()] = model["description"]
    lines = [_header("Tables and views", "the descriptions of raw tables and dbt models"), "## Raw\n"]
    lines.insert(1, _TABLES_INTRODUCTION.lstrip("\n") + "\n")
    lines += [_item(f"`{table.name}`", table.description) for table in RAW_TABLES]
    for layer, title in _LAYERS.items():
        lines.append(f"\n## {title}\n")
        lines += [_item(f"`{name}`", text) for name, text in sorted(layers[layer].items())]
    return "\n".join(lines) + "\n"
