{#- True for trackers that match the var risk_trackers. -#}
{% macro is_risk_tracker(name) -%}
    {%- set patterns = [] -%}
    {%- for part in var('risk_trackers') -%}
        {%- do patterns.append("'%" ~ part | lower | replace("'", "''") ~ "%'") -%}
    {%- endfor -%}
    {{ 'lower(' ~ name ~ ') like any (' ~ patterns | join(', ') ~ ')' if patterns else 'false' }}
{%- endmacro %}
