{#- True for a negative segment of a non-internal speaker. -#}
{% macro is_risk_segment(speaker_type, sentiment) -%}
    ({{ is_customer(speaker_type) }} and {{ sentiment }} <= {{ var('risk_segment_sentiment_at_most') }})
{%- endmacro %}
