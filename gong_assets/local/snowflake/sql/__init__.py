"""Differences between Snowflake SQL and what fakesnow translates: rewrites, macros, and rejected statements."""
