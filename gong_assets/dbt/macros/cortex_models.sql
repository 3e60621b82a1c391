{#- What the models of models/cortex send, as their post-hooks. -#}

{% macro send_segments_to_cortex() %}
    {%- set capabilities = ['sentiment', 'embedding'] -%}
    {%- set waiting -%}
        select
            staged.transcript_id as request_id,
            0 as part,
            {{ cortex_cut('staged.transcript_text', capabilities) }} as sent_text,
            staged.call_date,
            {{ attempts_so_far('enriched', capabilities) }} as cortex_attempts
        from {{ ref('stg_gong_call_transcripts') }} as staged
        inner join {{ this }} as enriched
            on staged.transcript_id = enriched.transcript_id and staged.content_hash = enriched.content_hash
        where
            {{ in_run_window('staged.call_date') }}
            and {{ in_run_window('enriched.call_date') }}
            and not enriched.is_too_short
            and {{ waits_for_cortex('enriched', capabilities) }}
    {%- endset -%}
    {%- set answers -%}
        select
            request_id,
            {{ sentiment_score_of('sentiment') }}::float as segment_sentiment,
            embedding as transcript_embedding,
            {#- A row that keeps its vector of another model keeps that name too. #}
            iff(embedding is null, null, '{{ embedding_model().name }}') as embedding_model,
            '{{ var("enrichment_version") }}' as enrichment_version,
            coalesce(
                {{ sentiment_error_of('sentiment') }},
                iff(embedding is null, '{{ cortex_function("embedding").name }} gave no embedding', null)
            ) as cortex_error
        from (
            select
                request_id,
                {{ cortex_sentiment('sent_text') }} as sentiment,
                {{ cortex_embedding('sent_text') }} as embedding
            from batch
        ) as answered_segments
    {%- endset -%}
    {{ send_to_cortex(
        'transcript_id', waiting, capabilities, answers,
        ['segment_sentiment', 'transcript_embedding', 'embedding_model', 'enrichment_version'],
        var('cortex_segments_per_batch')
    ) }}
{% endmacro %}

{% macro send_calls_to_cortex() %}
    {%- set waiting -%}
        {{ _waiting_dialogues('summary') }}
    {%- endset -%}
    {%- set answers -%}
        select
            *,
            '{{ cortex_summary_model() }}' as summary_model,
            '{{ var("enrichment_version") }}' as enrichment_version
        from ({{ cortex_summaries() }}) as summaries
    {%- endset -%}
    {{ send_to_cortex(
        'call_id', waiting, ['summary'], answers, ['call_summary', 'summary_model', 'enrichment_version'],
        var('cortex_calls_per_batch')
    ) }}
{% endmacro %}

{% macro send_calls_for_insights() %}
    {%- set waiting -%}
        {{ _waiting_dialogues('insights') }}
    {%- endset -%}
    {#- A list of each part, put together in the order of the parts. -#}
    {%- set answers -%}
        select
            request_id,
            {%- for name in cortex_questions() %}
            iff(max(cortex_error) is null, array_flatten(array_agg({{ name }}) within group (order by part)), null)
                as {{ name }},
            {%- endfor %}
            '{{ cortex_function("insights").name | lower }}' as insights_model,
            '{{ var("enrichment_version") }}' as enrichment_version,
            max(cortex_error) as cortex_error
        from (
            select
                request_id,
                part,
                cortex_error,
                {%- for name in cortex_questions() %}
                coalesce({{ json_list('insights:' ~ name) }}, array_construct()) as {{ name }}{{ ',' if not loop.last }}
                {%- endfor %}
            from ({{ cortex_insights() }}) as answered_parts
        ) as listed_parts
        group by 1
    {%- endset -%}
    {{ send_to_cortex(
        'call_id', waiting, ['insights'], answers,
        cortex_questions().keys() | list + ['insights_model', 'enrichment_version'],
        var('cortex_calls_per_batch')
    ) }}
{% endmacro %}

{#- The parts of the dialogues that wait in this model. -#}
{% macro _waiting_dialogues(capability) -%}
    {%- set lines -%}
        select
            lines.call_id as request_id,
            row_number() over (partition by lines.call_id order by lines.turn_index, lines.part) as line_number,
            lines.line
        from ({{ dialogue_lines() }}) as lines
        inner join {{ this }} as enriched on lines.call_id = enriched.call_id
        where {{ _dialogue_waits('enriched', capability) }}
    {%- endset -%}
    select parts.*, enriched.call_date, {{ attempts_so_far('enriched', [capability]) }} as cortex_attempts
    from ({{ in_parts(lines, capability) }}) as parts
    inner join {{ this }} as enriched on parts.request_id = enriched.call_id
    where {{ in_run_window('enriched.call_date') }}
{%- endmacro %}

{% macro _dialogue_waits(row, capability) -%}
    {{ in_run_window(row ~ '.call_date') }} and {{ row }}.transcript_hash is not null
    and {{ waits_for_cortex(row, [capability]) }}
{%- endmacro %}

{% macro send_segments_for_redaction() %}
    {#- Without it AI_REDACT fails its statement, details or not: https://docs.snowflake.com/en/sql-reference/functions/ai_redact -#}
    {%- if execute -%}
        {%- do run_query('alter session set AI_SQL_ERROR_HANDLING_USE_FAIL_ON_ERROR = false') -%}
    {%- endif -%}
    {#- A text that is too long is cut into pieces, so that nothing of it is lost: at most 240 characters, or 960 tokens. -#}
    {%- set waiting -%}
        select
            staged.transcript_id as request_id,
            pieces.index as part,
            pieces.value::varchar as sent_text,
            staged.call_date,
            {{ attempts_so_far('enriched', ['redaction']) }} as cortex_attempts
        from {{ ref('stg_gong_call_transcripts') }} as staged
        inner join {{ this }} as enriched
            on staged.transcript_id = enriched.transcript_id and staged.content_hash = enriched.content_hash,
        lateral flatten(input => iff(
            {{ cortex_tokens('redaction', 'staged.transcript_text') }} <= {{ cortex_function('redaction').reads }},
            array_construct(staged.transcript_text),
            snowflake.cortex.split_text_recursive_character(staged.transcript_text, 'none', 240)
        )) as pieces
        where
            {{ in_run_window('staged.call_date') }}
            and {{ in_run_window('enriched.call_date') }}
            and {{ waits_for_cortex('enriched', ['redaction']) }}
    {%- endset -%}
    {%- set answers -%}
        select
            request_id,
            redacted_text,
            '{{ var("enrichment_version") }}' as enrichment_version,
            cortex_error
        from ({{ cortex_redactions() }}) as redactions
    {%- endset -%}
    {{ send_to_cortex(
        'transcript_id', waiting, ['redaction'], answers, ['redacted_text', 'enrichment_version'],
        var('cortex_segments_per_batch')
    ) }}
    {%- if execute -%}
        {%- do run_query('alter session unset AI_SQL_ERROR_HANDLING_USE_FAIL_ON_ERROR') -%}
    {%- endif -%}
{% endmacro %}

{% macro redacts_transcripts() -%}
    {{ return((env_var('GONG_REDACT_TRANSCRIPTS', '') or 'false') | lower == 'true') }}
{%- endmacro %}

{#-
    The staged segments as agents may read them: where transcripts are redacted, with the redacted text, which is NULL until
    there is one for the text as it is now.
-#}
{% macro readable_segments() -%}
    {%- if redacts_transcripts() -%}
        select staged.* exclude (transcript_text), redacted.redacted_text as transcript_text
        from {{ ref('stg_gong_call_transcripts') }} as staged
        left join {{ ref('cortex_gong_redacted_transcripts') }} as redacted
            on staged.transcript_id = redacted.transcript_id
            and staged.content_hash = redacted.content_hash
            and {{ in_run_window('redacted.call_date') }}
        where {{ in_run_window('staged.call_date') }}
    {%- else -%}
        select * from {{ ref('stg_gong_call_transcripts') }}
        where {{ in_run_window('call_date') }}
    {%- endif -%}
{%- endmacro %}

{#- What Cortex made of a dialogue, as agents may read it: where transcripts are redacted, nothing of an unredacted one. -#}
{% macro readable_answer(row, column) -%}
    {%- if redacts_transcripts() -%}
        iff({{ row }}.is_redacted, {{ row }}.{{ column }}, null)
    {%- else -%}
        {{ row }}.{{ column }}
    {%- endif -%}
{%- endmacro %}

{#- The segments of the run's days as lines of a dialogue. -#}
{% macro dialogue_lines() -%}
    select
        call_id,
        turn_index,
        part,
        word_count,
        coalesce(speaker_name, speaker_type || ' speaker') || ': ' || transcript_text as line
    from ({{ readable_segments() }}) as segments
{%- endmacro %}

{#-
    CALL_ID and TRANSCRIPT_HASH of each call whose dialogue can be sent: it has words enough, and all its lines may be read.
-#}
{% macro dialogue_hashes() -%}
    select call_id, sha2(listagg(line, '\n') within group (order by turn_index, part), 256) as transcript_hash
    from ({{ dialogue_lines() }}) as lines
    group by 1
    having sum(word_count) >= {{ var('cortex_min_words') | int }} and count(*) = count(line)
{%- endmacro %}
