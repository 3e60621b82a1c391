"""Jobs of the graph. Their schedules are in `schedules.py`, and the runs that sensors start in `sensors.py`."""

from __future__ import annotations

from typing import Any

import dagster as dg

from gong_assets.defs.assets.missing_transcripts import build_missing_transcripts_job
from gong_assets.defs.options import DEFAULT_OPTIONS, GraphOptions, layers
from gong_assets.ingestion.stream_types import Cadence
from gong_assets.ingestion.streams import RAW_STREAMS

JOB_NAMES = (
    "gong_sync",
    "gong_calls",
    "gong_ingestion",
    "gong_transcripts",
    "gong_reference_data",
    "gong_reconciliation",
    "gong_staging",
    "gong_cortex",
    "hubspot_refresh",
    "gong_resume",
)


def build_jobs(options: GraphOptions = DEFAULT_OPTIONS) -> dict[str, Any]:
    """Return the jobs by name. They select the graph's own assets only."""

    def assets(*names: str) -> dg.AssetSelection:
        return dg.AssetSelection.assets(*map(options.asset_key, names))

    everything = layers("raw", "staging", "hubspot", "cortex", "enriched", "monitoring")
    reference_data = assets(
        *(stream.table.asset_name for stream in RAW_STREAMS if stream.cadence is Cadence.DAILY)
    )
    reconciliation = assets("gong_call_reconciliation")
    transcript_models = assets("stg_gong_call_transcripts").downstream()
    raw_calls = assets("gong_calls_raw", "gong_users_raw")
    jobs = [
        _asset_job(
            "gong_sync",
            everything - reconciliation,
            "Materializes the whole graph: raw, staged and Cortex tables, HubSpot, and the views.",
        ),
        _asset_job(
            "gong_calls",
            raw_calls | (layers("staging", "hubspot") - transcript_models),
            "Materializes calls without transcripts, with half of the requests to Gong.",
        ),
        _asset_job(
            "gong_ingestion",
            layers("raw") - reference_data - reconciliation,
            "Materializes the raw assets of calls, transcripts, users, reviews and statistics. The automation sensor then "
            "materializes the models that depend on them.",
        ),
        build_missing_transcripts_job(options),
        _asset_job(
            "gong_reference_data",
            reference_data,
            "Materializes reference data, such as workspaces, trackers and scorecards.",
        ),
        _asset_job(
            "gong_reconciliation",
            reconciliation,
            "Compares the landed calls with Gong's list of calls, and reads the days that differ again. It finds late calls, "
            "deletions and edits outside the lookback.",
        ),
        _asset_job("gong_staging", layers("staging"), "Materializes the staged tables from the raw tables."),
        _asset_job(
            "gong_cortex",
            layers("cortex", "enriched", "monitoring"),
            "Materializes sentiment, summaries and embeddings of new and changed texts, and the views.",
        ),
        _asset_job(
            "hubspot_refresh", layers("hubspot"), "Materializes HubSpot's deals, contacts and companies."
        ),
        _asset_job(
            "gong_resume",
            everything,
            "Resumes runs that Gong's daily quota stopped. Started by the sensor gong_continue_stopped_runs.",
        ),
    ]
    return {job.name: job for job in jobs}


def _asset_job(name: str, selection: dg.AssetSelection, description: str) -> Any:
    # Steps run one after another; a process for each step would import everything again, in about 10 s.
    return dg.define_asset_job(
        name, selection=selection, description=description, executor_def=dg.in_process_executor
    )
