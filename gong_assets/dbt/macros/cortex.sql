{#-
    One macro for each Cortex capability. Models never name a Cortex function, so that the var cortex_family
    can switch between `current` and `legacy` functions. cortex_sending.sql sends the texts.

    The functions, their limits and their errors:
    https://docs.snowflake.com/en/sql-reference/functions-cortex
    https://docs.snowflake.com/en/user-guide/snowflake-cortex/aisql-regional-availability
-#}

{#-
    The function of a capability:

    name, model      as in a bill
    max_tokens       input limit of a call, as counted by `cortex_tokens`. AI_REDACT reads 4,096 tokens, about
                     425 of them its prompt, and writes 1,024. Its limit is such that the output fits.
    overhead_tokens  billed with each text but not counted with it: questions and prompts. Snowflake does not
                     document them for SENTIMENT and summaries, so those of AI_SENTIMENT (about 120) are used.
                     The limit of SENTIMENT leaves room for them.
    output_tokens    estimated tokens of a result; 0 if only input is billed
    calls            calls per text
-#}
{% macro cortex_function(capability) -%}
    {%- set families = {'current': false, 'legacy': true} -%}
    {%- set legacy = _validated_choice('cortex_family', var('cortex_family'), families) -%}
    {%- set embedding = embedding_model() -%}
    {%- set functions = {
        'sentiment': _validated_choice('cortex_sentiment_function', var('cortex_sentiment_function'), {
            'sentiment': (
                {'name': 'SENTIMENT', 'max_tokens': 390, 'overhead_tokens': 120} if legacy
                else {'name': 'SENTIMENT', 'max_tokens': 510}
            ),
            'ai_sentiment': {'name': 'AI_SENTIMENT', 'max_tokens': 2048, 'output_tokens': 20},
        }),
        'embedding': {
            'name': 'EMBED_TEXT_' ~ embedding.dimension if legacy else 'AI_EMBED',
            'model': embedding.name,
            'max_tokens': embedding.max_tokens,
        },
        'summary': (
            {'name': 'SUMMARIZE', 'max_tokens': 32000, 'overhead_tokens': 120, 'output_tokens': 500} if legacy
            else {
                'name': 'AI_SUMMARIZE_AGG', 'max_tokens': 128000, 'overhead_tokens': 120,
                'output_tokens': 500,
            }
        ),
        'insights': (
            {
                'name': 'EXTRACT_ANSWER', 'max_tokens': 1900, 'overhead_tokens': 140, 'output_tokens': 60,
                'calls': 3,
            } if legacy
            else {'name': 'AI_EXTRACT', 'max_tokens': 128000, 'overhead_tokens': 120, 'output_tokens': 300}
        ),
        'redaction': {'name': 'AI_REDACT', 'max_tokens': 1300},
    } -%}
    {%- set defaults = {'model': '', 'overhead_tokens': 0, 'output_tokens': 0, 'calls': 1} -%}
    {{ return(dict(defaults, **functions[capability])) }}
{%- endmacro %}

{#- Estimated tokens of a result. A redacted text is as long as its text, without the prompt. -#}
{% macro cortex_output_tokens(capability, tokens) -%}
    {%- set output_tokens = cortex_function(capability).output_tokens -%}
    {{ 'greatest(' ~ tokens ~ ' - 425, 0)' if capability == 'redaction' else output_tokens }}
{%- endmacro %}

{#-
    Token count of a text. Counting is not billed. Each family has its own counter, but the current one counts
    SENTIMENT as AI_SENTIMENT, including its prompt: Snowflake deprecates the legacy counter before SENTIMENT.
-#}
{% macro cortex_tokens(capability, text) -%}
    {%- set function = cortex_function(capability) -%}
    {%- set is_current = var('cortex_family') == 'current' -%}
    {%- if capability == 'embedding' -%}
        {%- if function.name == 'AI_EMBED' -%}
            ai_count_tokens('ai_embed', '{{ function.model }}', {{ as_passage(text) }})
        {%- else -%}
            snowflake.cortex.count_tokens('{{ function.model }}', {{ as_passage(text) }})
        {%- endif -%}
    {%- elif function.name == 'AI_SENTIMENT' or capability == 'sentiment' and is_current -%}
        ai_count_tokens('ai_sentiment', {{ text }})
    {%- elif function.name.startswith('AI_') -%}
        ai_count_tokens('{{ function.name | lower }}', {{ text }})
    {%- else -%}
        snowflake.cortex.count_tokens('{{ function.name | lower }}', {{ text }})
    {%- endif -%}
{%- endmacro %}

{#- What the results of capabilities depend on. If it changes, texts are sent again. -#}
{% macro cortex_request(capabilities) -%}
    {%- set parts = [] -%}
    {%- for capability in capabilities -%}
        {%- set function = cortex_function(capability) -%}
        {#- Both families have the same embedding models, so the function is left out. -#}
        {%- do parts.append(function.model or function.name | lower) -%}
    {%- endfor -%}
    {{ (parts + ['version ' ~ var('enrichment_version')]) | join(', ') }}
{%- endmacro %}

{% macro cortex_embedding(text) -%}
    {%- set function = cortex_function('embedding') -%}
    {{ 'ai_embed' if function.name == 'AI_EMBED' else 'snowflake.cortex.' ~ function.name | lower -}}
    ('{{ function.model }}', {{ as_passage(text) }})
{%- endmacro %}

{#- A text with the passage prefix of the embedding model, because AI_EMBED has no argument for it. -#}
{% macro as_passage(text) -%}
    {%- set prefix = embedding_model().passage_prefix -%}
    {{ "'" ~ prefix ~ "' || " if prefix }}{{ text }}
{%- endmacro %}

{#- The entry of the var embedding_model in embedding_models, with its name. -#}
{% macro embedding_model() -%}
    {%- set name = var('embedding_model') -%}
    {{ return(dict(_validated_choice('embedding_model', name, var('embedding_models')), name=name)) }}
{%- endmacro %}

{#- A number in [-1, 1] from SENTIMENT, an object with labels from AI_SENTIMENT. -#}
{% macro cortex_sentiment(text) -%}
    {%- if cortex_function('sentiment').name == 'SENTIMENT' -%}
        snowflake.cortex.sentiment({{ text }})
    {%- else -%}
        ai_sentiment({{ text }}, true)
    {%- endif -%}
{%- endmacro %}

{#- The score of a `cortex_sentiment` result. Labels map to 1, 0 or -1, and an unknown label to NULL. -#}
{% macro sentiment_score_from(result) -%}
    {%- if cortex_function('sentiment').name == 'SENTIMENT' -%}
        {{ result }}
    {%- else -%}
        decode(
            {{ result }}:value:categories[0]:sentiment::varchar,
            'positive', 1, 'negative', -1, 'neutral', 0, 'mixed', 0
        )
    {%- endif -%}
{%- endmacro %}

{#-
    The error of a `cortex_sentiment` result. SENTIMENT fails its statement instead. 'unknown' is not an
    error.
-#}
{% macro sentiment_error_from(result) -%}
    {%- if cortex_function('sentiment').name == 'SENTIMENT' -%}
        iff({{ result }} is null, 'SENTIMENT returned no score', null)
    {%- else -%}
        iff(
            {{ result }}:value:categories[0]:sentiment::varchar is null,
            coalesce({{ result }}:error::varchar, 'AI_SENTIMENT returned no label'),
            null
        )
    {%- endif -%}
{%- endmacro %}

{#-
    The queries below read `batch`, which has a row for each part of a text: REQUEST_ID, PART (from 0) and
    SENT_TEXT. They return a row for each request, with CORTEX_ERROR if the function failed or returned
    nothing. They read each result only once, because a CTE that is referenced twice may call, and bill, the
    function twice.
-#}

{#-
    AI_SUMMARIZE_AGG takes any number of parts. SUMMARIZE takes one, so the summaries of several are
    summarized.
-#}
{% macro cortex_summaries() -%}
    select
        request_id,
        call_summary,
        iff(call_summary is null, '{{ cortex_function("summary").name }} returned no summary', null)
            as cortex_error
    from (
        {%- if cortex_function('summary').name == 'AI_SUMMARIZE_AGG' %}
        select request_id, ai_summarize_agg(sent_text) as call_summary
        from batch
        group by 1
        {%- else %}
        select
            request_id,
            coalesce(snowflake.cortex.summarize(iff(parts > 1, part_summaries, null)), part_summaries)
                as call_summary
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

{#- The function of a summary. -#}
{% macro cortex_summary_model() -%}
    {{ cortex_function('summary').name | lower }}
{%- endmacro %}

{% macro cortex_questions() -%}
    {{ return({
        'key_topics': 'What are the main topics of this sales call, in a few words each?',
        'next_steps': 'What are the next steps that the speakers agreed on or promised?',
        'risks':
            'What objections, concerns, competitors or other risks to the deal does the customer mention?',
    }) }}
{%- endmacro %}

{#- A row for each part, with an object that has a list for each of `cortex_questions`. -#}
{% macro cortex_insights() -%}
    {%- if cortex_function('insights').name == 'AI_EXTRACT' -%}
        select
            request_id,
            part,
            answer:response as insights,
            coalesce(
                answer:error::varchar, iff(answer:response is null, 'AI_EXTRACT returned no answer', null)
            ) as cortex_error
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
            {#- An array of {answer, score}. The documentation calls it a string, so that is read as well. #}
            object_construct(
                {%- for name in cortex_questions() %}
                '{{ name }}', array_construct_compact(coalesce({{ name }}[0]:answer, {{ name }}))
                {{- ',' if not loop.last }}
                {%- endfor %}
            ) as insights,
            iff(
                {{ cortex_questions() | join(' is null or ') }} is null,
                'EXTRACT_ANSWER returned no answer',
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

{#- The redacted text, or NULL if a part failed: half a text would read as the whole. -#}
{% macro cortex_redactions() -%}
    select
        request_id,
        iff(count(redacted_part) = count(*), listagg(redacted_part, ' ') within group (order by part), null)
            as redacted_text,
        max(iff(redacted_part is null, coalesce(error, 'AI_REDACT returned no text'), null)) as cortex_error
    from (
        select request_id, part, answer:value::varchar as redacted_part, answer:error::varchar as error
        from (
            select request_id, part, ai_redact(sent_text, true) as answer
            from batch
        ) as answered_parts
    ) as redacted_parts
    group by 1
{%- endmacro %}

{% macro _validated_choice(name, value, choices) -%}
    {%- if value not in choices -%}
        {%- do exceptions.raise_compiler_error(
            name ~ " is '" ~ value ~ "'; it must be one of: " ~ choices | join(', ')
        ) -%}
    {%- endif -%}
    {{ return(choices[value]) }}
{%- endmacro %}
