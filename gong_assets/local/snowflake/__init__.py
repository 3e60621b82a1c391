"""A server on this machine that speaks Snowflake's protocol and SQL, with its databases in files.

fakesnow (Snowflake SQL on DuckDB) does most of the work; here is what it lacks: sessions that end, one writer at
a time, VECTOR, the Cortex stand-ins and their usage history, account DDL, and Snowflake's error codes. It is a
simulation for development and tests: it checks no password and enforces no grant.

Run it with ``python -m gong_assets.local.snowflake --data DIR --port N``.
"""
