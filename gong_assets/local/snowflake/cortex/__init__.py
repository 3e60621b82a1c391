"""Cortex functions in SQL: their signatures, their DuckDB functions, and the usage history.

The answers come from ``gong_assets.local.cortex``.
"""
