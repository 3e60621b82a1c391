{#- True for trackers that match the var risk_trackers, unless they match risk_tracker_exceptions. -#}
{% macro is_risk_tracker(name) -%}
    (
        {{ has_words(name, var('risk_trackers'), endings=true) }}
        and not {{ has_words(name, var('risk_tracker_exceptions'), endings=true) }}
    )
{%- endmacro %}
