"""Check that recent records have the fields that are known.

It warns and stops nothing. `raw_tables.py` adds it to each raw table. Each stream states its known fields in
`ingestion/streams.py`; the comparison is in `ingestion/drift.py`.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

import dagster as dg

from gong_assets.ingestion.drift import CHANGED, NEW, VANISHED, Drift, Sample, drifts
from gong_assets.ingestion.stream_types import RawStream
from gong_assets.warehouse.queries import newest_day, newest_records, newest_records_by_day
from gong_assets.warehouse.tables import RawTable

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection

# A partitioned table is sampled by day: a large company's newest calls are all of the last hour, and lack
# what Gong has not computed yet. A transcript has about 100 KB, so a sample has at most 60 MB.
SAMPLED_DAYS = 30
RECORDS_PER_DAY = 20
SAMPLED_RECORDS = SAMPLED_DAYS * RECORDS_PER_DAY

MAX_SHOWN_FIELDS = 50

SCHEMA_CHECK = "schema_is_known"
SCHEMA_CHECK_DESCRIPTION = (
    "Recent records have only known fields, with their known types. A new field is kept in the raw table, "
    "but no model reads it. A vanished field leaves its columns empty."
)


def recent_records(connection: "SnowflakeConnection", table: RawTable) -> Iterator[Sample]:
    """Yield the records that landed last: some of each recent day, or some of an unpartitioned table."""
    with connection.cursor() as cursor:
        if table.partition is None:
            cursor.execute(newest_records(table, SAMPLED_RECORDS))
        else:
            # Snowflake prunes by a bound that is known before the statement runs.
            cursor.execute(newest_day(table, table.partition))
            ((newest,),) = cursor.fetchall()
            if newest is None:
                return
            first = newest - timedelta(days=SAMPLED_DAYS)
            cursor.execute(newest_records_by_day(table, table.partition, RECORDS_PER_DAY), (first,))
        yield from cursor


def schema_result(
    connection: "SnowflakeConnection", key: dg.AssetCheckKey, stream: RawStream
) -> dg.AssetCheckResult:
    """Return the result of the check for the recent records of the stream's table."""
    return _result(key, drifts(recent_records(connection, stream.table), stream.fields))


_COLUMNS = (
    ("field", "string"),
    ("what", "string"),
    ("json_type", "string"),
    ("records", "int"),
    ("record_id", "string"),
    ("size", "string"),
)


def _result(key: dg.AssetCheckKey, found: list[Drift]) -> dg.AssetCheckResult:
    rows = [
        dg.TableRecord(
            {
                "field": each.path or "$",
                "what": each.what,
                "json_type": each.found,
                "records": each.records,
                "record_id": each.record_id,
                "size": each.size,
            }
        )
        for each in found[:MAX_SHOWN_FIELDS]
    ]
    schema = dg.TableSchema([dg.TableColumn(name, kind) for name, kind in _COLUMNS])
    counts = {what: sum(each.what == what for each in found) for what in (NEW, CHANGED, VANISHED)}
    return dg.AssetCheckResult(
        asset_key=key.asset_key,
        check_name=key.name,
        passed=not found,
        severity=dg.AssetCheckSeverity.WARN,
        description=", ".join(f"{number} {what}" for what, number in counts.items() if number) or None,
        metadata={
            "count": len(found),
            **({"fields": dg.MetadataValue.table(rows, schema)} if found else {}),
        },
    )
