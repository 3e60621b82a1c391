-- An enriched segment counts only while its text is the staged one.
with segments as (

    select
        staged.call_date,
        staged.call_id,
        staged.word_count >= {{ var('cortex_min_words') | int }} as is_long_enough,
        enriched.transcript_id is not null as is_seen,
        coalesce(enriched.processed_by_cortex, false) as is_sent,
        enriched.segment_sentiment is not null as has_sentiment,
        enriched.transcript_embedding is not null as has_embedding,
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
        count_if(is_sent) as sent_segments,
        count_if(is_long_enough and not is_seen) as waiting_segments,
        count_if(is_sent and not has_sentiment) as segments_without_sentiment,
        count_if(is_sent and not has_embedding) as segments_without_embedding,
        count(distinct embedding_model) as embedding_models,
        max(cortex_processed_at) as last_segment_sent_at
    from segments
    group by 1

),

call_counts as (

    select
        staged.call_date,
        count(*) as calls,
        count_if(coalesce(enriched.processed_by_cortex, false)) as sent_calls,
        count_if(coalesce(enriched.processed_by_cortex, false) and enriched.call_summary is null) as calls_without_summary,
        max(enriched.cortex_processed_at) as last_call_sent_at
    from {{ ref('stg_gong_calls') }} as staged
    left join {{ ref('cortex_gong_calls') }} as enriched on staged.call_id = enriched.call_id
    group by 1

)

select
    call_counts.call_date,
    call_counts.calls,
    call_counts.sent_calls,
    call_counts.calls_without_summary,
    coalesce(segment_counts.segments, 0) as segments,
    coalesce(segment_counts.too_short_segments, 0) as too_short_segments,
    coalesce(segment_counts.sent_segments, 0) as sent_segments,
    coalesce(segment_counts.waiting_segments, 0) as waiting_segments,
    coalesce(segment_counts.segments_without_sentiment, 0) as segments_without_sentiment,
    coalesce(segment_counts.segments_without_embedding, 0) as segments_without_embedding,
    coalesce(segment_counts.embedding_models, 0) as embedding_models,
    case
        when segment_counts.waiting_segments > 0 then 'Waiting'
        when
            call_counts.calls_without_summary > 0
            or segment_counts.segments_without_sentiment > 0
            or segment_counts.segments_without_embedding > 0
            then 'Incomplete'
        when segment_counts.segments is null then 'No Speech'
        else 'Complete'
    end as cortex_status,
    segment_counts.last_segment_sent_at,
    call_counts.last_call_sent_at
from call_counts
left join segment_counts on call_counts.call_date = segment_counts.call_date
