"""A local server that emulates Snowflake's protocol and SQL, with its databases in files.

It extends fakesnow (Snowflake SQL on DuckDB) with session cleanup, write locks, VECTOR, stand-ins for Cortex
functions and their usage history, account statements, and Snowflake's error codes. It is meant for
development and tests: all users have one password, and no grant is enforced.

Run it with ``python -m gong_assets.local.snowflake --data DIR --port N`` and write the password to its
standard input. Its packages, from the top down: ``server``, ``storage``, ``cortex``, ``sql``.
"""
