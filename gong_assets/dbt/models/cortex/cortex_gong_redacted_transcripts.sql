{{ config(
    enabled=(env_var('GONG_REDACT_TRANSCRIPTS', '') or 'false') | lower == 'true',
    post_hook="{{ send_segments_for_redaction() }}"
) }}

with segments as (

    select transcript_id, call_id, call_date, content_hash
    from {{ ref('stg_gong_call_transcripts') }}
    where {{ in_run_window('call_date') }}

)

-- Redactions cost money, so those of unchanged texts are kept. The post-hook sends the others.
select
    segments.transcript_id,
    segments.call_id,
    segments.call_date,
    previous.redacted_text,
    coalesce(previous.processed_by_cortex, false) as processed_by_cortex,
    previous.cortex_processed_at,
    coalesce(previous.cortex_attempts, 0) as cortex_attempts,
    previous.cortex_error,
    previous.cortex_request,
    segments.content_hash,
    previous.enrichment_version
from segments
left join {{ previous_rows() }} as previous
    on segments.transcript_id = previous.transcript_id and segments.content_hash = previous.content_hash
