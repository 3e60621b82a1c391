-- Nothing is marked as processed anywhere: how far a call has come is seen by comparing the layers.
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

-- An enriched segment counts only while its text is the staged one.
segments as (

    select
        staged.call_id,
        count(*) as staged_segment_count,
        count(enriched.transcript_id) as enriched_segment_count
    from {{ ref('stg_gong_call_transcripts') }} as staged
    left join {{ ref('cortex_gong_call_transcripts') }} as enriched
        on staged.transcript_id = enriched.transcript_id and staged.content_hash = enriched.content_hash
    group by 1

),

enriched_calls as (

    select call_id, processed_by_cortex, cortex_processed_at
    from {{ ref('cortex_gong_calls') }}

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
    landed.processing_error,
    case
        when landed.processing_error is not null then 'Invalid'
        when staged_calls.call_id is null then 'Landed'
        when landed.transcript_landed_at is null then 'Awaiting Transcript'
        when enriched_calls.call_id is null then 'Staged'
        when coalesce(segments.enriched_segment_count < segments.staged_segment_count, false) then 'Staged'
        else 'Enriched'
    end as ingestion_status
from landed
left join staged_calls on landed.call_id = staged_calls.call_id
left join segments on landed.call_id = segments.call_id
left join enriched_calls on landed.call_id = enriched_calls.call_id
