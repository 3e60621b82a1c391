"""Jobs of the graph. `schedules.py` and `sensors.py` start them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dagster as dg

from gong_assets.defs.assets.agent_objects import JOB_NAME as AGENT_OBJECTS_JOB
from gong_assets.defs.assets.erasures import JOB as ERASURE_JOB
from gong_assets.defs.assets.missing_transcripts import build_missing_transcripts_job
from gong_assets.defs.assets.retention import JOB_NAME as EXPIRY_JOB
from gong_assets.defs.assets.source_audit import AUDIT_ASSET
from gong_assets.defs.health.asset import JOB as STANDING_CHECKS_JOB
from gong_assets.defs.options import DEFAULT_OPTIONS, GraphOptions, layers
from gong_assets.defs.webhook import JOB as ANNOUNCED_CALLS_JOB
from gong_assets.ingestion.stream_types import Cadence
from gong_assets.ingestion.streams import RAW_STREAMS
from gong_assets.settings import Settings

_DESCRIPTIONS: Mapping[str, str] = {
    "gong_sync": "Materializes the whole graph for the selected days: raw, staged and Cortex tables, "
    "HubSpot, and the views. Select days as partitions: the last days for an incremental sync, a range for "
    "a backfill, all for a full sync. A range is one run. `confirm_deletions` in the launchpad allows a "
    "mass deletion.",
    "gong_calls": "Materializes the selected days like `gong_sync`, but without transcripts and Cortex, "
    "with half of the requests to Gong.",
    "gong_ingestion": "Materializes the raw assets of calls, transcripts, users, reviews and statistics for "
    "the selected days. The models that depend on changed rows follow by themselves.",
    "gong_reference_data": "Materializes reference data, such as workspaces, trackers and scorecards.",
    "gong_reconciliation": "Compares the landed calls with Gong's list of calls, and reads the days that "
    "differ again. It finds late calls, deletions and edits outside the lookback, and requests transcripts "
    "that have not landed.",
    "gong_transformation": "Materializes the models whose sources changed, for the days whose rows changed. "
    "Started by the sensor gong_transformation_sensor.",
    "gong_staging": "Materializes the staged tables from the raw tables and from HubSpot.",
    "gong_cortex": "Materializes sentiment, summaries and embeddings of new and changed texts, and the "
    "views.",
    "hubspot_refresh": "Materializes HubSpot's deals, contacts and companies, and the tables that join calls "
    "to them.",
    "gong_resume": "Resumes runs that Gong's daily quota stopped. Started by the sensor "
    "gong_continue_stopped_runs.",
}

STORAGE_CLEANUP_JOB = "gong_storage_cleanup"
JOB_NAMES = (
    *_DESCRIPTIONS,
    "gong_transcripts",
    ANNOUNCED_CALLS_JOB,
    ERASURE_JOB,
    STANDING_CHECKS_JOB,
    STORAGE_CLEANUP_JOB,
)
# Jobs that exist only with the settings that they need.
OPTIONAL_JOB_NAMES = (EXPIRY_JOB, AGENT_OBJECTS_JOB)


def build_jobs(settings: Settings, options: GraphOptions = DEFAULT_OPTIONS) -> dict[str, Any]:
    """Return the jobs by name. They select the graph's own assets only."""
    selections = _selections(settings, options)
    jobs = {
        # Steps run one after another; a process for each step would import everything again, in about 10 s.
        name: dg.define_asset_job(
            name, selections[name], description=description, executor_def=dg.in_process_executor
        )
        for name, description in _DESCRIPTIONS.items()
    }
    return {**jobs, "gong_transcripts": build_missing_transcripts_job(settings, options)}


def _selections(settings: Settings, options: GraphOptions) -> Mapping[str, dg.AssetSelection]:
    def assets(*names: str) -> dg.AssetSelection:
        return dg.AssetSelection.assets(*map(options.asset_key, names))

    everything = layers("raw", "staging", "hubspot", "cortex", "enriched", "monitoring", "agents")
    reference_data = assets(
        *(stream.table.asset_name for stream in RAW_STREAMS if stream.cadence is Cadence.DAILY)
    )
    reconciliation = assets(AUDIT_ASSET if settings.is_adopted else "gong_call_reconciliation")
    transcript_models = assets("stg_gong_call_transcripts").downstream()
    call_models = layers("staging", "hubspot") - transcript_models
    return {
        "gong_sync": everything - reconciliation,
        "gong_calls": assets("gong_calls_raw", "gong_users_raw") | call_models,
        "gong_ingestion": layers("raw") - reference_data - reconciliation,
        "gong_reference_data": reference_data,
        "gong_reconciliation": reconciliation,
        "gong_transformation": everything - layers("raw"),
        "gong_staging": layers("staging", "hubspot"),
        "gong_cortex": layers("cortex", "enriched", "monitoring"),
        "hubspot_refresh": layers("hubspot") | (layers("hubspot").downstream() & layers("staging")),
        "gong_resume": everything,
    }
