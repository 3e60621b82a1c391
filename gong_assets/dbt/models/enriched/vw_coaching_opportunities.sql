with calls as (

    select
        *,
        company_question_count / nullif(call_duration_seconds / 3600, 0) as questions_per_hour
    from {{ ref('vw_enriched_gong_calls') }}
    where
        coalesce(call_scope, 'Unknown') <> 'Internal'
        and coalesce(call_duration_seconds >= {{ var('coaching_min_call_seconds') | int }}, true)

),

judged as (

    select
        *,
        array_construct_compact(
            iff(talk_ratio > {{ var('coaching_talk_ratio_above') }}, 'Talked Too Much', null),
            iff(talk_ratio < {{ var('coaching_talk_ratio_below') }}, 'Talked Too Little', null),
            iff(longest_monologue_seconds > {{ var('coaching_monologue_seconds_above') }}, 'Long Monologue', null),
            iff(questions_per_hour < {{ var('coaching_questions_per_hour_below') }}, 'Few Questions', null),
            iff(interactivity_score < {{ var('coaching_interactivity_below') }}, 'Little Dialogue', null),
            iff(patience_seconds < {{ var('coaching_patience_seconds_below') }}, 'Interrupted', null),
            iff(
                coalesce(customer_sentiment, sentiment_score) < {{ var('coaching_sentiment_below') }},
                'Unhappy Customer', null
            )
        ) as reasons
    from calls

),

-- A call may have been reviewed several times.
reviews as (

    select
        call_id,
        count(*) as review_count,
        max(reviewed_at_utc) as last_reviewed_at_utc
    from {{ ref('stg_gong_answered_scorecards') }}
    where call_id is not null
    group by 1

)

select
    judged.call_id,
    judged.call_date,
    judged.call_title,
    judged.call_datetime_utc,
    judged.call_url,
    judged.is_private,
    judged.primary_user_id,
    judged.primary_user_name,
    judged.primary_user_email,
    judged.reasons,
    array_size(judged.reasons)::number(38, 0) as reason_count,
    judged.talk_ratio,
    judged.longest_monologue_seconds,
    judged.questions_per_hour::float as questions_per_hour,
    judged.interactivity_score,
    judged.patience_seconds,
    judged.sentiment_score,
    judged.customer_sentiment,
    coalesce(reviews.review_count, 0) as review_count,
    reviews.last_reviewed_at_utc,
    judged.hubspot_deal_id,
    judged.deal_name,
    judged.deal_amount,
    judged.deal_outcome
from judged
left join reviews on judged.call_id = reviews.call_id
where array_size(judged.reasons) > 0
