with deal_calls as (

    select * from {{ ref('vw_deal_calls') }}
    where is_sales_call

),

-- The last sales call of each deal.
last_calls as (

    select * from deal_calls
    qualify row_number() over (
        partition by hubspot_deal_id order by {{ latest_call_first('deal_calls') }}
    ) = 1

),

open_deals as (

    select
        last_calls.call_id,
        last_calls.call_date,
        {{ local_call_date('last_calls') }} as local_call_date,
        deals.deal_id,
        deals.deal_name,
        deals.close_date,
        deals.deal_status
    from last_calls
    inner join {{ ref('stg_hubspot_deals') }} as deals on last_calls.hubspot_deal_id = deals.deal_id
    where deals.deal_status not in ('Won', 'Lost')

),

risks as (

    select
        risk_id,
        call_id,
        call_date,
        risk,
        {{ visible_result('kept', 'detail') }} as detail,
        at_seconds,
        sentiment,
        transcript_id,
        topic_id,
        null::varchar as hubspot_deal_id
    from {{ ref('int_gong_call_risks') }} as kept
    where risk <> 'Extracted Risk' or {{ visible_result('kept', 'detail') }} is not null

    union all

    select
        call_id || '_' || deal_id || '_stalled' as risk_id,
        call_id,
        call_date,
        'Stalled Deal' as risk,
        'No sales call about ' || coalesce(deal_name, deal_id)
        || ' since ' || to_char(local_call_date, 'YYYY-MM-DD') as detail,
        null::float as at_seconds,
        null::float as sentiment,
        null::varchar as transcript_id,
        null::varchar as topic_id,
        deal_id as hubspot_deal_id
    from open_deals
    where local_call_date < dateadd('day', -{{ var('stalled_deal_days') | int }}, {{ company_today() }})

    union all

    select
        call_id || '_' || deal_id || '_overdue' as risk_id,
        call_id,
        call_date,
        'Overdue Deal' as risk,
        coalesce(deal_name, deal_id) || ' was to close on ' || to_char(close_date, 'YYYY-MM-DD') as detail,
        null::float as at_seconds,
        null::float as sentiment,
        null::varchar as transcript_id,
        null::varchar as topic_id,
        deal_id as hubspot_deal_id
    from open_deals
    where deal_status = 'Overdue'

)

select
    risks.*,
    calls.is_private
from risks
left join {{ ref('stg_gong_calls') }} as calls on risks.call_id = calls.call_id
