{#-
    A JSON list with one object for each Cortex function that the models call, with the configured model, and
    a query that sends it a few words. `gong-assets doctor` compiles and runs them.
-#}
{% macro cortex_probes() -%}
    {%- set text = "'The price is fine. We sign on Monday.'" -%}
    {%- set batch = "with batch as (select '1' as request_id, 0 as part, " ~ text ~ " as sent_text) " -%}
    {%- set queries = {
        'sentiment': 'select ' ~ sentiment_score_from(cortex_sentiment(text)) ~ ' as answer',
        'embedding': 'select ' ~ cortex_embedding(text) ~ '::varchar as answer',
        'summary': batch ~ cortex_summaries(),
        'insights': batch ~ cortex_insights(),
    } -%}
    {%- if redacts_transcripts() -%}
        {%- do queries.update(redaction=batch ~ cortex_redactions()) -%}
    {%- endif -%}
    {%- set probes = [] -%}
    {%- for capability, query in queries.items() -%}
        {%- set function = cortex_function(capability) -%}
        {%- do probes.append({
            'function': function.name,
            'model': function.model,
            'query': query,
            'count_tokens': 'select ' ~ cortex_tokens(capability, text) ~ ' as tokens',
            'dollars_per_million_tokens': var('cortex_credits_per_million_tokens')[function.name]
                * var('cortex_dollars_per_credit'),
        }) -%}
    {%- endfor -%}
    {{ tojson(probes) }}
{%- endmacro %}
