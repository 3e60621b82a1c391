{#- True for a segment in which somebody from outside said something negative. -#}
{% macro is_risk_segment(speaker_type, sentiment) -%}
    ({{ speaker_type }} <> 'Internal' and {{ sentiment }} <= {{ var('risk_segment_sentiment_at_most') }})
{%- endmacro %}
