with calls as (

    select * from {{ ref('vw_gong_ingestion_status') }}

),

awaited as (

    select call_id, is_overdue, likely_reason from {{ ref('vw_calls_without_transcripts') }}

),

counted as (

    select
        calls.call_date,
        count_if(calls.call_landed_at is not null) as landed_calls,
        count_if(calls.ingestion_status = 'Invalid') as invalid_calls,
        count_if(calls.call_landed_at is null and calls.ingestion_status <> 'Deleted')
            as transcripts_without_call,
        count_if(calls.is_staged) as staged_calls,
        count_if(calls.is_staged and calls.transcript_landed_at is not null) as calls_with_transcript,
        count_if(awaited.call_id is not null) as calls_without_transcript,
        count_if(coalesce(awaited.is_overdue, false)) as overdue_transcripts,
        count_if(awaited.likely_reason is not null) as unavailable_transcripts,
        count_if(calls.ingestion_status = 'Landed' and calls.call_landed_at is not null) as calls_to_stage,
        count_if(calls.ingestion_status = 'Deleted') as calls_to_remove,
        count_if(calls.ingestion_status = 'Staged') as calls_to_enrich,
        count_if(calls.ingestion_status = 'Failed') as failed_calls,
        count_if(calls.ingestion_status = 'Enriched') as enriched_calls,
        sum(calls.staged_segment_count)::number(38, 0) as staged_segments,
        sum(calls.enriched_segment_count)::number(38, 0) as enriched_segments
    from calls
    left join awaited on calls.call_id = awaited.call_id
    group by 1

)

select
    call_date,
    landed_calls,
    invalid_calls,
    transcripts_without_call,
    staged_calls,
    calls_with_transcript,
    calls_without_transcript,
    overdue_transcripts,
    unavailable_transcripts,
    calls_to_stage,
    calls_to_remove,
    calls_to_enrich,
    failed_calls,
    enriched_calls,
    staged_segments,
    enriched_segments,
    (calls_with_transcript / nullif(staged_calls, 0))::float as transcript_coverage,
    (enriched_calls / nullif(staged_calls, 0))::float as enrichment_coverage,
    calls_to_stage + calls_to_remove + calls_to_enrich = 0
    and calls_without_transcript = unavailable_transcripts
        as is_complete
from counted
