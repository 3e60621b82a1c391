"""Local stand-ins for Snowflake's Cortex functions.

They are plain, deterministic functions on text, without SQL, a server or network access. They are *not*
Cortex: a small sentence-embedding model, a sentiment lexicon and an extractive summary return results in
Cortex's formats, so that the project can run without an account. ``gong_assets.local.snowflake`` makes them
available in SQL.
"""
