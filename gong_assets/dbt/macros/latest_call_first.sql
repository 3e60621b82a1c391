{#- ORDER BY terms: newest start first, by call date where the start is unknown, then by call id. -#}
{% macro latest_call_first(relation) -%}
    coalesce({{ relation }}.call_datetime_utc, {{ relation }}.call_date::timestamp_ntz) desc,
    {{ relation }}.call_id desc
{%- endmacro %}
