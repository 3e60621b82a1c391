{#-
    The days of a run: dbt's --event-time-start (inclusive) and --event-time-end (exclusive).

    They are flags because a changed var makes dbt parse the whole project again, and not the microbatch
    strategy because that runs each model once per day.
-#}

{% macro run_window_start() -%}
    {{ return(_run_window_flag('event_time_start')) }}
{%- endmacro %}

{% macro run_window_end() -%}
    {{ return(_run_window_flag('event_time_end')) }}
{%- endmacro %}

{#- A view covers all days, even if it is built by a run of some days. -#}
{% macro _run_window_flag(name) -%}
    {%- set moment = none if model.config.materialized == 'view' else invocation_args_dict.get(name) -%}
    {%- if moment is not none and flags.FULL_REFRESH -%}
        {%- do exceptions.raise_compiler_error(
            '--full-refresh cannot be combined with --event-time-start/-end: all other days would be lost.'
        ) -%}
    {%- endif -%}
    {{ return(none if moment is none else (moment | string)[:19] | replace('T', ' ')) }}
{%- endmacro %}

{#- True if the run is limited to some days. -#}
{% macro run_has_window() -%}
    {{ return(run_window_start() is not none or run_window_end() is not none) }}
{%- endmacro %}

{#- True for rows of the run's days. Without the flags, true for all rows. -#}
{% macro in_run_window(date_column) -%}
    {%- set bounds = [] -%}
    {%- if run_window_start() is not none -%}
        {%- do bounds.append(date_column ~ " >= '" ~ run_window_start()[:10] ~ "'::date") -%}
    {%- endif -%}
    {%- if run_window_end() is not none -%}
        {#- An end within a day includes that day, because days are only replaced as a whole. -#}
        {%- set before = '<' if run_window_end()[10:] in ('', ' 00:00:00') else '<=' -%}
        {%- do bounds.append(date_column ~ " " ~ before ~ " '" ~ run_window_end()[:10] ~ "'::date") -%}
    {%- endif -%}
    {{ bounds | join(' and ') if bounds else 'true' }}
{%- endmacro %}
