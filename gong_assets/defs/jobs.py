"""The ways of running the graph, as jobs. When they run by themselves is in `schedules.py` and `sensors.py`."""

from __future__ import annotations

from typing import Any

import dagster as dg

from gong_assets.defs.assets.missing_transcripts import gong_transcripts
from gong_assets.ingestion.streams import SNAPSHOT_STREAMS

_reference_data = dg.AssetSelection.assets(
    *(stream.table.asset_name for stream in SNAPSHOT_STREAMS if not stream.is_read_with_calls)
)
_reconciliation = dg.AssetSelection.assets("gong_call_reconciliation")
_raw_calls = dg.AssetSelection.assets("gong_calls_raw", "gong_users_raw")
_transcript_models = dg.AssetSelection.assets("stg_gong_call_transcripts").downstream()

gong_sync = dg.define_asset_job(
    "gong_sync",
    selection=dg.AssetSelection.all() - _reconciliation,
    description="The whole graph for the days of the run: Gong, staged tables, Cortex, HubSpot and views.",
)
gong_calls = dg.define_asset_job(
    "gong_calls",
    selection=_raw_calls | (dg.AssetSelection.groups("staging", "hubspot") - _transcript_models),
    description="Calls without transcripts: what is known of the calls themselves, at half of the requests to Gong.",
)
gong_ingestion = dg.define_asset_job(
    "gong_ingestion",
    selection=dg.AssetSelection.groups("raw") - _reference_data - _reconciliation,
    description="Raw calls, transcripts, users, reviews and statistics. The automation sensor stages and enriches what "
    "changed.",
)
gong_reference_data = dg.define_asset_job(
    "gong_reference_data",
    selection=_reference_data,
    description="Workspaces, scorecards, trackers and the library, as they are now.",
)
gong_reconciliation = dg.define_asset_job(
    "gong_reconciliation",
    selection=_reconciliation,
    description="Compares the landed calls of a long span with Gong's list, and reads the days that differ again: late "
    "calls, deletions and edits that no lookback reaches.",
)
gong_staging = dg.define_asset_job(
    "gong_staging",
    selection=dg.AssetSelection.groups("staging"),
    description="Staged tables from what is landed, without a request to Gong.",
)
gong_cortex = dg.define_asset_job(
    "gong_cortex",
    selection=dg.AssetSelection.groups("cortex", "enriched", "monitoring"),
    description="Sentiment, summaries and embeddings for what is new or changed, and the views.",
)
hubspot_refresh = dg.define_asset_job(
    "hubspot_refresh",
    selection=dg.AssetSelection.groups("hubspot"),
    description="HubSpot's deals, contacts and companies from the share.",
)

JOBS: list[Any] = [
    gong_sync,
    gong_calls,
    gong_ingestion,
    gong_transcripts,
    gong_reference_data,
    gong_reconciliation,
    gong_staging,
    gong_cortex,
    hubspot_refresh,
]
