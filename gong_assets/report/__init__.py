"""The health report of the pipeline: figures (`figures.py`), pictures, and the pages that show them.

`figures.py` computes every number once. `markdown.py` shows them in the Dagster UI, and `page.py` in one HTML
file.
"""
