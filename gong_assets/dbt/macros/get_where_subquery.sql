{#-
    Rows that a data test reads. For a partitioned model these are the days of the run, so that the cost of
    testing a day does not grow with the history. Without --event-time-start and --event-time-end, which `dbt
    test` does not accept, a test reads all rows.

    A duplicate can have another date. Tests of uniqueness therefore read all days of the run's calls. The
    keys of partitioned models start with the call id, so each run covers its own calls.
-#}
{% macro get_where_subquery(relation) -%}
    {%- if not (execute and run_has_window() and _tests_partitioned_model()) -%}
        {{ return(adapter.dispatch('get_where_subquery', 'dbt')(relation)) }}
    {%- endif -%}
    {%- set conditions = [in_run_window('call_date')] -%}
    {%- if model.test_metadata.name == 'unique' -%}
        {%- set calls = 'select call_id from ' ~ relation ~ ' where ' ~ conditions[0] -%}
        {%- set conditions = ['call_id in (' ~ calls ~ ')'] -%}
    {%- endif -%}
    {%- if config.get('where') -%}
        {%- do conditions.append('(' ~ config.get('where') ~ ')') -%}
    {%- endif -%}
    {{ return('(select * from ' ~ relation ~ ' where ' ~ conditions | join(' and ') ~ ') as dbt_subquery') }}
{%- endmacro %}

{% macro _tests_partitioned_model() -%}
    {%- set tested = graph.nodes.get(model.attached_node) -%}
    {{ return(tested is not none and 'partitioned' in tested.tags) }}
{%- endmacro %}
