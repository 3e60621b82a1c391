"""Snowflake SQL that fakesnow does not translate correctly: rewrites, macros and rejected statements."""
