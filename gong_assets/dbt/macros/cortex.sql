{#-
    Snowflake Cortex, one macro per capability. No model names a Cortex function, so that an account that has only one
    of the two families can run all of them: var cortex_family is `current` or `legacy`.

    A Cortex call costs money per token, and a call that fails fails its whole statement. So each macro is used over rows
    that are already chosen, in a select of its own, and cuts its input to what the function reads.
-#}

{% macro cortex_embedding(text) -%}
    {%- set model = _embedding_model() -%}
    {%- set function = _cortex_choice('cortex_family', var('cortex_family'), {
        'current': 'ai_embed', 'legacy': 'snowflake.cortex.embed_text_' ~ model.dimension
    }) -%}
    {{ function }}('{{ model.name }}', {{ "'" ~ model.prefix ~ "' || " if model.prefix }}{{ cortex_segment_text(text) }})
{%- endmacro %}

{% macro cortex_embedding_type() -%}
    vector(float, {{ _embedding_model().dimension }})
{%- endmacro %}

{#-
    The models and their dimensions are those of
    https://docs.snowflake.com/en/user-guide/snowflake-cortex/vector-embeddings; the prefix is what a model was trained to
    see before a passage, by its model card: AI_EMBED has no argument for it.
-#}
{% macro _embedding_model() -%}
    {%- set name, dimension = var('embedding_model'), var('embedding_dimension') | int -%}
    {%- set model = _cortex_choice('embedding_model', name, {
        'e5-base-v2': {'dimension': 768, 'prefix': 'passage: '},
        'snowflake-arctic-embed-m': {'dimension': 768, 'prefix': ''},
        'snowflake-arctic-embed-m-v1.5': {'dimension': 768, 'prefix': ''},
        'multilingual-e5-large': {'dimension': 1024, 'prefix': 'passage: '},
        'snowflake-arctic-embed-l-v2.0': {'dimension': 1024, 'prefix': ''},
        'snowflake-arctic-embed-l-v2.0-8k': {'dimension': 1024, 'prefix': ''},
        'voyage-multilingual-2': {'dimension': 1024, 'prefix': ''},
        'nv-embed-qa-4': {'dimension': 1024, 'prefix': ''},
    }) -%}
    {%- if dimension != model.dimension -%}
        {%- do exceptions.raise_compiler_error(
            'embedding_dimension is ' ~ dimension ~ '; the vectors of ' ~ name ~ ' have ' ~ model.dimension
        ) -%}
    {%- endif -%}
    {{ return({'name': name, 'dimension': model.dimension, 'prefix': model.prefix}) }}
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

{#- A text with more than a tenth of its characters beyond ASCII is of another script: European accents are fewer. -#}
{% macro cortex_segment_text(text) -%}
    left({{ text }}, iff(
        regexp_count({{ text }}, '[^ -~]') > length({{ text }}) / 10,
        {{ var('cortex_segment_max_characters_of_other_scripts') | int }},
        {{ var('cortex_segment_max_characters') | int }}
    ))
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
