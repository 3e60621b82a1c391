"""Check that recent records have the fields that are known.

It warns and stops nothing. Each stream states its known fields in `ingestion/streams.py`; the comparison is
in `ingestion/drift.py`.
"""

from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import dagster as dg

from gong_assets.defs.checks.results import unless_missing
from gong_assets.defs.options import DEFAULT_OPTIONS, GraphOptions
from gong_assets.defs.resources import SnowflakeResource
from gong_assets.ingestion.drift import CHANGED, NEW, VANISHED, Drift, Sample, drifts
from gong_assets.ingestion.stream_types import RawStream
from gong_assets.ingestion.streams import RAW_STREAMS
from gong_assets.warehouse.tables import RawTable

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection

# A partitioned table is sampled by day: a large company's newest calls are all of the last hour, and lack
# what Gong has not computed yet. A transcript has about 100 KB, so a sample has at most 60 MB.
SAMPLED_DAYS = 30
RECORDS_PER_DAY = 20
SAMPLED_RECORDS = SAMPLED_DAYS * RECORDS_PER_DAY

MAX_SHOWN_FIELDS = 50


def recent_records(connection: "SnowflakeConnection", table: RawTable) -> Iterator[Sample]:
    """Yield the records that landed last: some of each recent day, or some of an unpartitioned table."""
    key, payload = table.key.name, f"TO_JSON({table.payload.name})"
    with connection.cursor() as cursor:
        if table.partition is None:
            cursor.execute(
                f"SELECT '', {key}, {payload} FROM {table.name} "
                f"ORDER BY INGESTED_AT DESC, {key} LIMIT {SAMPLED_RECORDS}"
            )
        else:
            day = table.partition.name
            # Snowflake prunes by a bound that is known before the statement runs.
            cursor.execute(f"SELECT MAX({day}) FROM {table.name}")
            ((newest,),) = cursor.fetchall()
            if newest is None:
                return
            cursor.execute(
                f"SELECT TO_CHAR({day}, 'YYYY-MM-DD'), {key}, {payload} FROM {table.name} WHERE {day} > %s "
                f"QUALIFY ROW_NUMBER() OVER (PARTITION BY {day} ORDER BY INGESTED_AT DESC, {key}) "
                f"<= {RECORDS_PER_DAY}",
                (newest - timedelta(days=SAMPLED_DAYS),),
            )
        for day, record_id, raw in cursor:
            yield day, record_id, raw


def schema_check_key(table: RawTable, options: GraphOptions = DEFAULT_OPTIONS) -> dg.AssetCheckKey:
    return dg.AssetCheckKey(options.asset_key(table.asset_name), "schema_is_known")


def build_schema_checks(options: GraphOptions = DEFAULT_OPTIONS) -> list[dg.AssetChecksDefinition]:
    streams = {schema_check_key(stream.table, options): stream for stream in RAW_STREAMS}
    specs = [
        dg.AssetCheckSpec(
            key.name,
            asset=key.asset_key,
            description="Recent records have only known fields, with their known types. A new field is kept "
            "in the raw table, but no model reads it. A vanished field leaves its columns empty.",
        )
        for key in streams
    ]

    @dg.multi_asset_check(name=options.op_name("gong_raw_schema_checks"), specs=specs, can_subset=True)
    def raw_schema_checks(
        context: dg.AssetCheckExecutionContext, gong_snowflake: SnowflakeResource
    ) -> Iterator[dg.AssetCheckResult]:
        with gong_snowflake.get_connection() as connection:
            for key in sorted(context.selected_asset_check_keys, key=str):
                yield unless_missing(key, partial(_evaluate, connection, key, streams[key]))

    return [raw_schema_checks]


def _evaluate(
    connection: "SnowflakeConnection", key: dg.AssetCheckKey, stream: RawStream
) -> dg.AssetCheckResult:
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
