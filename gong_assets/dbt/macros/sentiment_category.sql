{#- A score in [-1, 1] as a word, by the sentiment_*_above vars; NULL stays NULL, as silence is not "Very Negative". -#}
{% macro sentiment_category(score) -%}
    case
        when {{ score }} > {{ var('sentiment_very_positive_above') }} then 'Very Positive'
        when {{ score }} > {{ var('sentiment_positive_above') }} then 'Positive'
        when {{ score }} > {{ var('sentiment_neutral_above') }} then 'Neutral'
        when {{ score }} > {{ var('sentiment_negative_above') }} then 'Negative'
        when {{ score }} is not null then 'Very Negative'
    end
{%- endmacro %}
