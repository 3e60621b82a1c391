"""One tenant through every source: the same staged, Cortex and enriched rows, but for listed exceptions."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from gong_assets_tests.defs.sources.days import weekdays
from gong_assets_tests.defs.sources.exceptions import ABSENT, DIFFERENT, RUN_COLUMNS
from gong_assets_tests.defs.sources.graph import Deployment, metadata
from gong_assets_tests.warehouse.sources import airbyte_tables, data_cloud_tables, fivetran_tables
from gong_assets_tests.warehouse.sources.tenant import read_tenant

pytestmark = [pytest.mark.extended, pytest.mark.slow, pytest.mark.xdist_group("sources agree")]

DAYS = weekdays(2)
COMPARED = ("STG_GONG_", "CORTEX_GONG_", "VW_ENRICHED_")
SOURCES = ("airbyte", "fivetran", "data_cloud")

Rows = Mapping[str, Mapping[str, Any]]


@dataclass
class SameTenant:
    """The tenant through Gong's API, and the schemas of the other sources."""

    home: Path
    api: Deployment
    schemas: Mapping[str, str]

    def adopted(self, source: str) -> Deployment:
        settings = {"gong_source": source, "gong_source_schema": self.schemas[source]}
        return Deployment(self.home, DAYS.start, settings, schema="ADOPTED")


@pytest.fixture(scope="module")
def same(stack_home: Path) -> SameTenant:
    api = Deployment(stack_home, DAYS.start)
    assert api.run("gong_sync", DAYS).success
    tenant, now = read_tenant(stack_home, DAYS), datetime.now(UTC)
    schemas = {source: f"{source.upper()}_{uuid.uuid4().hex[:6].upper()}" for source in SOURCES}
    airbyte_tables.write_tenant(api.warehouse, schemas["airbyte"], tenant, now)
    fivetran = fivetran_tables.fivetran_rows(tenant)
    fivetran_tables.write_tenant(api.warehouse, schemas["fivetran"], fivetran, now)
    share = data_cloud_tables.data_cloud_rows(tenant)
    data_cloud_tables.write_tenant(api.warehouse, schemas["data_cloud"], share, now)
    return SameTenant(stack_home, api, schemas)


def compared_tables(deployment: Deployment) -> dict[str, Rows]:
    """Return the rows of the compared tables and views by their key, which is the first column."""
    names = deployment.rows(
        "SELECT TABLE_NAME FROM INFORMATION_SCHEMA.TABLES WHERE TABLE_SCHEMA = CURRENT_SCHEMA() "
        "UNION SELECT TABLE_NAME FROM INFORMATION_SCHEMA.VIEWS WHERE TABLE_SCHEMA = CURRENT_SCHEMA()"
    )
    return {
        name: {str(next(iter(row.values()))): row for row in deployment.rows(f"SELECT * FROM {name}")}
        for name in sorted(str(row["TABLE_NAME"]) for row in names)
        if name.startswith(COMPARED)
    }


def differences(expected: Rows, found: Rows) -> Counter[str]:
    """Return the number of rows that differ in each column; `missing` and `added` rows too."""
    counts = Counter(
        {"missing": len(expected.keys() - found.keys()), "added": len(found.keys() - expected.keys())}
    )
    for key in expected.keys() & found.keys():
        counts.update(
            column
            for column, value in expected[key].items()
            if column not in RUN_COLUMNS and found[key][column] != value
        )
    return +counts


@pytest.mark.parametrize("source", SOURCES)
def test_the_rows_are_those_of_the_api_but_for_listed_columns(same: SameTenant, source: str) -> None:
    deployment = same.adopted(source)
    assert deployment.run("gong_sync", DAYS).success
    expected, found = compared_tables(same.api), compared_tables(deployment)
    assert found.keys() == expected.keys()
    unexpected = {}
    for name, rows in expected.items():
        if name in ABSENT[source]:
            continue
        allowed = DIFFERENT[source].get(name, frozenset())
        if left := {
            column: count for column, count in differences(rows, found[name]).items() if column not in allowed
        }:
            unexpected[name] = left
    assert unexpected == {}
    assert len(found["STG_GONG_CALLS"]) > 5, "the days have too few calls"
    assert len(found["CORTEX_GONG_CALL_TRANSCRIPTS"]) > 50, "the days have too few segments"


def test_changing_from_airbyte_to_the_api_costs_no_cortex_call(same: SameTenant) -> None:
    deployment = same.adopted("airbyte")
    assert deployment.run("gong_sync", DAYS).success
    before = deployment.cortex_calls()
    assert before > 100
    with deployment.warehouse.connect() as connection, connection.cursor() as cursor:
        # On Snowflake the hash of an adopted record is not that of the API's bytes.
        for table in ("GONG_CALLS_RAW", "GONG_CALL_TRANSCRIPTS_RAW"):
            cursor.execute(f"UPDATE {table} SET CONTENT_HASH = SHA2(CONTENT_HASH, 256)")
    result = deployment.run("gong_sync", DAYS, gong_source="api")
    assert result.success
    assert deployment.cortex_calls() == before
    for asset in ("gong_calls_raw", "gong_call_transcripts_raw"):
        landed = metadata(result, asset)
        assert (landed["run/rows_inserted"], landed["run/rows_deleted"]) == (0, 0), asset
    sources = deployment.rows("SELECT DISTINCT SOURCE FROM GONG_CALLS_RAW")
    assert [row["SOURCE"] for row in sources] == ["api"]
