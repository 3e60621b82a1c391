{#- A table of which a run replaces its days; see `replace_days`. -#}
{% materialization incremental, adapter='snowflake' %}
    {%- do set_query_tag() -%}
    {%- set target = this.incorporate(type='table') -%}
    {%- set existing = load_cached_relation(this) -%}
    {{ run_hooks(pre_hooks) }}
    {%- if existing is none or not existing.is_table or should_full_refresh() -%}
        {%- do create_table(target, existing) -%}
    {%- else -%}
        {%- if not is_up_to_date(target) -%}
            {%- do get_assert_columns_equivalent(sql) -%}
            {%- do add_missing_columns(target) -%}
            {%- do document_table(target) -%}
        {%- endif -%}
        {%- set source = make_temp_relation(this).incorporate(type='table') -%}
        {#- Replaced, because a step that Dagster retries may have left it. The session drops it. -#}
        {%- do run_query('create or replace temporary table ' ~ source ~ ' as ' ~ get_select_subquery(sql)) -%}
        {%- do replace_days(target, source) -%}
    {%- endif -%}
    {{ run_hooks(post_hooks) }}
    {{ return({'relations': [target]}) }}
{% endmaterialization %}

{#-
    With a contract, a column is never dropped. One that was removed from the model stays in the table, empty
    for new rows, until --full-refresh rebuilds it.
-#}
{% macro add_missing_columns(table) %}
    {%- set existing = adapter.get_columns_in_relation(table) | map(attribute='name') | map('lower') | list -%}
    {%- for column in model.columns.values() if column.name | lower not in existing -%}
        {%- do run_query('alter table ' ~ table ~ ' add column ' ~ column.name ~ ' ' ~ column.data_type) -%}
    {%- endfor -%}
{% endmacro %}
