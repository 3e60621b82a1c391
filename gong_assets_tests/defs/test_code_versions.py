"""Code versions: what makes a dbt model be built again."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from gong_assets.defs.dbt.code_versions import CodeVersions

MODEL = "model.gong_assets.vw_risks"
MANIFEST: dict[str, Any] = {
    "nodes": {
        MODEL: {
            "raw_code": "select {{ trackers() }} from {{ source('gong', 'calls') }}",
            "config": {"materialized": "view", "tags": []},
            "columns": {"a": {"name": "a", "data_type": "int", "constraints": [], "description": "A."}},
            "relation_name": "db.s.vw_risks",
            "depends_on": {
                "macros": ["macro.gong_assets.trackers"],
                "nodes": ["source.gong_assets.gong.calls"],
            },
        }
    },
    "sources": {"source.gong_assets.gong.calls": {"relation_name": "db.s.calls"}},
    "macros": {
        "macro.gong_assets.trackers": {
            "macro_sql": "{{ quoted(var('risk_trackers')) }}",
            "depends_on": {"macros": ["macro.gong_assets.quoted", "macro.dbt.ref"]},
        },
        "macro.gong_assets.quoted": {"macro_sql": "'{{ text }}'", "depends_on": {"macros": []}},
        "macro.dbt.ref": {"macro_sql": "of dbt", "depends_on": {"macros": []}},
    },
}
VARS = {"risk_trackers": ["churn"], "stalled_deal_days": 21}


def version(manifest: dict[str, Any], variables: dict[str, Any]) -> str:
    return CodeVersions(manifest, variables, {}).of_model(manifest["nodes"][MODEL])


def changed(*path: str, value: Any) -> dict[str, Any]:
    """Return the manifest with another value at this path."""
    manifest = deepcopy(MANIFEST)
    parent = manifest
    for name in path[:-1]:
        parent = parent[name]
    parent[path[-1]] = value
    return manifest


@pytest.mark.parametrize(
    "manifest",
    [
        changed("nodes", MODEL, "raw_code", value="select 2"),
        changed("nodes", MODEL, "config", "materialized", value="table"),
        changed("nodes", MODEL, "columns", "a", "data_type", value="varchar"),
        changed("nodes", MODEL, "columns", "a", "description", value="Another A."),
        changed("macros", "macro.gong_assets.quoted", "macro_sql", value="{{ text }}"),
        changed("sources", "source.gong_assets.gong.calls", "relation_name", value="db.other.calls"),
    ],
    ids=["SQL", "config", "type", "comment of a view", "macro of a macro", "source"],
)
def test_a_change_of_what_the_model_is_made_of_changes_its_version(manifest: dict[str, Any]) -> None:
    assert version(manifest, VARS) != version(MANIFEST, VARS)


def test_only_a_var_that_the_model_uses_changes_its_version() -> None:
    assert version(MANIFEST, {**VARS, "risk_trackers": ["price"]}) != version(MANIFEST, VARS)
    assert version(MANIFEST, {**VARS, "stalled_deal_days": 7}) == version(MANIFEST, VARS)


def test_the_macros_of_dbt_do_not_count() -> None:
    upgraded = changed("macros", "macro.dbt.ref", "macro_sql", value="of another version")
    assert version(upgraded, VARS) == version(MANIFEST, VARS)
