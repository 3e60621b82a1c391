"""Writes the screenshots of the documentation to docs/images/: the Dagster UI with the simulated tenant.

    python -m tools.screenshots

Runs the graph over three days in a home of its own, and the sync of an Airbyte connection with a fake API in
another one. Needs an installed Chromium, and takes some minutes.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from gong_assets.dates import DateRange
from gong_assets.local import stack
from gong_assets.warehouse.connection import Warehouse, local_arguments
from gong_assets_tests.defs.sources.connector_apis import CONNECTION_NAME, STREAMS, Airbyte, serve
from gong_assets_tests.warehouse.sources.airbyte_tables import connector_records, write_typed
from gong_assets_tests.warehouse.sources.tenant import read_tenant
from tools.browser import VIEWPORT, chromium, dagster_ui

if TYPE_CHECKING:
    from playwright.sync_api import Page

IMAGES = Path(__file__).parents[1] / "docs" / "images"
LOCATION = "/locations/gong_assets"
TODAY = datetime.now(UTC).date()
DAYS = DateRange.inclusive(TODAY - timedelta(days=3), TODAY)
AIRBYTE_SCHEMA = "AIRBYTE"

Pages = Mapping[str, tuple[str, str]]
"""By file name: the page, and a text that it shows when it is complete."""
PAGES: Pages = {
    "ui_checks": ("/assets/stg_gong_calls?view=checks", "Passed"),
    "ui_launchpad": (f"{LOCATION}/jobs/gong_ingestion/playground", "confirm_deletions"),
    "ui_health": ("/assets/gong_pipeline_health?view=overview", "Metadata"),
}
DIALOGS = {"ui_health": ("Show Markdown", "Status of the last 7 days")}
"""By file name: the button of a dialog that is opened, and a text at its top."""
AIRBYTE_PAGES: Pages = {"ui_airbyte": (f"{LOCATION}/asset-groups/source/lineage", "Materialized")}

Command = tuple[str, ...]
MATERIALIZE = ("dagster", "asset", "materialize", "-m", "gong_assets.definitions", "--select")
SYNC = ("gong-assets", "sync", "--mode", "backfill", "--from-date", DAYS.start.isoformat())
HEALTH = (*MATERIALIZE, "gong_pipeline_health")
REFRESH = ("gong-assets", "source", "refresh")
CONNECTION = (*MATERIALIZE, " or ".join(f'key:"airbyte/{stream}"' for stream in STREAMS))


def main() -> None:
    shoot_graph()
    shoot_airbyte()


def shoot_graph() -> None:
    with tempfile.TemporaryDirectory() as directory:
        shoot_all(PAGES, Path(directory), {}, SYNC, HEALTH)


def shoot_airbyte() -> None:
    with tempfile.TemporaryDirectory() as directory:
        home = Path(directory)
        with serve(Airbyte(sync=lambda: load_as_airbyte(home))) as api:
            variables = airbyte_variables(api.url)
            run(REFRESH, home, variables)
            shoot_all(AIRBYTE_PAGES, home, variables, CONNECTION)


def shoot_all(pages: Pages, home: Path, variables: Mapping[str, str], *commands: Command) -> None:
    """Run the commands beside the Dagster UI, and take a picture of each page."""
    try:
        with dagster_ui(home, environment(home, variables)) as url, chromium() as browser:
            for command in commands:
                run(command, home, variables)
            page = browser.new_page(base_url=url, viewport=VIEWPORT)  # type: ignore[arg-type]
            page.set_default_timeout(60_000)
            for name, (path, shown) in pages.items():
                shoot(page, name, path, shown)
    finally:
        stack.down(home)


def environment(home: Path, variables: Mapping[str, str]) -> dict[str, str]:
    return {
        "GONG_ASSETS_HOME": str(home),
        "GONG_START_DATE": (TODAY - timedelta(days=30)).isoformat(),
        "GONG_ASSETS_SCHEDULES_ENABLED": "false",
        "DAGSTER_DISABLE_TELEMETRY": "yes",
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        **variables,
    }


def airbyte_variables(url: str) -> dict[str, str]:
    return {
        "GONG_ASSETS_TARGET": "local",
        "GONG_ASSETS_SOURCE": "simulated",
        "GONG_SOURCE": "airbyte",
        "GONG_SOURCE_SCHEMA": AIRBYTE_SCHEMA,
        "GONG_SOURCE_CONNECTION": CONNECTION_NAME,
        "AIRBYTE_URL": url,
        "AIRBYTE_WORKSPACE_ID": "w1",
        "AIRBYTE_CLIENT_ID": "id",
        "AIRBYTE_CLIENT_SECRET": "secret",
    }


def load_as_airbyte(home: Path) -> None:
    """Write the tenant's records as the tables of a sync."""
    records = connector_records(read_tenant(home, DAYS))
    for stream in STREAMS:
        warehouse = Warehouse(local_arguments(home))
        write_typed(warehouse, AIRBYTE_SCHEMA, stream, records[stream], datetime.now(UTC))


def run(command: Command, home: Path, variables: Mapping[str, str]) -> None:
    variables = {**environment(home, variables), "HOME": str(home), "DAGSTER_HOME": str(home / "dagster")}
    program, *arguments = command
    path = str(Path(sys.executable).with_name(program))
    subprocess.run([path, *arguments], cwd=home, env=variables, check=True)


def shoot(page: Page, name: str, path: str, shown: str) -> None:
    page.goto(path)
    page.get_by_text(shown).first.wait_for()
    if name in DIALOGS:
        button, top = DIALOGS[name]
        page.get_by_text(button).first.click()
        page.get_by_text(top).first.scroll_into_view_if_needed()
    page.wait_for_timeout(3000)  # Pages move their parts while they load.
    page.screenshot(path=IMAGES / f"{name}.png")


if __name__ == "__main__":
    main()
