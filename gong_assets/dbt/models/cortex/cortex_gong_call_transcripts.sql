{{ config(post_hook="{{ send_segments_to_cortex() }}") }}

{% if redacts_transcripts() -%}
-- Models that send are built one after another, as they share the run's token budget.
-- depends_on: {{ ref('cortex_gong_redacted_transcripts') }}
{%- endif %}

with segments as (

    select
        transcript_id,
        call_id,
        call_date,
        word_count < {{ var('cortex_min_words') | int }} as is_too_short,
        content_hash
    from {{ ref('stg_gong_call_transcripts') }}
    where {{ in_run_window('call_date') }}

)

-- What was answered for the same text is carried over: it was paid for. The rest waits for the post-hook.
select
    segments.transcript_id,
    segments.call_id,
    segments.call_date,
    segments.is_too_short,
    earlier.segment_sentiment,
    earlier.transcript_embedding,
    coalesce(earlier.processed_by_cortex, false) as processed_by_cortex,
    earlier.cortex_processed_at,
    coalesce(earlier.cortex_attempts, 0) as cortex_attempts,
    earlier.cortex_error,
    earlier.cortex_request,
    segments.content_hash,
    earlier.embedding_model,
    earlier.enrichment_version
from segments
left join {{ earlier_rows() }} as earlier
    on segments.transcript_id = earlier.transcript_id and segments.content_hash = earlier.content_hash
