{#-
    The session of a connection, and what the nodes of one dbt command share.

    dbt reuses the connection of a thread for all of its nodes, so what each node would send is sent once.
-#}

{#- A dict that lives as long as the dbt command. dbt has no place of its own for it. -#}
{% macro command_state(name) -%}
    {{ return(graph.setdefault('gong_assets.' ~ invocation_id ~ '.' ~ name, {})) }}
{%- endmacro %}

{#-
    Every node calls this macro first. With its first node, a session gets the tag of the run, so that
    Snowflake's query history and Cortex's usage history can be read by run. In the profile, where dbt has a
    setting for it, a new tag in each run would make dbt parse the whole project again.

    The session accepts dates and times in any format and shows them in UTC. An account can have another
    default format, with which Gong's times would be unreadable.
-#}
{% macro snowflake__set_query_tag() %}
    {%- set sessions = command_state('sessions') -%}
    {%- if thread_id not in sessions -%}
        {%- set tag = env_var('GONG_ASSETS_QUERY_TAG', 'gong_assets') | replace("'", "''") -%}
        {%- do run_query(
            "alter session set query_tag = '" ~ tag ~ "', date_input_format = 'AUTO', "
            ~ "timestamp_input_format = 'AUTO', timezone = 'UTC'"
        ) -%}
        {%- do sessions.update({thread_id: {'in_transaction': false}}) -%}
    {%- endif -%}
    {#-
        If a model failed in a transaction, the DDL of the next model would commit it, and leave a day deleted
        without its new rows.
    -#}
    {%- if sessions[thread_id].in_transaction -%}
        {%- do run_query('rollback') -%}
        {%- do sessions[thread_id].update({'in_transaction': false}) -%}
    {%- endif -%}
    {%- do return(none) -%}
{% endmacro %}

{#- Runs statements in one transaction. -#}
{% macro run_in_transaction(statements) %}
    {%- set session = command_state('sessions')[thread_id] -%}
    {%- do session.update({'in_transaction': true}) -%}
    {%- do run_query('begin') -%}
    {%- for sql in statements -%}
        {%- call statement('main') -%}{{ sql }}{%- endcall -%}
    {%- endfor -%}
    {%- do run_query('commit') -%}
    {%- do session.update({'in_transaction': false}) -%}
{% endmacro %}
