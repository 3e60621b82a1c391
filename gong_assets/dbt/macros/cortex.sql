{#-
    Snowflake Cortex, one macro per capability. No model names a Cortex function, so that an account that has only one
    of the two families can run all of them: var cortex_family is `current` or `legacy`.

    `cortex_function(capability)` says how a capability is asked for: the function and model that are called, how its input
    is counted, and how many tokens it reads. What sends texts is in cortex_sending.sql.

    The functions, what they read and how they fail: https://docs.snowflake.com/en/sql-reference/functions-cortex and
    https://docs.snowflake.com/en/user-guide/snowflake-cortex/aisql-regional-availability
-#}

{#-
    name, model    what a bill names
    reads          tokens of a text that are sent at most in one call, as `cortex_tokens` counts them; of AI_REDACT's 4,096 so
                   many that the answer fits into its 1,024, and counted with the some 425 of its prompt
    adds           tokens that are billed with each text and not counted with it: questions, and prompts. Those of SENTIMENT and
                   of summaries have no size in the documentation: AI_SENTIMENT's, some 120, stands for them, which
                   SENTIMENT's text leaves room for too
    writes         tokens of an answer, for the estimate before it is there; 0 where only input is billed
    calls          calls for each text
-#}
{% macro cortex_function(capability) -%}
    {%- set legacy = _cortex_choice('cortex_family', var('cortex_family'), {'current': false, 'legacy': true}) -%}
    {%- set embedding = embedding_model() -%}
    {%- set functions = {
        'sentiment': _cortex_choice('cortex_sentiment_function', var('cortex_sentiment_function'), {
            'sentiment': (
                {'name': 'SENTIMENT', 'reads': 390, 'adds': 120} if legacy else {'name': 'SENTIMENT', 'reads': 510}
            ),
            'ai_sentiment': {'name': 'AI_SENTIMENT', 'reads': 2048, 'writes': 20},
        }),
        'embedding': {
            'name': 'EMBED_TEXT_' ~ embedding.dimension if legacy else 'AI_EMBED',
            'model': embedding.name,
            'reads': embedding.max_tokens,
        },
        'summary': (
            {'name': 'SUMMARIZE', 'reads': 32000, 'adds': 120, 'writes': 500} if legacy
            else {'name': 'AI_SUMMARIZE_AGG', 'reads': 128000, 'adds': 120, 'writes': 500}
        ),
        'insights': (
            {'name': 'EXTRACT_ANSWER', 'reads': 1900, 'adds': 140, 'writes': 60, 'calls': 3} if legacy
            else {'name': 'AI_EXTRACT', 'reads': 128000, 'adds': 120, 'writes': 300}
        ),
        'redaction': {'name': 'AI_REDACT', 'reads': 1300},
    } -%}
    {{ return(dict({'model': '', 'adds': 0, 'writes': 0, 'calls': 1}, **functions[capability])) }}
{%- endmacro %}

{#- Tokens of an answer, by the estimate before it is there. A redacted text is as long as the text, without the prompt. -#}
{% macro cortex_tokens_written(capability, tokens) -%}
    {{ 'greatest(' ~ tokens ~ ' - 425, 0)' if capability == 'redaction' else cortex_function(capability).writes }}
{%- endmacro %}

{#-
    How many tokens a text is for a capability; counting is not billed. The functions of each family count their own, but for
    SENTIMENT, which the current one counts as AI_SENTIMENT, with its prompt: the older counter is to go before SENTIMENT does.
-#}
{% macro cortex_tokens(capability, text) -%}
    {%- set function = cortex_function(capability) -%}
    {%- if capability == 'embedding' -%}
        {%- if function.name == 'AI_EMBED' -%}
            ai_count_tokens('ai_embed', '{{ function.model }}', {{ as_passage(text) }})
        {%- else -%}
            snowflake.cortex.count_tokens('{{ function.model }}', {{ as_passage(text) }})
        {%- endif -%}
    {%- elif function.name.startswith('AI_') or capability == 'sentiment' and var('cortex_family') == 'current' -%}
        ai_count_tokens('{{ 'ai_sentiment' if capability == 'sentiment' else function.name | lower }}', {{ text }})
    {%- else -%}
        snowflake.cortex.count_tokens('{{ function.name | lower }}', {{ text }})
    {%- endif -%}
{%- endmacro %}

{#- What a capability's answers depend on: other than before, and texts that were answered are sent again. -#}
{% macro cortex_request(capabilities) -%}
    {%- set parts = [] -%}
    {%- for capability in capabilities -%}
        {%- set function = cortex_function(capability) -%}
        {#- Both families embed with the same models: only the model counts. -#}
        {%- do parts.append(function.model or function.name | lower) -%}
    {%- endfor -%}
    {{ (parts + ['version ' ~ var('enrichment_version')]) | join(', ') }}
{%- endmacro %}

{% macro cortex_embedding(text) -%}
    {%- set function = cortex_function('embedding') -%}
    {{ 'ai_embed' if function.name == 'AI_EMBED' else 'snowflake.cortex.' ~ function.name | lower -}}
    ('{{ function.model }}', {{ as_passage(text) }})
{%- endmacro %}

{#- A text as a model was trained to see a passage, by its model card: AI_EMBED has no argument for it. -#}
{% macro as_passage(text) -%}
    {%- set prefix = embedding_model().passage_prefix -%}
    {{ "'" ~ prefix ~ "' || " if prefix }}{{ text }}
{%- endmacro %}

{#- The entry of `embedding_model` in the table of embedding models. -#}
{% macro embedding_model() -%}
    {%- set name = var('embedding_model') -%}
    {{ return(dict(_cortex_choice('embedding_model', name, var('embedding_models')), name=name)) }}
{%- endmacro %}

{#- In [-1, 1] by SENTIMENT, an object with labels by AI_SENTIMENT. -#}
{% macro cortex_sentiment(text) -%}
    {%- if cortex_function('sentiment').name == 'SENTIMENT' -%}
        snowflake.cortex.sentiment({{ text }})
    {%- else -%}
        ai_sentiment({{ text }}, true)
    {%- endif -%}
{%- endmacro %}

{#- The number that an answer of `cortex_sentiment` is; of labels 1, 0 or -1, and NULL where it is unknown. -#}
{% macro sentiment_score_of(answer) -%}
    {%- if cortex_function('sentiment').name == 'SENTIMENT' -%}
        {{ answer }}
    {%- else -%}
        decode({{ answer }}:value:categories[0]:sentiment::varchar, 'positive', 1, 'negative', -1, 'neutral', 0, 'mixed', 0)
    {%- endif -%}
{%- endmacro %}

{#- What failed. SENTIMENT fails its statement instead. That there is no polarity ('unknown') is an answer. -#}
{% macro sentiment_error_of(answer) -%}
    {%- if cortex_function('sentiment').name == 'SENTIMENT' -%}
        iff({{ answer }} is null, 'SENTIMENT gave no score', null)
    {%- else -%}
        iff(
            {{ answer }}:value:categories[0]:sentiment::varchar is null,
            coalesce({{ answer }}:error::varchar, 'AI_SENTIMENT gave no label'),
            null
        )
    {%- endif -%}
{%- endmacro %}

{#-
    Queries below are over `batch`: a row for each part of a text, with REQUEST_ID, PART (from 0) and SENT_TEXT. They give a row
    for each request, with CORTEX_ERROR where the function says what failed, or gives nothing. Each reads what it is answered
    once: a query that names a CTE twice may be made to ask, and pay, twice.
-#}

{#- AI_SUMMARIZE_AGG reads any number of parts, and SUMMARIZE one: it summarizes the summaries of several. -#}
{% macro cortex_summaries() -%}
    select
        request_id,
        call_summary,
        iff(call_summary is null, '{{ cortex_function("summary").name }} gave no summary', null) as cortex_error
    from (
        {%- if cortex_function('summary').name == 'AI_SUMMARIZE_AGG' %}
        select request_id, ai_summarize_agg(sent_text) as call_summary
        from batch
        group by 1
        {%- else %}
        select
            request_id,
            coalesce(snowflake.cortex.summarize(iff(parts > 1, part_summaries, null)), part_summaries) as call_summary
        from (
            select
                request_id,
                count(*) as parts,
                nullif(listagg(part_summary, '\n') within group (order by part), '') as part_summaries
            from (
                select request_id, part, snowflake.cortex.summarize(sent_text) as part_summary
                from batch
            ) as summarized_parts
            group by 1
        ) as summarized_texts
        {%- endif %}
    ) as summaries
{%- endmacro %}

{#- Names what made a summary. -#}
{% macro cortex_summary_model() -%}
    {{ cortex_function('summary').name | lower }}
{%- endmacro %}

{% macro cortex_questions() -%}
    {{ return({
        'key_topics': 'What are the main topics of this sales call, in a few words each?',
        'next_steps': 'What are the next steps that the speakers agreed on or promised?',
        'risks': 'What objections, concerns, competitors or other risks to the deal does the customer mention?',
    }) }}
{%- endmacro %}

{#- A row for each part: an object that has a list for each of `cortex_questions`, and what failed. -#}
{% macro cortex_insights() -%}
    {%- if cortex_function('insights').name == 'AI_EXTRACT' -%}
        select
            request_id,
            part,
            answer:response as insights,
            coalesce(answer:error::varchar, iff(answer:response is null, 'AI_EXTRACT gave no answer', null))
                as cortex_error
        from (
            select
                request_id,
                part,
                ai_extract(
                    text => sent_text,
                    responseFormat => object_construct('schema', object_construct(
                        'type', 'object',
                        'properties', object_construct(
                            {%- for name, question in cortex_questions().items() %}
                            '{{ name }}', object_construct('description', '{{ question }}', 'type', 'array')
                            {{- ',' if not loop.last }}
                            {%- endfor %}
                        )
                    ))
                ) as answer
            from batch
        ) as answered
    {%- else -%}
        select
            request_id,
            part,
            {#- An array of {answer, score}; by its page, which names no type but a string, it may be the answer itself. #}
            object_construct(
                {%- for name in cortex_questions() %}
                '{{ name }}', array_construct_compact(coalesce({{ name }}[0]:answer, {{ name }}))
                {{- ',' if not loop.last }}
                {%- endfor %}
            ) as insights,
            iff(
                {% for name in cortex_questions() %}{{ 'or ' if not loop.first }}{{ name }} is null {% endfor -%},
                'EXTRACT_ANSWER gave no answer',
                null
            ) as cortex_error
        from (
            select
                request_id,
                part,
                {%- for name, question in cortex_questions().items() %}
                to_variant(snowflake.cortex.extract_answer(sent_text, '{{ question }}')) as {{ name }}
                {{- ',' if not loop.last }}
                {%- endfor %}
            from batch
        ) as answered
    {%- endif -%}
{%- endmacro %}

{#- The text with what identifies a person replaced, and what failed. Half a text is none: it would read as the whole. -#}
{% macro cortex_redactions() -%}
    select
        request_id,
        iff(count(redacted_part) = count(*), listagg(redacted_part, ' ') within group (order by part), null)
            as redacted_text,
        max(iff(redacted_part is null, coalesce(error, 'AI_REDACT gave no text'), null)) as cortex_error
    from (
        select request_id, part, answer:value::varchar as redacted_part, answer:error::varchar as error
        from (
            select request_id, part, ai_redact(sent_text, true) as answer
            from batch
        ) as answered_parts
    ) as redacted_parts
    group by 1
{%- endmacro %}

{% macro _cortex_choice(name, value, choices) -%}
    {%- if value not in choices -%}
        {%- do exceptions.raise_compiler_error(
            name ~ " is '" ~ value ~ "'; it must be one of: " ~ choices | join(', ')
        ) -%}
    {%- endif -%}
    {{ return(choices[value]) }}
{%- endmacro %}
