"""What is sent to Snowflake Cortex, at which price, and how its answers are kept.

`functions.py` and `texts.py` build SQL and know no connection. `planning.py` decides what a run sends within
its budget, and `sending.py` sends it. Which texts exist is decided by the staged dbt models, and the dbt
models in `dbt/models/cortex` show what is answered.
"""
