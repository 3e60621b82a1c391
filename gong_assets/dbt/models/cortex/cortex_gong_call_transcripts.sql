{{ config(post_hook="{{ send_segments_to_cortex() }}") }}

{% if redacts_transcripts() -%}
-- The sending models are built one after another, because they share the token budget of the run.
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

-- Results cost money, so those of unchanged texts are kept. The post-hook sends the others.
select
    segments.transcript_id,
    segments.call_id,
    segments.call_date,
    segments.is_too_short,
    previous.segment_sentiment,
    previous.transcript_embedding,
    coalesce(previous.processed_by_cortex, false) as processed_by_cortex,
    previous.cortex_processed_at,
    coalesce(previous.cortex_attempts, 0) as cortex_attempts,
    previous.cortex_error,
    previous.cortex_request,
    segments.content_hash,
    previous.embedding_model,
    previous.enrichment_version
from segments
left join {{ previous_rows() }} as previous
    on segments.transcript_id = previous.transcript_id and segments.content_hash = previous.content_hash
