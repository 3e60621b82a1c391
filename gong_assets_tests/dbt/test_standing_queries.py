"""The standing checks find nothing in tables that one build of the dbt project has filled."""

from __future__ import annotations

import pytest

from gong_assets.ingestion.streams import RAW_TABLES
from gong_assets.warehouse.standing_queries import MODEL_KEYS, duplicates, orphans, relations
from gong_assets_tests.dbt.project import DbtProject
from gong_assets_tests.dbt.warehouse import Tables, Warehouse

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("dbt")]


def test_built_tables_have_neither_orphans_nor_duplicates(
    built: Tables, warehouse: Warehouse, project: DbtProject
) -> None:
    assert built
    models = [node for node in project.manifest()["nodes"].values() if node["resource_type"] == "model"]
    by_day = {node["alias"].upper() for node in models if "partitioned" in node["tags"]}
    assert by_day == {name for name in MODEL_KEYS if not name.startswith("VW_")} & {
        node["alias"].upper() for node in models
    }
    existing = [table.name for table in RAW_TABLES]
    assert warehouse.query(orphans(relations(redacted=False), existing)) == []
    built_keys = {name: key for name, key in MODEL_KEYS.items() if name.lower() in built}
    raw_keys = {table.name: table.key.name for table in RAW_TABLES}
    days = dict.fromkeys(built_keys, "CALL_DATE")
    assert warehouse.query(duplicates({**raw_keys, **built_keys}, days)) == []
