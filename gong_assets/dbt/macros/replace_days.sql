{#-
    Incremental strategy `replace_days`: replaces the days of the run in one transaction.

    Rows that a run no longer produces are deleted from its days, so that a call that was deleted in Gong
    disappears from every layer. On other days only rows of the run's own calls are deleted. Otherwise a call
    that moved to another day would leave rows behind, such as topics that it no longer has. The model needs
    CALL_ID and CALL_DATE.
-#}
{% macro get_incremental_replace_days_sql(arg_dict) %}
    {%- set target = arg_dict['target_relation'] -%}
    {%- set source = arg_dict['temp_relation'] -%}
    {#- By name, because source() fails in models that do not depend on it directly. -#}
    {%- set calls = target.incorporate(path={'identifier': 'gong_calls_raw'}) -%}
    {%- set columns = get_quoted_csv(arg_dict['dest_columns'] | map(attribute='name')) -%}
    {#- Two statements, because with OR Snowflake would not prune the partitions of other days. -#}
    {%- set statements %}
        delete from {{ target }}
        where {{ in_run_window('call_date') }};

        {% if run_has_window() %}
        delete from {{ target }}
        where
            call_id in (
                select call_id from {{ source }}
                union
                select call_id from {{ calls }} where {{ in_run_window('call_date') }}
            );
        {% endif %}

        insert into {{ target }} ({{ columns }})
        select {{ columns }} from {{ source }}
    {%- endset -%}
    {% do return(snowflake_dml_explicit_transaction(statements)) %}
{% endmacro %}
