"""The Snowflake account of a deployment: what it needs, the SQL that makes it, and how it differs from that.

`declaration.py` states once which roles, users, warehouses, grants and policies there are. `statements.py`
writes it as SQL, and `drift.py` compares it with an account.
"""
