"""The asset `gong_pipeline_health`, its standing checks' job, and the schedule of both."""
