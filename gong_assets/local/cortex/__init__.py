"""Stand-ins for Snowflake's Cortex functions, for a warehouse that runs on one machine.

Plain functions on text: no SQL, no server, no network. They are deterministic, and they are *not* Cortex: a
small sentence-embedding model, a sentiment lexicon and an extractive summary answer in the shapes that Cortex
answers in, so that the graph can be built and tested. How SQL reaches them is ``gong_assets.local.snowflake``.
"""
