{#
    Tags the statements of each model with the run, so that Snowflake's query history and Cortex's usage
    history can be read by run. The tag comes from the environment when a model is built. In the profile,
    where dbt has a setting for it, a new tag in each run would make dbt parse the whole project again.

    The session accepts dates and times in any format and shows them in UTC. An account can have another
    default format, with which Gong's times would be unreadable.
#}
{% macro snowflake__set_query_tag() %}
    {% set tag = env_var('GONG_ASSETS_QUERY_TAG', 'gong_assets') | replace("'", "''") %}
    {% do run_query(
        "alter session set query_tag = '" ~ tag ~ "', date_input_format = 'AUTO', "
        ~ "timestamp_input_format = 'AUTO', timezone = 'UTC'"
    ) %}
    {% do return(none) %}
{% endmacro %}
