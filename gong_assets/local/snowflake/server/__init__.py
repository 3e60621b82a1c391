"""The HTTP server: Snowflake's API, the open sessions, and how a session runs a statement."""
