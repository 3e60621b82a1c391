{#-
    Incremental strategy `replace_days`: the run's days are replaced whole, in one transaction.

    What a run did not produce again is gone from its days, so that a call deleted in Gong disappears from every layer.
    On other days only the rows of the run's own calls go, so that a call that moved to another day is not there twice,
    nor half of it: what it does not have any more (say, its topics) would otherwise stay behind under the old day.
    The model must have CALL_ID and CALL_DATE.
-#}
{% macro get_incremental_replace_days_sql(arg_dict) %}
    {%- set target = arg_dict['target_relation'] -%}
    {%- set source = arg_dict['temp_relation'] -%}
    {#- By name, as source() is refused in models that do not depend on it directly. -#}
    {%- set calls = target.incorporate(path={'identifier': 'gong_calls_raw'}) -%}
    {%- set columns = get_quoted_csv(arg_dict['dest_columns'] | map(attribute='name')) -%}
    {#- Two statements: with OR between the conditions neither of them would spare Snowflake the other days' partitions. -#}
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
