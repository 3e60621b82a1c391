with calls as (

    select
        calls.*,
        date_trunc('month', {{ local_call_date('calls') }})::date as call_month,
        coalesce(calls.primary_user_id, 'none') as rep_id,
        coalesce(calls.meeting_id, calls.call_id) as meeting
    from {{ ref('int_gong_call_details') }} as calls
    where calls.call_kind is distinct from 'Future'

),

reps as (

    select
        rep_id,
        max(primary_user_id) as primary_user_id,
        max(primary_user_name) as sales_rep,
        max(primary_user_email) as sales_rep_email
    from calls
    group by 1

),

call_counts as (

    select
        rep_id,
        call_month,
        count(distinct meeting) as total_calls,
        count(distinct iff(call_scope = 'External', meeting, null)) as external_calls,
        count(distinct iff(is_sales_call, meeting, null)) as sales_calls,
        sum(call_duration_seconds) as total_call_seconds
    from calls
    group by 1, 2

),

-- The figures that judge a rep are those of the calls that coaching looks at.
call_means as (

    select
        rep_id,
        call_month,
        count(distinct meeting) as coachable_calls,
        {{ exact_mean('call_duration_seconds') }} as avg_call_duration,
        {{ exact_mean('talk_ratio') }} as avg_talk_ratio,
        count(talk_ratio) as calls_with_talk_ratio,
        {{ exact_mean('longest_monologue_seconds') }} as avg_longest_monologue_seconds,
        sum(iff(call_duration_seconds > 0, company_question_count, null))
        / nullif(sum(iff(company_question_count is not null, call_duration_seconds, null)) / 3600, 0)
            as questions_per_hour,
        {{ exact_mean('sentiment_score') }} as avg_sentiment,
        count(sentiment_score) as calls_with_sentiment,
        {{ exact_mean('customer_sentiment') }} as avg_customer_sentiment
    from calls
    where is_coachable
    group by 1, 2

),

deal_calls as (

    select
        calls.hubspot_deal_id,
        calls.call_id,
        calls.call_date,
        calls.call_datetime_utc,
        {{ call_at('calls') }} as call_at_utc,
        date_trunc('month', {{ local_call_date('calls') }})::date as call_month,
        coalesce(calls.primary_user_id, 'none') as rep_id
    from {{ ref('vw_deal_calls') }} as calls
    where calls.is_sales_call

),

deals_discussed as (

    select rep_id, call_month, count(distinct hubspot_deal_id) as unique_deals_discussed
    from deal_calls
    group by 1, 2

),

-- A closed deal counts once, in the month of its close date, for the host of its last sales call until the
-- close.
-- Calls after the close, such as a kick-off, neither take nor move it.
credited_deals as (

    select
        deals.deal_id,
        deals.deal_status,
        deals.deal_amount_in_home_currency,
        date_trunc('month', deals.close_date)::date as call_month,
        coalesce(deal_calls.rep_id, 'none') as rep_id,
        deal_calls.call_id is null as is_without_call
    from {{ ref('stg_hubspot_deals') }} as deals
    left join deal_calls
        on deals.deal_id = deal_calls.hubspot_deal_id
        and deal_calls.call_at_utc <= {{ deal_closes_at('deals') }}
    where deals.deal_status in ('Won', 'Lost')
    qualify row_number() over (
        partition by deals.deal_id order by {{ latest_call_first('deal_calls') }}
    ) = 1

),

outcomes as (

    select
        rep_id,
        call_month,
        count_if(deal_status = 'Won') as deals_won,
        count_if(deal_status = 'Lost') as deals_lost,
        sum(iff(deal_status = 'Won', deal_amount_in_home_currency, null)) as revenue_won,
        count_if(deal_status = 'Won' and deal_amount_in_home_currency is null)
            as deals_won_without_home_amount,
        count_if(deal_status = 'Won' and is_without_call) as deals_won_without_call,
        sum(iff(deal_status = 'Won' and is_without_call, deal_amount_in_home_currency, null))
            as revenue_won_without_call
    from credited_deals
    group by 1, 2

),

-- A rep can have calls in one month and a deal that closes in the next.
rep_months as (

    select rep_id, call_month from call_counts
    union
    select rep_id, call_month from outcomes

)

select
    rep_months.rep_id || '/' || coalesce(to_char(rep_months.call_month, 'YYYY-MM-DD'), 'unknown')
        as performance_id,
    reps.primary_user_id,
    reps.sales_rep,
    reps.sales_rep_email,
    rep_months.call_month,
    coalesce(call_counts.total_calls, 0) as total_calls,
    coalesce(call_counts.external_calls, 0) as external_calls,
    coalesce(call_counts.sales_calls, 0) as sales_calls,
    call_counts.total_call_seconds::number(38, 0) as total_call_seconds,
    call_means.avg_call_duration,
    call_means.avg_talk_ratio,
    coalesce(call_means.calls_with_talk_ratio, 0) as calls_with_talk_ratio,
    call_means.avg_longest_monologue_seconds,
    call_means.questions_per_hour::float as questions_per_hour,
    call_means.avg_sentiment,
    coalesce(call_means.calls_with_sentiment, 0) as calls_with_sentiment,
    call_means.avg_customer_sentiment,
    coalesce(deals_discussed.unique_deals_discussed, 0) as unique_deals_discussed,
    coalesce(outcomes.deals_won, 0) as deals_won,
    coalesce(outcomes.deals_lost, 0) as deals_lost,
    -- Unknown, and not 0, if no won deal has an amount in the home currency.
    iff(outcomes.deals_won > 0, outcomes.revenue_won, 0)::number(38, 2) as revenue_won,
    portal.home_currency_code,
    coalesce(outcomes.deals_won_without_home_amount, 0) as deals_won_without_home_amount,
    coalesce(outcomes.deals_won_without_call, 0) as deals_won_without_call,
    iff(outcomes.deals_won_without_call > 0, outcomes.revenue_won_without_call, 0)::number(38, 2)
        as revenue_won_without_call,
    case
        when rep_months.rep_id = 'none' then null
        when coalesce(call_means.coachable_calls, 0) < {{ var('performance_min_calls') | int }}
            then 'Too Few Calls'
        when call_means.avg_sentiment is null or call_means.avg_talk_ratio is null then null
        when
            call_means.avg_sentiment > {{ var('performance_high_sentiment_above') }}
            and call_means.avg_talk_ratio between {{ var('performance_high_talk_ratio_from') }}
            and {{ var('performance_high_talk_ratio_to') }}
            then 'High Performer'
        when
            call_means.avg_sentiment > {{ var('performance_good_sentiment_above') }}
            and call_means.avg_talk_ratio between {{ var('performance_good_talk_ratio_from') }}
            and {{ var('performance_good_talk_ratio_to') }}
            then 'Good Performer'
        else 'Needs Coaching'
    end as performance_category
from rep_months
cross join (
    select max(home_currency_code) as home_currency_code from {{ ref('stg_hubspot_deals') }}
) as portal
left join reps on rep_months.rep_id = reps.rep_id
left join call_counts
    on rep_months.rep_id = call_counts.rep_id and rep_months.call_month = call_counts.call_month
left join call_means
    on rep_months.rep_id = call_means.rep_id and rep_months.call_month = call_means.call_month
left join deals_discussed
    on rep_months.rep_id = deals_discussed.rep_id and rep_months.call_month = deals_discussed.call_month
left join outcomes
    on rep_months.rep_id = outcomes.rep_id
    and rep_months.call_month is not distinct from outcomes.call_month
