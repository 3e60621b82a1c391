{#-
    What a test of a model reads: of a partitioned model the run's days, so that the tests of a day do not cost more with
    every day behind it. Without --event-time-start and --event-time-end, which `dbt test` does not take, everything.

    A row that is there twice may be there under another day. So a test that something is unique reads the run's calls, on
    whichever day they are: keys of partitioned models begin with the call's id, and each run looks after its own.
-#}
{% macro get_where_subquery(relation) -%}
    {%- if not (execute and run_has_window() and _tests_partitioned_model()) -%}
        {{ return(adapter.dispatch('get_where_subquery', 'dbt')(relation)) }}
    {%- endif -%}
    {%- set conditions = [in_run_window('call_date')] -%}
    {%- if model.test_metadata.name == 'unique' -%}
        {%- set conditions = ['call_id in (select call_id from ' ~ relation ~ ' where ' ~ conditions[0] ~ ')'] -%}
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
