-- depends_on: {{ source('cortex', 'gong_cortex_summaries') }}
with calls as (

    select call_id, call_date from {{ ref('stg_gong_calls') }}
    where {{ in_run_window('call_date') }}

),

segments as (

    select
        staged.call_id,
        staged.speaker_type,
        staged.word_count,
        enriched.segment_sentiment
    from {{ ref('stg_gong_call_transcripts') }} as staged
    left join {{ ref('cortex_gong_call_transcripts') }} as enriched
        on staged.transcript_id = enriched.transcript_id
        and staged.content_hash = enriched.content_hash
        and {{ in_run_window('enriched.call_date') }}
    where {{ in_run_window('staged.call_date') }}

),

-- Weighted by words, so that a long segment of doubt outweighs a short "Great, thanks". Summed as decimals,
-- because the sum of floats depends on the order of the rows and would change from run to run.
weighted as (

    select
        call_id,
        speaker_type,
        segment_sentiment::number(12, 9) * word_count as weighted_sentiment,
        iff(segment_sentiment is null, 0, word_count) as weight
    from segments

),

sentiments as (

    select
        call_id,
        sum(weighted_sentiment) / nullif(sum(weight), 0) as sentiment_score,
        sum(iff({{ is_customer('speaker_type') }}, weighted_sentiment, null))
        / nullif(sum(iff({{ is_customer('speaker_type') }}, weight, 0)), 0) as customer_sentiment,
        sum(iff({{ is_customer('speaker_type') }}, null, weighted_sentiment))
        / nullif(sum(iff({{ is_customer('speaker_type') }}, 0, weight)), 0) as seller_sentiment
    from weighted
    group by 1

),

dialogues as (

    select call_id, transcript_hash from {{ ref('int_gong_dialogues') }}
    where {{ in_run_window('call_date') }}

),

answers as (

    {{ cortex_answers('summaries', ['summary'], ['answer_text']) }}

),

-- The first answer for a call, whatever its text was then.
first_answers as (

    select call_id, min(first_answered_at) as first_processed_at
    from {{ cortex_table('answers') }}
    where enrichment = 'summaries' and {{ in_run_window('call_date') }}
    group by 1

)

select
    calls.call_id,
    calls.call_date,
    sentiments.sentiment_score::float as sentiment_score,
    sentiments.customer_sentiment::float as customer_sentiment,
    sentiments.seller_sentiment::float as seller_sentiment,
    results.answer_text as call_summary,
    coalesce(answers.processed_by_cortex, false) as processed_by_cortex,
    answers.cortex_processed_at,
    first_answers.first_processed_at,
    coalesce(answers.cortex_attempts, 0) as cortex_attempts,
    answers.cortex_error,
    answers.cortex_request,
    dialogues.transcript_hash,
    {{ redacts_transcripts() }} as is_redacted,
    results.cortex_model as summary_model,
    results.enrichment_version
from calls
left join sentiments on calls.call_id = sentiments.call_id
left join dialogues on calls.call_id = dialogues.call_id
left join answers on dialogues.call_id = answers.call_id and dialogues.transcript_hash = answers.text_hash
{{ join_cortex_results('summaries') }}
left join first_answers on calls.call_id = first_answers.call_id
