"""The Snowflake account of a deployment: its declaration, the SQL that creates it, and their comparison.

`declaration.py` states once which roles, users, warehouses, grants and policies there are. `statements.py`
writes it as SQL, and `drift.py` compares it with an account.
"""
