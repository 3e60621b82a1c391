"""`python -m tools.screenshots`: make the pictures of the Dagster UI in docs/images.

It runs the graph for the last days against the simulated tenant, in a directory that is removed afterwards,
and needs an installed Chromium.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from gong_assets.local import stack
from tools.browser import VIEWPORT, chromium, dagster_ui

if TYPE_CHECKING:
    from playwright.sync_api import Page

IMAGES = Path(__file__).parents[1] / "docs" / "images"
TIMEOUT = 120_000


def _launchpad(page: Page) -> None:
    page.goto("/locations/gong_assets/jobs/gong_sync/playground")
    page.get_by_text("confirm_deletions").first.wait_for()
    page.get_by_text("No errors").wait_for()


def _backfill(page: Page) -> None:
    page.goto("/assets/gong_calls_raw?view=partitions")
    page.get_by_role("button", name="Materialize").first.click()
    days = [datetime.now(UTC).date() - timedelta(days=age) for age in (8, 2)]
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("textbox").first.fill(f"[{days[0]}...{days[1]}]")
    page.keyboard.press("Enter")
    dialog.get_by_text("7 partitions").first.wait_for()


def _automation(page: Page) -> None:
    page.goto("/automation")
    page.get_by_text("gong_ingestion_schedule").wait_for()


def _checks(page: Page) -> None:
    page.goto("/assets/gong_call_transcripts_raw?view=checks&checkDetail=calls_have_transcripts")
    page.get_by_text("Evaluation result").wait_for()


def _lineage(page: Page) -> None:
    page.goto("/assets/vw_enriched_gong_calls?view=lineage&lineageScope=upstream")
    page.get_by_text("stg_gong_calls", exact=True).first.wait_for()


PICTURES: Mapping[str, Callable[[Page], None]] = {
    "launchpad": _launchpad,
    "backfill": _backfill,
    "automation": _automation,
    "checks": _checks,
    "lineage": _lineage,
}


def main() -> None:
    today = datetime.now(UTC).date()
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        variables = {
            "GONG_ASSETS_HOME": str(directory),
            "GONG_START_DATE": str(today - timedelta(days=30)),
            "DAGSTER_DISABLE_TELEMETRY": "yes",
            "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        }
        try:
            _run_graph(directory, variables)
            with dagster_ui(directory, {**variables, "GONG_ASSETS_SCHEDULES_ENABLED": "false"}) as url:
                take_pictures(url)
        finally:
            stack.down(directory)


def _run_graph(directory: Path, variables: Mapping[str, str]) -> None:
    command = [str(Path(sys.executable).with_name("gong-assets")), "sync"]
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(directory), "LANG": "C.UTF-8", **variables}
    subprocess.run(command, cwd=directory, env=environment, check=True)


def take_pictures(url: str) -> None:
    """Write each picture of the UI at this URL to docs/images."""
    with chromium() as browser:
        page = browser.new_page(base_url=url, viewport=VIEWPORT)  # type: ignore[arg-type]
        page.set_default_timeout(TIMEOUT)
        for name, show in PICTURES.items():
            show(page)
            page.wait_for_timeout(3000)  # The UI moves its pictures into place.
            page.screenshot(path=IMAGES / f"dagster_{name}.png")


if __name__ == "__main__":
    main()
