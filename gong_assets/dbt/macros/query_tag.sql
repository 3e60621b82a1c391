{#
    Marks each model's statements with the run that made them, so that Snowflake's query history and Cortex's usage history
    can be read by run. The tag comes from the environment when a model is built: in the profile, where dbt has a setting
    for it, another tag in every run would make dbt parse the whole project again.

    The session also reads dates and times in whatever format they have, and shows them in UTC: an account may have set
    another format, in which none of Gong's times could be read.
#}
{% macro snowflake__set_query_tag() %}
    {% set tag = env_var('GONG_ASSETS_QUERY_TAG', 'gong_assets') | replace("'", "''") %}
    {% do run_query(
        "alter session set query_tag = '" ~ tag ~ "', date_input_format = 'AUTO', timestamp_input_format = 'AUTO', "
        ~ "timezone = 'UTC'"
    ) %}
    {% do return(none) %}
{% endmacro %}
