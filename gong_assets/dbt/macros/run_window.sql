{#-
    The days that a run is about: dbt's own --event-time-start (inclusive) and --event-time-end (exclusive).

    They are flags rather than vars because a changed var makes dbt parse the whole project again, and one flag rather
    than the microbatch strategy because that runs each model once per day.
-#}

{% macro run_window_start() -%}
    {{ return(_run_window_flag('event_time_start')) }}
{%- endmacro %}

{% macro run_window_end() -%}
    {{ return(_run_window_flag('event_time_end')) }}
{%- endmacro %}

{#- A view is of all days, whichever the run that makes it is about. -#}
{% macro _run_window_flag(name) -%}
    {%- set moment = none if model.config.materialized == 'view' else invocation_args_dict.get(name) -%}
    {%- if moment is not none and flags.FULL_REFRESH -%}
        {%- do exceptions.raise_compiler_error(
            '--full-refresh builds tables from nothing: with --event-time-start/-end only those days would be left.'
        ) -%}
    {%- endif -%}
    {{ return(none if moment is none else (moment | string)[:19] | replace('T', ' ')) }}
{%- endmacro %}

{#- Whether the run is about some days only. -#}
{% macro run_has_window() -%}
    {{ return(run_window_start() is not none or run_window_end() is not none) }}
{%- endmacro %}

{#- True for the rows of the run's days, by a DATE column. Without the flags every day is the run's. -#}
{% macro in_run_window(date_column) -%}
    {%- set bounds = [] -%}
    {%- if run_window_start() is not none -%}
        {%- do bounds.append(date_column ~ " >= '" ~ run_window_start()[:10] ~ "'::date") -%}
    {%- endif -%}
    {%- if run_window_end() is not none -%}
        {#- An end within a day includes that day: a day is replaced whole or not at all. -#}
        {%- set before = '<' if run_window_end()[10:] in ('', ' 00:00:00') else '<=' -%}
        {%- do bounds.append(date_column ~ " " ~ before ~ " '" ~ run_window_end()[:10] ~ "'::date") -%}
    {%- endif -%}
    {{ bounds | join(' and ') if bounds else 'true' }}
{%- endmacro %}
