with calls as (

    select call_id, call_date from {{ ref('stg_gong_calls') }}
    where {{ in_run_window('call_date') }}

),

segments as (

    select
        staged.call_id,
        staged.turn_index,
        staged.part,
        staged.speaker_name,
        staged.speaker_type,
        staged.transcript_text,
        staged.word_count,
        enriched.segment_sentiment
    from {{ ref('stg_gong_call_transcripts') }} as staged
    left join {{ ref('cortex_gong_call_transcripts') }} as enriched
        on staged.transcript_id = enriched.transcript_id
        and staged.content_hash = enriched.content_hash
        and {{ in_run_window('enriched.call_date') }}
    where {{ in_run_window('staged.call_date') }}

),

-- A score says how sure Cortex is of a polarity: a long segment of doubt weighs more than a short "Great, thanks".
-- Summed as decimals: a sum of floats depends on the order of the rows, and would change from run to run.
weighed as (

    select
        call_id,
        speaker_type,
        segment_sentiment::number(12, 9) * word_count as weighed_sentiment,
        iff(segment_sentiment is null, 0, word_count) as weight
    from segments

),

sentiments as (

    select
        call_id,
        sum(weighed_sentiment) / nullif(sum(weight), 0) as sentiment_score,
        sum(iff(speaker_type = 'External', weighed_sentiment, null))
        / nullif(sum(iff(speaker_type = 'External', weight, 0)), 0) as customer_sentiment,
        sum(iff(speaker_type = 'Internal', weighed_sentiment, null))
        / nullif(sum(iff(speaker_type = 'Internal', weight, 0)), 0) as seller_sentiment
    from weighed
    group by 1

),

dialogues as (

    select
        call_id,
        {{ cortex_call_text("listagg(coalesce(speaker_name, speaker_type || ' speaker') || ': ' || transcript_text, '\\n')
            within group (order by turn_index, part)") }} as dialogue
    from segments
    group by 1
    having sum(word_count) >= {{ var('cortex_min_words') | int }}

),

hashed_dialogues as (

    select call_id, dialogue, sha2(dialogue, 256) as transcript_hash
    from dialogues

),

-- What was summarized before, by the same function, from the same text: paid for once.
summarized_before as (

    {% if is_incremental() -%}
    select
        hashed_dialogues.call_id,
        hashed_dialogues.transcript_hash,
        earlier.call_summary,
        earlier.cortex_processed_at
    from hashed_dialogues
    inner join {{ this }} as earlier
        on hashed_dialogues.call_id = earlier.call_id
        and hashed_dialogues.transcript_hash = earlier.transcript_hash
    where
        earlier.processed_by_cortex
        and earlier.summary_model = '{{ cortex_summary_model() }}'
        and earlier.enrichment_version = '{{ var("enrichment_version") }}'
    {%- else -%}
    select
        call_id,
        transcript_hash,
        null::varchar as call_summary,
        null::timestamp_ltz as cortex_processed_at
    from hashed_dialogues
    where false
    {%- endif %}

),

to_summarize as (

    select hashed_dialogues.*
    from hashed_dialogues
    left join summarized_before on hashed_dialogues.call_id = summarized_before.call_id
    where summarized_before.call_id is null

),

summarized_now as (

    select
        call_id,
        transcript_hash,
        {{ cortex_summary('dialogue') }} as call_summary,
        current_timestamp() as cortex_processed_at
    from to_summarize
    group by 1, 2

),

summaries as (

    select * from summarized_before
    union all
    select * from summarized_now

)

select
    calls.call_id,
    calls.call_date,
    sentiments.sentiment_score::float as sentiment_score,
    sentiments.customer_sentiment::float as customer_sentiment,
    sentiments.seller_sentiment::float as seller_sentiment,
    summaries.call_summary,
    summaries.call_id is not null as processed_by_cortex,
    summaries.cortex_processed_at::timestamp_ltz as cortex_processed_at,
    summaries.transcript_hash,
    '{{ cortex_summary_model() }}' as summary_model,
    '{{ var("enrichment_version") }}' as enrichment_version
from calls
left join sentiments on calls.call_id = sentiments.call_id
left join summaries on calls.call_id = summaries.call_id
