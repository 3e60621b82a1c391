"""Writes the screenshots of the documentation to docs/images/: the Dagster UI with the simulated tenant.

    python -m tools.screenshots

Runs the graph over three days in a home of its own, and needs an installed Chromium. Takes some minutes.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from gong_assets.local import stack
from tools.browser import VIEWPORT, chromium, dagster_ui

if TYPE_CHECKING:
    from playwright.sync_api import Page

IMAGES = Path(__file__).parents[1] / "docs" / "images"
LOCATION = "/locations/gong_assets"
TODAY = datetime.now(UTC).date()
FIRST = (TODAY - timedelta(days=3)).isoformat()

# By file name: the page, and a text that it shows when it is complete.
PAGES = {
    "ui_checks": ("/assets/stg_gong_calls?view=checks", "Passed"),
    "ui_launchpad": (f"{LOCATION}/jobs/gong_ingestion/playground", "confirm_deletions"),
    "ui_health": ("/assets/gong_pipeline_health?view=overview", "Metadata"),
}
HEALTH = ("asset", "materialize", "--select", "gong_pipeline_health", "-m", "gong_assets.definitions")


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        variables = {
            "GONG_ASSETS_HOME": directory,
            "GONG_START_DATE": (TODAY - timedelta(days=30)).isoformat(),
            "GONG_ASSETS_SCHEDULES_ENABLED": "false",
            "DAGSTER_DISABLE_TELEMETRY": "yes",
            "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        }
        try:
            with dagster_ui(Path(directory), variables) as url, chromium() as browser:
                fill(Path(directory), variables)
                page = browser.new_page(base_url=url, viewport=VIEWPORT)  # type: ignore[arg-type]
                page.set_default_timeout(60_000)
                for name in PAGES:
                    shoot(page, name)
        finally:
            stack.down(Path(directory))


def fill(home: Path, variables: dict[str, str]) -> None:
    """Run the graph over the last days, and write the report on the pipeline."""
    environment = {**variables, "HOME": str(home), "DAGSTER_HOME": str(home / "dagster")}
    for program, *arguments in (
        ("gong-assets", "sync", "--mode", "backfill", "--from-date", FIRST),
        ("dagster", *HEALTH),
    ):
        command = [str(Path(sys.executable).with_name(program)), *arguments]
        subprocess.run(command, cwd=home, env=environment, check=True)


def shoot(page: Page, name: str) -> None:
    path, shown = PAGES[name]
    page.goto(path)
    page.get_by_text(shown).first.wait_for()
    page.wait_for_timeout(3000)  # Pages move their parts while they load.
    page.screenshot(path=IMAGES / f"{name}.png")


if __name__ == "__main__":
    main()
