-- Only results of the current text of a segment count.
with segments as (

    select
        staged.call_date,
        staged.word_count >= {{ var('cortex_min_words') | int }} as is_long_enough,
        coalesce(enriched.processed_by_cortex, false) as is_answered,
        {{ needs_cortex('enriched', ['sentiment', 'embedding']) }} as is_pending,
        enriched.cortex_error is not null as has_failed,
        enriched.embedding_model,
        enriched.cortex_processed_at
    from {{ ref('stg_gong_call_transcripts') }} as staged
    left join {{ ref('cortex_gong_call_transcripts') }} as enriched
        on staged.transcript_id = enriched.transcript_id and staged.content_hash = enriched.content_hash

),

segment_counts as (

    select
        call_date,
        count(*) as segments,
        count_if(not is_long_enough) as too_short_segments,
        count_if(is_answered) as sent_segments,
        count_if(is_long_enough and is_pending) as waiting_segments,
        count_if(is_long_enough and has_failed and not is_pending) as failed_segments,
        count(distinct embedding_model) as embedding_models,
        max(cortex_processed_at) as last_segment_sent_at
    from segments
    group by 1

),

calls as (

    select
        staged.call_date,
        coalesce(enriched.processed_by_cortex, false) as is_answered,
        -- A staged call without a row has not reached the Cortex layer yet.
        enriched.call_id is null
        or enriched.transcript_hash is not null and {{ needs_cortex('enriched', ['summary']) }} as is_pending,
        enriched.cortex_error is not null as has_failed,
        insights.transcript_hash is not null and {{ needs_cortex('insights', ['insights']) }}
            as are_insights_pending,
        insights.cortex_error is not null as has_failed_insights,
        enriched.cortex_processed_at
    from {{ ref('stg_gong_calls') }} as staged
    left join {{ ref('cortex_gong_calls') }} as enriched on staged.call_id = enriched.call_id
    left join {{ ref('cortex_gong_call_insights') }} as insights on staged.call_id = insights.call_id

),

call_counts as (

    select
        call_date,
        count(*) as calls,
        count_if(is_answered) as sent_calls,
        count_if(is_pending or are_insights_pending) as waiting_calls,
        count_if(has_failed and not is_pending or has_failed_insights and not are_insights_pending)
            as failed_calls,
        max(cortex_processed_at) as last_call_sent_at
    from calls
    group by 1

),

{#- Segments whose text is hidden until it is redacted. #}
redaction_counts as (

    {% if redacts_transcripts() -%}
    select
        staged.call_date,
        count_if({{ needs_cortex('redacted', ['redaction']) }}) as waiting_redactions,
        count_if(redacted.cortex_error is not null and not {{ needs_cortex('redacted', ['redaction']) }})
            as failed_redactions
    from {{ ref('stg_gong_call_transcripts') }} as staged
    left join {{ ref('cortex_gong_redacted_transcripts') }} as redacted
        on staged.transcript_id = redacted.transcript_id and staged.content_hash = redacted.content_hash
    group by 1
    {%- else -%}
    select null::date as call_date, 0 as waiting_redactions, 0 as failed_redactions
    where false
    {%- endif %}

)

select
    call_counts.call_date,
    call_counts.calls,
    call_counts.sent_calls,
    call_counts.waiting_calls,
    call_counts.failed_calls,
    coalesce(segment_counts.segments, 0) as segments,
    coalesce(segment_counts.too_short_segments, 0) as too_short_segments,
    coalesce(segment_counts.sent_segments, 0) as sent_segments,
    coalesce(segment_counts.waiting_segments, 0) as waiting_segments,
    coalesce(segment_counts.failed_segments, 0) as failed_segments,
    coalesce(redaction_counts.waiting_redactions, 0) as waiting_redactions,
    coalesce(redaction_counts.failed_redactions, 0) as failed_redactions,
    coalesce(segment_counts.embedding_models, 0) as embedding_models,
    case
        when
            call_counts.waiting_calls > 0
            or segment_counts.waiting_segments > 0
            or redaction_counts.waiting_redactions > 0
            then 'Waiting'
        when
            call_counts.failed_calls > 0
            or segment_counts.failed_segments > 0
            or redaction_counts.failed_redactions > 0
            then 'Failed'
        when segment_counts.segments is null then 'No Speech'
        else 'Complete'
    end as cortex_status,
    segment_counts.last_segment_sent_at,
    call_counts.last_call_sent_at
from call_counts
left join segment_counts on call_counts.call_date = segment_counts.call_date
left join redaction_counts on call_counts.call_date = redaction_counts.call_date
