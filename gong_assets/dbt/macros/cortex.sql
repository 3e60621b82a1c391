{#-
    Snowflake Cortex, one macro per capability. No model names a Cortex function, so that an account that has only one
    of the two families can run all of them: var cortex_family is `current` or `legacy`.

    A Cortex call costs money per token, and a call that fails fails its whole statement. So each macro is used over rows
    that are already chosen, in a select of its own, and cuts its input to what the function reads.
-#}

{#- What the embedding models were trained to see before a passage; there is no argument for it. -#}
{% macro cortex_embedding(text) -%}
    {%- set prefixes = {
        'e5-base-v2': 'passage: ',
        'multilingual-e5-large': 'passage: ',
        'snowflake-arctic-embed-m': '',
        'snowflake-arctic-embed-m-v1.5': '',
        'snowflake-arctic-embed-l-v2.0': '',
        'snowflake-arctic-embed-l-v2.0-8k': '',
        'voyage-multilingual-2': '',
        'nv-embed-qa-4': '',
    } -%}
    {%- set model = var('embedding_model') -%}
    {%- set prefix = _cortex_choice('embedding_model', model, prefixes) -%}
    {%- set function = _cortex_choice('cortex_family', var('cortex_family'), {
        'current': 'ai_embed',
        'legacy': 'snowflake.cortex.' ~ _cortex_choice('embedding_dimension', var('embedding_dimension') | int, {
            768: 'embed_text_768', 1024: 'embed_text_1024'
        })
    }) -%}
    {{ function }}('{{ model }}', {{ "'" ~ prefix ~ "' || " if prefix }}{{ cortex_segment_text(text) }})
{%- endmacro %}

{% macro cortex_embedding_type() -%}
    vector(float, {{ _cortex_choice('embedding_dimension', var('embedding_dimension') | int, {768: 768, 1024: 1024}) }})
{%- endmacro %}

{#- In [-1, 1]. AI_SENTIMENT gives labels and no number, so that both families score with SENTIMENT. -#}
{% macro cortex_sentiment(text) -%}
    {%- set function = _cortex_choice('cortex_family', var('cortex_family'), {
        'current': 'snowflake.cortex.sentiment', 'legacy': 'snowflake.cortex.sentiment'
    }) -%}
    {{ function }}({{ cortex_segment_text(text) }})
{%- endmacro %}

{#- An aggregate over one text per group: AI_SUMMARIZE_AGG documents no order for several. -#}
{% macro cortex_summary(text) -%}
    {{ _cortex_choice('cortex_family', var('cortex_family'), {
        'current': 'ai_summarize_agg(' ~ text ~ ')',
        'legacy': 'snowflake.cortex.summarize(any_value(' ~ text ~ '))'
    }) }}
{%- endmacro %}

{#- Names what made a summary; a summary by another function, or of another enrichment_version, is made again. -#}
{% macro cortex_summary_model() -%}
    {{ _cortex_choice('cortex_family', var('cortex_family'), {'current': 'ai_summarize_agg', 'legacy': 'summarize'}) }}
{%- endmacro %}

{% macro cortex_segment_text(text) -%}
    left({{ text }}, {{ var('cortex_segment_max_characters') | int }})
{%- endmacro %}

{% macro cortex_call_text(text) -%}
    left({{ text }}, {{ var('cortex_call_max_characters') | int }})
{%- endmacro %}

{% macro _cortex_choice(name, value, choices) -%}
    {%- if value not in choices -%}
        {%- do exceptions.raise_compiler_error(
            name ~ " is '" ~ value ~ "'; it must be one of: " ~ choices | join(', ')
        ) -%}
    {%- endif -%}
    {{ return(choices[value]) }}
{%- endmacro %}
