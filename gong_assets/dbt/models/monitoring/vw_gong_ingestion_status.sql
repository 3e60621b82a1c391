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

    select call_id, call_date, wordless_transcript_landed_at from {{ ref('stg_gong_calls') }}

),

-- Only segments with a result for their current text count as enriched.
segments as (

    select
        staged.call_id,
        max(staged.ingested_at) as transcript_landed_at,
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

),

-- A call that was deleted in Gong stays staged until the next run of its day.
known as (

    select
        coalesce(landed.call_id, staged_calls.call_id) as call_id,
        coalesce(landed.call_date, staged_calls.call_date) as call_date,
        landed.call_landed_at,
        landed.transcript_landed_at,
        landed.processing_error,
        staged_calls.call_id is not null as is_staged,
        -- The landed transcript is the staged one if the landing times are the same. A transcript without
        -- words is staged with its call, and has no segments: any that are left are of an earlier transcript.
        landed.transcript_landed_at is not null and coalesce(
            landed.transcript_landed_at = iff(
                segments.call_id is null,
                staged_calls.wordless_transcript_landed_at,
                segments.transcript_landed_at
            ),
            false
        ) as is_transcript_staged
    from landed
    full outer join staged_calls on landed.call_id = staged_calls.call_id
    left join segments on staged_calls.call_id = segments.call_id

)

select
    known.call_id,
    known.call_date,
    known.call_landed_at,
    known.transcript_landed_at,
    known.is_staged,
    known.is_transcript_staged,
    coalesce(segments.staged_segment_count, 0) as staged_segment_count,
    coalesce(segments.enriched_segment_count, 0) as enriched_segment_count,
    coalesce(enriched_calls.processed_by_cortex, false) as is_summarized,
    enriched_calls.cortex_processed_at,
    enriched_calls.first_processed_at,
    known.processing_error,
    case
        when known.processing_error is not null then 'Invalid'
        when known.is_staged and known.call_landed_at is null then 'Deleted'
        when not known.is_staged then 'Landed'
        when known.transcript_landed_at is null then 'Awaiting Transcript'
        when not known.is_transcript_staged then 'Landed'
        when enriched_calls.call_id is null then 'Staged'
        when
            coalesce(segments.enriched_segment_count + segments.failed_segment_count, 0)
            < coalesce(segments.staged_segment_count, 0)
            then 'Staged'
        when
            coalesce(segments.has_dialogue, false)
            and not coalesce(enriched_calls.processed_by_cortex, false)
            and not coalesce(enriched_calls.is_settled, false)
            then 'Staged'
        when
            segments.failed_segment_count > 0
            or coalesce(segments.has_dialogue, false)
            and not coalesce(enriched_calls.processed_by_cortex, false)
            then 'Failed'
        else 'Enriched'
    end as ingestion_status
from known
left join segments on known.call_id = segments.call_id
left join enriched_calls on known.call_id = enriched_calls.call_id
