{#- Post-hooks of models/cortex, which send the pending texts. -#}

{% macro send_segments_to_cortex() %}
    {%- set capabilities = ['sentiment', 'embedding'] -%}
    {%- set pending -%}
        select
            staged.transcript_id as request_id,
            0 as part,
            {{ truncate_for_cortex('staged.transcript_text', capabilities) }} as sent_text,
            staged.call_date,
            {{ previous_attempts('enriched', capabilities) }} as cortex_attempts
        from {{ ref('stg_gong_call_transcripts') }} as staged
        inner join {{ this }} as enriched
            on staged.transcript_id = enriched.transcript_id and staged.content_hash = enriched.content_hash
        where
            {{ in_run_window('staged.call_date') }}
            and {{ in_run_window('enriched.call_date') }}
            and not enriched.is_too_short
            and {{ needs_cortex('enriched', capabilities) }}
    {%- endset -%}
    {%- set results -%}
        select
            request_id,
            {{ sentiment_score_from('sentiment') }}::float as segment_sentiment,
            embedding as transcript_embedding,
            {#- NULL keeps the previous vector and the name of its model. #}
            iff(embedding is null, null, '{{ embedding_model().name }}') as embedding_model,
            '{{ var("enrichment_version") }}' as enrichment_version,
            coalesce(
                {{ sentiment_error_from('sentiment') }},
                iff(embedding is null, '{{ cortex_function("embedding").name }} returned no embedding', null)
            ) as cortex_error
        from (
            select
                request_id,
                {{ cortex_sentiment('sent_text') }} as sentiment,
                {{ cortex_embedding('sent_text') }} as embedding
            from batch
        ) as segment_results
    {%- endset -%}
    {{ send_to_cortex(
        'transcript_id', pending, capabilities, results,
        ['segment_sentiment', 'transcript_embedding', 'embedding_model', 'enrichment_version'],
        var('cortex_segments_per_batch')
    ) }}
{% endmacro %}

{% macro send_calls_to_cortex() %}
    {%- set pending -%}
        {{ _pending_dialogues('summary') }}
    {%- endset -%}
    {%- set results -%}
        select
            *,
            '{{ cortex_summary_model() }}' as summary_model,
            '{{ var("enrichment_version") }}' as enrichment_version
        from ({{ cortex_summaries() }}) as summaries
    {%- endset -%}
    {{ send_to_cortex(
        'call_id', pending, ['summary'], results, ['call_summary', 'summary_model', 'enrichment_version'],
        var('cortex_calls_per_batch')
    ) }}
{% endmacro %}

{% macro send_calls_for_insights() %}
    {%- set pending -%}
        {{ _pending_dialogues('insights') }}
    {%- endset -%}
    {#- Concatenates the lists of the parts, in order. -#}
    {%- set results -%}
        select
            request_id,
            {%- for name in cortex_questions() %}
            iff(
                max(cortex_error) is null,
                array_flatten(array_agg({{ name }}) within group (order by part)),
                null
            ) as {{ name }},
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
                coalesce({{ json_list('insights:' ~ name) }}, array_construct()) as {{ name }}
                {{- ',' if not loop.last }}
                {%- endfor %}
            from ({{ cortex_insights() }}) as answered_parts
        ) as listed_parts
        group by 1
    {%- endset -%}
    {{ send_to_cortex(
        'call_id', pending, ['insights'], results,
        cortex_questions().keys() | list + ['insights_model', 'enrichment_version'],
        var('cortex_calls_per_batch')
    ) }}
{% endmacro %}

{#- The parts of the pending dialogues of this model. -#}
{% macro _pending_dialogues(capability) -%}
    {%- set lines -%}
        select
            lines.call_id as request_id,
            row_number() over (partition by lines.call_id order by lines.turn_index, lines.part)
                as line_number,
            lines.line
        from ({{ dialogue_lines() }}) as lines
        inner join {{ this }} as enriched on lines.call_id = enriched.call_id
        where {{ _dialogue_needs_cortex('enriched', capability) }}
    {%- endset -%}
    select parts.*, enriched.call_date, {{ previous_attempts('enriched', [capability]) }} as cortex_attempts
    from ({{ split_into_requests(lines, capability) }}) as parts
    inner join {{ this }} as enriched on parts.request_id = enriched.call_id
    where {{ in_run_window('enriched.call_date') }}
{%- endmacro %}

{% macro _dialogue_needs_cortex(row, capability) -%}
    {{ in_run_window(row ~ '.call_date') }} and {{ row }}.transcript_hash is not null
    and {{ needs_cortex(row, [capability]) }}
{%- endmacro %}

{% macro send_segments_for_redaction() %}
    {#-
        Otherwise an error fails the whole statement, even with error details requested:
        https://docs.snowflake.com/en/sql-reference/functions/ai_redact
    -#}
    {%- if execute -%}
        {%- do run_query('alter session set AI_SQL_ERROR_HANDLING_USE_FAIL_ON_ERROR = false') -%}
    {%- endif -%}
    {#- Long texts are split into pieces of at most 240 characters (960 tokens), so that nothing is lost. -#}
    {%- set pending -%}
        select
            staged.transcript_id as request_id,
            pieces.index as part,
            pieces.value::varchar as sent_text,
            staged.call_date,
            {{ previous_attempts('enriched', ['redaction']) }} as cortex_attempts
        from {{ ref('stg_gong_call_transcripts') }} as staged
        inner join {{ this }} as enriched
            on staged.transcript_id = enriched.transcript_id and staged.content_hash = enriched.content_hash,
        lateral flatten(input => iff(
            {{ cortex_tokens('redaction', 'staged.transcript_text') }}
            <= {{ cortex_function('redaction').max_tokens }},
            array_construct(staged.transcript_text),
            snowflake.cortex.split_text_recursive_character(staged.transcript_text, 'none', 240)
        )) as pieces
        where
            {{ in_run_window('staged.call_date') }}
            and {{ in_run_window('enriched.call_date') }}
            and {{ needs_cortex('enriched', ['redaction']) }}
    {%- endset -%}
    {%- set results -%}
        select
            request_id,
            redacted_text,
            '{{ var("enrichment_version") }}' as enrichment_version,
            cortex_error
        from ({{ cortex_redactions() }}) as redactions
    {%- endset -%}
    {{ send_to_cortex(
        'transcript_id', pending, ['redaction'], results, ['redacted_text', 'enrichment_version'],
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
    Staged segments with the text that agents may read. If transcripts are redacted, this is the redacted
    text, or NULL if the current text is not redacted yet.
-#}
{% macro visible_segments() -%}
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

{#-
    A Cortex result that agents may read. If transcripts are redacted, results of unredacted dialogues are
    NULL.
-#}
{% macro visible_result(row, column) -%}
    {%- if redacts_transcripts() -%}
        iff({{ row }}.is_redacted, {{ row }}.{{ column }}, null)
    {%- else -%}
        {{ row }}.{{ column }}
    {%- endif -%}
{%- endmacro %}

{#- Segments of the run's days as lines of a dialogue. -#}
{% macro dialogue_lines() -%}
    select
        call_id,
        turn_index,
        part,
        word_count,
        coalesce(speaker_name, speaker_type || ' speaker') || ': ' || transcript_text as line
    from ({{ visible_segments() }}) as segments
{%- endmacro %}

{#-
    CALL_ID and TRANSCRIPT_HASH of the dialogues that can be sent: they have enough words, and all lines are
    visible.
-#}
{% macro dialogue_hashes() -%}
    select call_id, sha2(listagg(line, '\n') within group (order by turn_index, part), 256) as transcript_hash
    from ({{ dialogue_lines() }}) as lines
    group by 1
    having sum(word_count) >= {{ var('cortex_min_words') | int }} and count(*) = count(line)
{%- endmacro %}
