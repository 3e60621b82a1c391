{#-
    A table is replaced in one statement: by INSERT OVERWRITE, which keeps its comments and grants, or by
    CREATE OR REPLACE if its definition changed. A model that
    reads a lost table of HubSpot keeps its rows.
-#}
{% materialization table, adapter='snowflake' %}
    {%- do set_query_tag() -%}
    {%- set target = this.incorporate(type='table') -%}
    {%- set existing = load_cached_relation(this) -%}
    {{ run_hooks(pre_hooks) }}
    {%- set is_there = existing is not none and existing.is_table and not should_full_refresh() -%}
    {%- if is_there and reads_lost_hubspot_table() -%}
        {%- do keep_table(target) -%}
    {%- elif is_there and is_up_to_date(target) -%}
        {%- call statement('main') -%}
            insert overwrite into {{ target }} ({{ contract_columns() }})
            {{ get_select_subquery(sql) }}
        {%- endcall -%}
    {%- else -%}
        {%- do create_table(target, existing) -%}
    {%- endif -%}
    {{ run_hooks(post_hooks) }}
    {{ return({'relations': [target]}) }}
{% endmaterialization %}

{#-
    Creates the table with its rows, after checking the contract, and documents it. Snowflake answers a CREATE
    with one row, its status, which is not a number of rows of the table: dbt's result has none.
-#}
{% macro create_table(target, existing) %}
    {%- if existing is not none and not existing.is_table -%}
        {%- do adapter.drop_relation(existing) -%}
    {%- endif -%}
    {%- call statement('main') -%}
        {{ create_table_as(false, target, compiled_code) }}
    {%- endcall -%}
    {%- set answer = load_result('main').response -%}
    {%- do store_raw_result('main', message=answer | string, code=answer.code, rows_affected=none) -%}
    {%- do document_table(target) -%}
{% endmacro %}
