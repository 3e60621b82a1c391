{%- set embedding = 'embedding_' ~ embedding_dimension() -%}
-- depends_on: {{ source('cortex', 'gong_cortex_segments') }}
with segments as (

    select
        transcript_id,
        call_id,
        call_date,
        word_count < {{ var('cortex_min_words') | int }} as is_too_short,
        content_hash
    from {{ ref('stg_gong_call_transcripts') }}
    where {{ in_run_window('call_date') }}

),

answers as (

    {{ cortex_answers('segments', ['sentiment', 'embedding'], ['sentiment', embedding]) }}

)

select
    segments.transcript_id,
    segments.call_id,
    segments.call_date,
    segments.is_too_short,
    results.sentiment as segment_sentiment,
    results.{{ embedding }} as transcript_embedding,
    coalesce(answers.processed_by_cortex, false) as processed_by_cortex,
    answers.cortex_processed_at,
    coalesce(answers.cortex_attempts, 0) as cortex_attempts,
    answers.cortex_error,
    answers.cortex_request,
    segments.content_hash,
    results.cortex_model as embedding_model,
    results.enrichment_version
from segments
left join answers
    on segments.call_id = answers.call_id
    and segments.content_hash = answers.text_hash
    and not segments.is_too_short
{{ join_cortex_results('segments') }}
