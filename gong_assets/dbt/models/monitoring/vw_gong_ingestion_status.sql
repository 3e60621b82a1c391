-- There are no processing flags. The status follows from comparing the layers.
with calls as (

    select call_id, call_date, ingested_at, processing_error
    from {{ source('gong', 'gong_calls_raw') }}

),

transcripts as (

    select call_id, call_date, ingested_at, processing_error
    from {{ source('gong', 'gong_call_transcripts_raw') }}

),

staged_calls as (

    select call_id from {{ ref('stg_gong_calls') }}

),

-- Only segments with a result for their current text count as enriched.
segments as (

    select
        staged.call_id,
        count(*) as staged_segment_count,
        sum(staged.word_count) >= {{ var('cortex_min_words') | int }} as has_dialogue,
        count_if(enriched.is_too_short or enriched.processed_by_cortex) as enriched_segment_count,
        count_if(
            not enriched.is_too_short and not enriched.processed_by_cortex
            and not {{ needs_cortex('enriched', ['sentiment', 'embedding']) }}
        ) as failed_segment_count
    from {{ ref('stg_gong_call_transcripts') }} as staged
    left join {{ ref('cortex_gong_call_transcripts') }} as enriched
        on staged.transcript_id = enriched.transcript_id and staged.content_hash = enriched.content_hash
    group by 1

),

enriched_calls as (

    select
        call_id,
        processed_by_cortex,
        cortex_processed_at,
        first_processed_at,
        transcript_hash is not null and not {{ needs_cortex('summaries', ['summary']) }} as is_settled
    from {{ ref('cortex_gong_calls') }} as summaries

),

landed as (

    select
        coalesce(calls.call_id, transcripts.call_id) as call_id,
        coalesce(calls.call_date, transcripts.call_date) as call_date,
        calls.ingested_at as call_landed_at,
        transcripts.ingested_at as transcript_landed_at,
        coalesce(calls.processing_error, transcripts.processing_error) as processing_error
    from calls
    full outer join transcripts on calls.call_id = transcripts.call_id

)

select
    landed.call_id,
    landed.call_date,
    landed.call_landed_at,
    landed.transcript_landed_at,
    staged_calls.call_id is not null as is_staged,
    coalesce(segments.staged_segment_count, 0) as staged_segment_count,
    coalesce(segments.enriched_segment_count, 0) as enriched_segment_count,
    coalesce(enriched_calls.processed_by_cortex, false) as is_summarized,
    enriched_calls.cortex_processed_at,
    enriched_calls.first_processed_at,
    landed.processing_error,
    case
        when landed.processing_error is not null then 'Invalid'
        when staged_calls.call_id is null then 'Landed'
        when landed.transcript_landed_at is null then 'Awaiting Transcript'
        when enriched_calls.call_id is null then 'Staged'
        when segments.enriched_segment_count + segments.failed_segment_count < segments.staged_segment_count
            then 'Staged'
        when
            segments.has_dialogue
            and not enriched_calls.processed_by_cortex
            and not enriched_calls.is_settled
            then 'Staged'
        when
            segments.failed_segment_count > 0
            or segments.has_dialogue and not enriched_calls.processed_by_cortex
            then 'Failed'
        else 'Enriched'
    end as ingestion_status
from landed
left join staged_calls on landed.call_id = staged_calls.call_id
left join segments on landed.call_id = segments.call_id
left join enriched_calls on landed.call_id = enriched_calls.call_id
