with segments as (

    {{ visible_segments() }}

),

enriched as (

    select * from {{ ref('cortex_gong_call_transcripts') }}

),

calls as (

    select * from {{ ref('int_gong_call_details') }}

)

select
    ---------- segment
    segments.transcript_id,
    segments.call_id,
    segments.call_date,
    segments.speaker_id,
    coalesce(speakers.full_name, segments.speaker_name) as speaker_name,
    coalesce(speakers.email_address, segments.speaker_email) as speaker_email,
    segments.speaker_type,
    {{ is_customer('segments.speaker_type') }} as is_customer,
    segments.topic,
    segments.transcript_text,
    segments.start_time_seconds,
    segments.end_time_seconds,
    segments.segment_duration_seconds,
    segments.has_negative_duration,
    segments.word_count,
    segments.turn_index,
    segments.part,
    enriched.segment_sentiment,
    {{ sentiment_category('enriched.segment_sentiment') }} as segment_sentiment_category,
    {{ is_risk_segment('segments.speaker_type', 'enriched.segment_sentiment') }} as is_risk_segment,
    {{ readable_embedding('enriched.transcript_embedding') }} as transcript_embedding,
    enriched.embedding_model,
    coalesce(enriched.processed_by_cortex, false) as processed_by_cortex,
    enriched.cortex_processed_at,

    ---------- call
    calls.call_title,
    calls.call_datetime_utc,
    calls.call_duration_seconds,
    calls.call_url,
    calls.is_private,
    calls.is_sales_call,
    calls.primary_user_id,
    calls.primary_user_name,
    calls.primary_user_email,
    calls.sentiment_score as call_sentiment_score,

    ---------- deal and customer of the call
    calls.hubspot_deal_id,
    calls.deal_name,
    calls.deal_stage,
    calls.deal_amount,
    calls.deal_currency_code,
    calls.deal_amount_in_home_currency,
    calls.close_date,
    calls.deal_owner,
    calls.deal_outcome,
    calls.hubspot_contact_id,
    calls.hubspot_company_id,
    calls.hubspot_company_name
from segments
inner join calls on segments.call_id = calls.call_id
left join {{ ref('int_gong_users') }} as speakers on segments.speaker_user_id = speakers.user_id
-- Results of an earlier text of the segment do not count.
left join enriched
    on segments.transcript_id = enriched.transcript_id
    and segments.content_hash = enriched.content_hash
    -- Follows from the first; with it, the rows of one call are found by the call.
    and segments.call_id = enriched.call_id
