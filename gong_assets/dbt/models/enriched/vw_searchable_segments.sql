-- Nothing of HubSpot and no names, which a search reads for its hits only.
select
    segments.transcript_id,
    segments.call_id,
    segments.call_date,
    {{ is_customer('segments.speaker_type') }} as is_customer,
    segments.word_count,
    enriched.embedding_model,
    calls.primary_user_id,
    calls.is_private
from ({{ visible_segments() }}) as segments
inner join {{ ref('stg_gong_calls') }} as calls on segments.call_id = calls.call_id
-- Results of an earlier text of the segment do not count.
inner join {{ ref('cortex_gong_call_transcripts') }} as enriched
    on segments.transcript_id = enriched.transcript_id and segments.content_hash = enriched.content_hash
where enriched.processed_by_cortex and enriched.embedding_model is not null and segments.transcript_text is not null
