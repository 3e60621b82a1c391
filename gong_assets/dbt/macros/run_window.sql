{#-
    The days of a run, as a list of [first day, day after the last] in ISO format; none for all days.

    They are in GONG_ASSETS_DAYS, such as `2026-11-01..2026-11-03,2026-11-09`, or in dbt's flags
    --event-time-start (inclusive) and --event-time-end (exclusive). Both are read when a model is built. A
    changed var would make dbt parse the whole project again, and the microbatch strategy would run each model
    once per day.
-#}
{% macro run_ranges() -%}
    {#- A view covers all days, even if it is built by a run of some days. -#}
    {%- if not execute or model.config.materialized == 'view' -%}{{ return(none) }}{%- endif -%}
    {%- set ranges = _ranges_of_environment() or _ranges_of_flags() -%}
    {%- if ranges and flags.FULL_REFRESH -%}
        {%- do exceptions.raise_compiler_error(
            '--full-refresh cannot be combined with the days of a run: all other days would be lost.'
        ) -%}
    {%- endif -%}
    {{ return(ranges or none) }}
{%- endmacro %}

{% macro _ranges_of_environment() -%}
    {%- set ranges = [] -%}
    {%- for part in env_var('GONG_ASSETS_DAYS', '').split(',') if part -%}
        {%- set first, last = part.split('..')[0], part.split('..')[-1] -%}
        {%- do ranges.append([first, _day_after(last)]) -%}
    {%- endfor -%}
    {{ return(ranges) }}
{%- endmacro %}

{% macro _ranges_of_flags() -%}
    {%- set start = invocation_args_dict.get('event_time_start') -%}
    {%- set end = invocation_args_dict.get('event_time_end') -%}
    {%- if start is none and end is none -%}{{ return([]) }}{%- endif -%}
    {#- An end within a day includes that day, because days are only replaced as a whole. -#}
    {%- set end = none if end is none else (end | string)[:19] | replace('T', ' ') -%}
    {%- set whole = end is none or end[10:] in ('', ' 00:00:00') -%}
    {{ return([[
        none if start is none else (start | string)[:10],
        end if end is none else (end[:10] if whole else _day_after(end[:10])),
    ]]) }}
{%- endmacro %}

{% macro _day_after(day) -%}
    {%- set date = modules.datetime.datetime.strptime(day, '%Y-%m-%d') -%}
    {{ return((date + modules.datetime.timedelta(days=1)).strftime('%Y-%m-%d')) }}
{%- endmacro %}

{#- True if the run is limited to some days. -#}
{% macro run_has_window() -%}
    {{ return(run_ranges() is not none) }}
{%- endmacro %}

{#- True for rows of the run's days; true for all rows if the run is not limited to some days. -#}
{% macro in_run_window(date_column) -%}
    {%- set conditions = [] -%}
    {%- for start, end in run_ranges() or [] -%}
        {%- set bounds = [] -%}
        {%- if start is not none -%}{%- do bounds.append(date_column ~ " >= '" ~ start ~ "'::date") -%}{%- endif -%}
        {%- if end is not none -%}{%- do bounds.append(date_column ~ " < '" ~ end ~ "'::date") -%}{%- endif -%}
        {%- do conditions.append(bounds | join(' and ')) -%}
    {%- endfor -%}
    {%- if conditions | length > 1 -%}
        {{ return('(' ~ conditions | join(' or ') ~ ')') }}
    {%- endif -%}
    {{ return(conditions[0] if conditions else 'true') }}
{%- endmacro %}
