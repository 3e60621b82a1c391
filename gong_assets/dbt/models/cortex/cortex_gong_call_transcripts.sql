with segments as (

    select
        transcript_id,
        call_id,
        call_date,
        transcript_text,
        word_count,
        content_hash
    from {{ ref('stg_gong_call_transcripts') }}
    where {{ in_run_window('call_date') }}

),

long_enough as (

    select * from segments
    where word_count >= {{ var('cortex_min_words') | int }}

),

-- What was enriched before, by the same model, from the same text: paid for once.
enriched_before as (

    {% if is_incremental() -%}
    select
        long_enough.transcript_id,
        long_enough.call_id,
        long_enough.call_date,
        earlier.segment_sentiment,
        earlier.transcript_embedding,
        earlier.cortex_processed_at,
        long_enough.content_hash
    from long_enough
    inner join {{ this }} as earlier
        on long_enough.transcript_id = earlier.transcript_id
        and long_enough.content_hash = earlier.content_hash
    where
        earlier.processed_by_cortex
        and earlier.embedding_model = '{{ var("embedding_model") }}'
        and earlier.enrichment_version = '{{ var("enrichment_version") }}'
    {%- else -%}
    select
        transcript_id,
        call_id,
        call_date,
        null::float as segment_sentiment,
        null::{{ cortex_embedding_type() }} as transcript_embedding,
        null::timestamp_ltz as cortex_processed_at,
        content_hash
    from long_enough
    where false
    {%- endif %}

),

to_enrich as (

    select long_enough.*
    from long_enough
    left join enriched_before on long_enough.transcript_id = enriched_before.transcript_id
    where enriched_before.transcript_id is null

),

enriched_now as (

    select
        transcript_id,
        call_id,
        call_date,
        {{ cortex_sentiment('transcript_text') }} as segment_sentiment,
        {{ cortex_embedding('transcript_text') }} as transcript_embedding,
        current_timestamp() as cortex_processed_at,
        content_hash
    from to_enrich

),

too_short as (

    select
        transcript_id,
        call_id,
        call_date,
        null::float as segment_sentiment,
        null::{{ cortex_embedding_type() }} as transcript_embedding,
        null::timestamp_ltz as cortex_processed_at,
        content_hash
    from segments
    where word_count < {{ var('cortex_min_words') | int }}

),

unioned as (

    select * from enriched_before
    union all
    select * from enriched_now
    union all
    select * from too_short

)

select
    transcript_id,
    call_id,
    call_date,
    segment_sentiment::float as segment_sentiment,
    transcript_embedding,
    cortex_processed_at is not null as processed_by_cortex,
    cortex_processed_at::timestamp_ltz as cortex_processed_at,
    content_hash,
    '{{ var("embedding_model") }}' as embedding_model,
    '{{ var("enrichment_version") }}' as enrichment_version
from unioned
