"""Objects for agents that run inside Snowflake: a semantic view, a Cortex Agent and an MCP server.

`declaration.py` says what they have, `models.py` adds the columns and descriptions of dbt's manifest,
`semantic_view.py` and `agent.py` write the SQL, and `changes.py` runs it where it changed. Available on
Snowflake only.
"""
