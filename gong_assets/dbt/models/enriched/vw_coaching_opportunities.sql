{#-
    `worst` is the worst possible value; a monologue has none. A host who leaves the talking to a colleague
    does not talk too little.
-#}
{%- set criteria = [
    {'reason': 'Talked Too Much', 'value': 'talk_ratio', 'is': '>',
     'threshold': var('coaching_talk_ratio_above'), 'worst': 1},
    {'reason': 'Talked Too Little',
     'value': 'greatest(talk_ratio, coalesce(team_talk_ratio, talk_ratio))', 'is': '<',
     'threshold': var('coaching_talk_ratio_below'), 'worst': 0},
    {'reason': 'Long Monologue', 'value': 'longest_monologue_seconds', 'is': '>',
     'threshold': var('coaching_monologue_seconds_above')},
    {'reason': 'Few Questions', 'value': 'questions_per_hour', 'is': '<',
     'threshold': var('coaching_questions_per_hour_below'), 'worst': 0},
    {'reason': 'Little Dialogue', 'value': 'interactivity_score', 'is': '<',
     'threshold': var('coaching_interactivity_below'), 'worst': 0},
    {'reason': 'Interrupted', 'value': 'patience_seconds', 'is': '<',
     'threshold': var('coaching_patience_seconds_below'), 'worst': 0},
    {'reason': 'Unhappy Customer', 'value': 'customer_sentiment', 'is': '<',
     'threshold': var('coaching_sentiment_below'), 'worst': -1},
] %}

with calls as (

    select
        *,
        company_question_count / nullif(call_duration_seconds / 3600, 0) as questions_per_hour
    from {{ ref('int_gong_call_details') }}
    where is_coachable

),

flagged as (

    select
        *,
        array_construct_compact(
            {%- for criterion in criteria %}
            iff(
                {{ criterion.value }} {{ criterion.is }} {{ criterion.threshold }},
                '{{ criterion.reason }}', null
            ){{ ',' if not loop.last }}
            {%- endfor %}
        ) as reasons,
        -- Each excess is 0 at its threshold and 1 at the worst value, so that they can be added.
        round(
            {%- for criterion in criteria %}
            {{ '+ ' if not loop.first }}iff(
                {{ criterion.value }} {{ criterion.is }} {{ criterion.threshold }},
                {%- if 'worst' in criterion %}
                least(1, coalesce(
                    ({{ criterion.value }}::float - {{ criterion.threshold }})
                    / nullif({{ criterion.worst }} - {{ criterion.threshold }}, 0), 1
                )),
                {%- else %}
                1 - {{ criterion.threshold }} / nullif({{ criterion.value }}::float, 0),
                {%- endif %}
                0
            )
            {%- endfor %},
            4
        )::float as coaching_score
    from calls

),

-- A call can have several reviews.
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
    flagged.call_id,
    flagged.call_date,
    flagged.call_title,
    flagged.call_datetime_utc,
    flagged.call_url,
    flagged.is_private,
    flagged.primary_user_id,
    flagged.primary_user_name,
    flagged.primary_user_email,
    flagged.reasons,
    array_size(flagged.reasons)::number(38, 0) as reason_count,
    flagged.coaching_score,
    flagged.talk_ratio,
    flagged.team_talk_ratio,
    flagged.longest_monologue_seconds,
    flagged.questions_per_hour::float as questions_per_hour,
    flagged.interactivity_score,
    flagged.patience_seconds,
    flagged.sentiment_score,
    flagged.customer_sentiment,
    coalesce(reviews.review_count, 0) as review_count,
    reviews.last_reviewed_at_utc,
    flagged.hubspot_deal_id,
    flagged.deal_name,
    flagged.deal_amount,
    flagged.deal_outcome,
    flagged.hubspot_company_id,
    flagged.hubspot_company_name
from flagged
left join reviews on flagged.call_id = reviews.call_id
where array_size(flagged.reasons) > 0
