{{ config(enabled=(env_var('GONG_REDACT_TRANSCRIPTS', '') or 'false') | lower == 'true') }}

-- depends_on: {{ source('cortex', 'gong_cortex_redactions') }}
with segments as (

    select transcript_id, call_id, call_date, content_hash
    from {{ ref('stg_gong_call_transcripts') }}
    where {{ in_run_window('call_date') }}

),

answers as (

    {{ cortex_answers('redactions', ['redaction'], ['answer_text']) }}

)

select
    segments.transcript_id,
    segments.call_id,
    segments.call_date,
    results.answer_text as redacted_text,
    coalesce(answers.processed_by_cortex, false) as processed_by_cortex,
    answers.cortex_processed_at,
    coalesce(answers.cortex_attempts, 0) as cortex_attempts,
    answers.cortex_error,
    answers.cortex_request,
    segments.content_hash,
    results.enrichment_version
from segments
left join answers on segments.call_id = answers.call_id and segments.content_hash = answers.text_hash
{{ join_cortex_results('redactions') }}
