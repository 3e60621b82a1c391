{#-
    The rows that the data tests of a model read: those of the days of the run, so that the cost of testing a
    day does not grow with the history. All rows without days, and of a model that is not rebuilt by day.
-#}
{% macro tested_days(tested) -%}
    {%- set by_day = 'call_date' in tested.columns and tested.config.materialized != 'table' -%}
    {{ return(in_run_window('call_date') if by_day else 'true') }}
{%- endmacro %}

{#- For tests that are not evaluated in the statement of their model. -#}
{% macro get_where_subquery(relation) -%}
    {%- set tested = graph.nodes.get(model.attached_node) if execute else none -%}
    {%- set days = tested_days(tested) if tested else 'true' -%}
    {%- if days == 'true' -%}
        {{ return(adapter.dispatch('get_where_subquery', 'dbt')(relation)) }}
    {%- endif -%}
    {%- set where = config.get('where') -%}
    {{ return('(select * from ' ~ relation ~ ' where ' ~ days ~ (' and (' ~ where ~ ')' if where else '')
        ~ ') as dbt_subquery') }}
{%- endmacro %}
