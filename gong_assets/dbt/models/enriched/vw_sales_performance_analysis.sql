with calls as (

    select
        *,
        date_trunc('month', call_date)::date as call_month,
        coalesce(primary_user_id, 'none') as rep_id
    from {{ ref('vw_enriched_gong_calls') }}

),

rep_months as (

    select
        rep_id,
        call_month,
        max(primary_user_id) as primary_user_id,
        max(primary_user_name) as sales_rep,
        max(primary_user_email) as sales_rep_email,
        count(*) as total_calls,
        count_if(call_scope = 'External') as external_calls,
        sum(call_duration_seconds) as total_call_seconds,
        {{ exact_mean('call_duration_seconds') }} as avg_call_duration,
        {{ exact_mean('talk_ratio') }} as avg_talk_ratio,
        {{ exact_mean('longest_monologue_seconds') }} as avg_longest_monologue_seconds,
        sum(iff(call_duration_seconds > 0, company_question_count, null))
        / nullif(sum(iff(company_question_count is not null, call_duration_seconds, null)) / 3600, 0)
            as questions_per_hour,
        {{ exact_mean('sentiment_score') }} as avg_sentiment,
        {{ exact_mean('customer_sentiment') }} as avg_customer_sentiment
    from calls
    group by 1, 2

),

deal_calls as (

    select * from {{ ref('vw_deal_calls') }}

),

dated_deal_calls as (

    select
        deal_calls.*,
        date_trunc('month', deal_calls.call_date)::date as call_month,
        coalesce(deal_calls.primary_user_id, 'none') as rep_id,
        deals.deal_status,
        deals.deal_amount_in_home_currency,
        deals.close_date
    from deal_calls
    left join {{ ref('stg_hubspot_deals') }} as deals on deal_calls.hubspot_deal_id = deals.deal_id

),

deals_discussed as (

    select rep_id, call_month, count(distinct hubspot_deal_id) as unique_deals_discussed
    from dated_deal_calls
    group by 1, 2

),

-- A won or lost deal counts only in the row of its last call before it was closed.
credited_deals as (

    select * from dated_deal_calls
    where deal_status in ('Won', 'Lost')
    qualify row_number() over (
        partition by hubspot_deal_id
        order by iff(call_date > close_date, 1, 0), {{ latest_call_first('dated_deal_calls') }}
    ) = 1

),

outcomes as (

    select
        rep_id,
        call_month,
        count_if(deal_status = 'Won') as deals_won,
        count_if(deal_status = 'Lost') as deals_lost,
        sum(iff(deal_status = 'Won', deal_amount_in_home_currency, null)) as revenue_won
    from credited_deals
    group by 1, 2

)

select
    rep_months.rep_id || '/' || to_char(rep_months.call_month, 'YYYY-MM-DD') as performance_id,
    rep_months.primary_user_id,
    rep_months.sales_rep,
    rep_months.sales_rep_email,
    rep_months.call_month,
    rep_months.total_calls,
    rep_months.external_calls,
    rep_months.total_call_seconds::number(38, 0) as total_call_seconds,
    rep_months.avg_call_duration,
    rep_months.avg_talk_ratio,
    rep_months.avg_longest_monologue_seconds,
    rep_months.questions_per_hour::float as questions_per_hour,
    rep_months.avg_sentiment,
    rep_months.avg_customer_sentiment,
    coalesce(deals_discussed.unique_deals_discussed, 0) as unique_deals_discussed,
    coalesce(outcomes.deals_won, 0) as deals_won,
    coalesce(outcomes.deals_lost, 0) as deals_lost,
    coalesce(outcomes.revenue_won, 0)::number(38, 2) as revenue_won,
    case
        when rep_months.total_calls < {{ var('performance_min_calls') | int }} then 'Too Few Calls'
        when rep_months.avg_sentiment is null or rep_months.avg_talk_ratio is null then null
        when
            rep_months.avg_sentiment > {{ var('performance_high_sentiment_above') }}
            and rep_months.avg_talk_ratio between {{ var('performance_high_talk_ratio_from') }}
            and {{ var('performance_high_talk_ratio_to') }}
            then 'High Performer'
        when
            rep_months.avg_sentiment > {{ var('performance_good_sentiment_above') }}
            and rep_months.avg_talk_ratio between {{ var('performance_good_talk_ratio_from') }}
            and {{ var('performance_good_talk_ratio_to') }}
            then 'Good Performer'
        else 'Needs Coaching'
    end as performance_category
from rep_months
left join deals_discussed
    on rep_months.rep_id = deals_discussed.rep_id and rep_months.call_month = deals_discussed.call_month
left join outcomes on rep_months.rep_id = outcomes.rep_id and rep_months.call_month = outcomes.call_month
