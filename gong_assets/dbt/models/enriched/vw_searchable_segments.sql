-- Nothing of HubSpot and no names, which a search reads for its hits only.
select
    segments.transcript_id,
    segments.call_id,
    segments.call_date,
    segments.content_hash,
    {{ is_customer('segments.speaker_type') }} as is_customer,
    segments.word_count,
    calls.primary_user_id,
    calls.is_private
from ({{ visible_segments() }}) as segments
inner join {{ ref('stg_gong_calls') }} as calls on segments.call_id = calls.call_id
where segments.transcript_text is not null
