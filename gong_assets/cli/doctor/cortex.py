"""Check of each Cortex function that the models call, with the configured model."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from gong_assets.cli.doctor.results import CheckResult
from gong_assets.cli.doctor.session import Session
from gong_assets.defs.dbt.project import DbtParseError, compile_sql
from gong_assets.settings import Settings
from gong_assets.warehouse.connection import fetch

_ADVICE = (
    "Grant USE AI FUNCTIONS on the account, and the database role SNOWFLAKE.CORTEX_USER, to the role. If the "
    "function or model is not available in the region, see CORTEX_ENABLED_CROSS_REGION."
)


def check_cortex(session: Session, settings: Settings) -> Iterator[CheckResult]:
    """Send a few words to each function. This is billed; the results state the estimated cost."""
    try:
        probes: list[dict[str, Any]] = json.loads(compile_sql(settings, "{{ cortex_probes() }}"))
    except DbtParseError as error:
        yield CheckResult("fail", "cortex", str(error))
        return
    for probe in probes:
        name = f"{probe['function']} ({probe['model']})" if probe["model"] else str(probe["function"])
        if failed := session.error(probe["query"], probe["count_tokens"]):
            yield CheckResult("fail", "cortex", f"{name}: {str(failed).rstrip('.')}. {_ADVICE}")
            continue
        (row,) = fetch(session.connection, probe["count_tokens"])
        tokens = int(next(iter(row.values())))
        dollars = tokens * float(probe["dollars_per_million_tokens"]) / 1_000_000
        yield CheckResult(
            "ok", "cortex", f"{name} answers; {tokens} tokens of input were sent, about ${dollars:.7f}"
        )
