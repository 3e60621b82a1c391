{#- True for a negative segment of a non-internal speaker. -#}
{% macro is_risk_segment(speaker_type, sentiment) -%}
    ({{ speaker_type }} <> 'Internal' and {{ sentiment }} <= {{ var('risk_segment_sentiment_at_most') }})
{%- endmacro %}
