"""The dbt project, and its vars for Python."""
