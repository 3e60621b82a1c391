"""The asset with the health report, and the job and schedule that evaluate it with the standing checks."""

from typing import Any

import dagster as dg

from gong_assets.defs.checks.results import HEALTH_ASSET
from gong_assets.defs.failures import fail_step
from gong_assets.defs.freshness import freshness
from gong_assets.defs.health.figures import PipelineFigures, pipeline_figures
from gong_assets.defs.health.markdown import markdown_report
from gong_assets.defs.health.sections import overall_status
from gong_assets.defs.options import DATA_ENGINEERING, DEFAULT_OPTIONS, GraphOptions
from gong_assets.defs.resources import GongResource, SnowflakeResource
from gong_assets.defs.schedules import STANDING_CHECKS_CRON
from gong_assets.error_advice import EXPECTED_ERRORS
from gong_assets.settings import Settings

JOB = "gong_standing_checks"

_SOURCES = ("vw_pipeline_health", "vw_gong_ingestion_status", "cortex_gong_calls", "stg_gong_calls")


def build_health_asset(settings: Settings, options: GraphOptions = DEFAULT_OPTIONS) -> dg.AssetsDefinition:
    @dg.asset(
        key=options.asset_key(HEALTH_ASSET),
        kinds={"python", "snowflake"},
        backfill_policy=dg.BackfillPolicy.single_run(),
        deps=[options.asset_key(name) for name in _SOURCES],
        freshness_policy=freshness(options.schedules.standing_checks, STANDING_CHECKS_CRON),
        description="Report on the pipeline: calls a day, transcript coverage, latency, sentiment and cost, "
        "with charts. Its checks look at all days. `gong-assets report` writes the same as an HTML file.",
        **options.asset_attributes("health", owner=DATA_ENGINEERING),
    )
    def gong_pipeline_health(gong: GongResource, gong_snowflake: SnowflakeResource) -> dg.MaterializeResult:  # type: ignore[type-arg]
        try:
            figures = pipeline_figures(
                gong_snowflake.warehouse(),
                requests_left=gong.client().stats.requests_left_today,
                requests_per_day=settings.gong_max_requests_per_day,
            )
        except EXPECTED_ERRORS as error:
            fail_step(error)
        return dg.MaterializeResult(metadata=report_metadata(figures))

    return gong_pipeline_health  # type: ignore[no-any-return]


def report_metadata(figures: PipelineFigures) -> dict[str, dg.MetadataValue]:
    """Return the report, and its numbers by themselves: Dagster plots them over the runs."""
    week = figures.last_week
    numbers: dict[str, float | None] = {
        "calls_per_day": figures.calls_per_day,
        "median_latency_minutes": week.median_minutes if week else None,
        "p95_latency_minutes": week.p95_minutes if week else None,
        "error_rate": week.error_rate if week else None,
        "minutes_since_last_read": _minutes_since_read(figures),
        "transcript_coverage": figures.transcript_coverage,
        "cortex_dollars": figures.dollars,
        "gong_requests_left": figures.requests_left,
    }
    return {
        "report": dg.MetadataValue.md(markdown_report(figures)),
        "status": dg.MetadataValue.text(overall_status(figures)),
        **{
            name: dg.MetadataValue.float(round(float(value), 4))
            for name, value in numbers.items()
            if value is not None
        },
    }


def _minutes_since_read(figures: PipelineFigures) -> float | None:
    read = figures.last_read_at
    return (figures.computed_at - read).total_seconds() / 60 if read else None


def build_health_job(options: GraphOptions = DEFAULT_OPTIONS) -> Any:
    return dg.define_asset_job(
        JOB,
        dg.AssetSelection.assets(options.asset_key(HEALTH_ASSET)),
        description="Evaluates the standing checks over all days, and writes the health report.",
        executor_def=dg.in_process_executor,
    )


def build_health_schedule(options: GraphOptions = DEFAULT_OPTIONS) -> dg.ScheduleDefinition:
    timing = options.schedules.standing_checks
    return dg.ScheduleDefinition(
        name="gong_standing_checks_schedule",
        job_name=JOB,
        cron_schedule=timing.cron or STANDING_CHECKS_CRON,
        execution_timezone=timing.timezone,
        default_status=timing.default_status,
        description="Evaluates the standing checks, and writes the health report.",
    )
