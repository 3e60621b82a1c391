{#- Category of a score in [-1, 1], from the sentiment_*_above vars; NULL for NULL. -#}
{% macro sentiment_category(score) -%}
    case
        when {{ score }} > {{ var('sentiment_very_positive_above') }} then 'Very Positive'
        when {{ score }} > {{ var('sentiment_positive_above') }} then 'Positive'
        when {{ score }} > {{ var('sentiment_neutral_above') }} then 'Neutral'
        when {{ score }} > {{ var('sentiment_negative_above') }} then 'Negative'
        when {{ score }} is not null then 'Very Negative'
    end
{%- endmacro %}
