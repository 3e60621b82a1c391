"""What a failed dbt build is taken for: texts that Cortex refused, or anything else."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from dagster_dbt import DbtCliInvocation

from gong_assets.defs.dbt.assets import failed_nodes


def invocation(target: Path, results: dict[str, str] | None) -> DbtCliInvocation:
    """One that ended with these statuses by unique id; with None, before it came to anything."""
    if results is not None:
        written = [{"unique_id": node, "status": status} for node, status in results.items()]
        (target / "run_results.json").write_text(json.dumps({"results": written}))

    def artifact(name: str) -> Any:
        return json.loads((target / name).read_text())

    return cast(DbtCliInvocation, SimpleNamespace(target_path=target, get_artifact=artifact))


def test_what_failed_is_told_from_what_was_skipped_behind_it(tmp_path: Path) -> None:
    results = {
        "model.gong_assets.stg_gong_calls": "success",
        "model.gong_assets.cortex_gong_calls": "error",
        "model.gong_assets.vw_enriched_gong_calls": "skipped",
        "test.gong_assets.not_null_stg_gong_calls_call_id.0123456789": "fail",
        "test.gong_assets.relationships_stg_gong_calls.0123456789": "warn",
    }
    assert failed_nodes(invocation(tmp_path, results)) == {
        "cortex_gong_calls",
        "not_null_stg_gong_calls_call_id",
    }


def test_a_build_that_came_to_no_model_did_not_fail_for_cortex(tmp_path: Path) -> None:
    assert failed_nodes(invocation(tmp_path, None)) == {"dbt"}
