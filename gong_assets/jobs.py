"""The ways of running the graph, as jobs. When they run by themselves is in `schedules.py` and `sensors.py`."""

from __future__ import annotations

import dagster as dg

_raw_calls = dg.AssetSelection.assets("gong_calls_raw", "gong_users_raw")
_transcript_models = dg.AssetSelection.assets("stg_gong_call_transcripts").downstream()

gong_sync = dg.define_asset_job(
    "gong_sync",
    selection=dg.AssetSelection.all(),
    description="The whole graph for the days of the run: Gong, staged tables, Cortex, HubSpot and views.",
)
gong_calls = dg.define_asset_job(
    "gong_calls",
    selection=_raw_calls | (dg.AssetSelection.groups("staging", "hubspot") - _transcript_models),
    description="Calls without transcripts: what is known of the calls themselves, at half of the requests to Gong.",
)
gong_ingestion = dg.define_asset_job(
    "gong_ingestion",
    selection=dg.AssetSelection.groups("raw"),
    description="Raw calls, transcripts and users only. The automation sensor stages and enriches what changed.",
)
gong_transcripts = dg.define_asset_job(
    "gong_transcripts",
    selection=dg.AssetSelection.assets("gong_call_transcripts_raw"),
    description="Transcripts of calls that are already landed, for the sensor that asks again for missing ones.",
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

JOBS = [gong_sync, gong_calls, gong_ingestion, gong_transcripts, gong_staging, gong_cortex, hubspot_refresh]
