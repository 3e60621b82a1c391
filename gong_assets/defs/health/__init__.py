"""The health report, and the estimate of what a day costs.

`figures.py` computes every number once. `markdown.py` shows them in the metadata of the asset
`gong_pipeline_health` (`asset.py`), and `page.py` in the HTML file of `gong-assets report`. Only `asset.py`
imports Dagster.
"""
