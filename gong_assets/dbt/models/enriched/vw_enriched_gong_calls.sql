with calls as (

    select * from {{ ref('int_gong_call_details') }}

),

risks as (

    select
        call_id,
        call_date,
        array_agg(
            object_construct(
                'risk', risk, 'detail', detail, 'at_seconds', at_seconds, 'sentiment', sentiment,
                'transcript_id', transcript_id, 'hubspot_deal_id', hubspot_deal_id
            )
        ) within group (order by risk, at_seconds, risk_id) as risk_indicators
    from {{ ref('vw_gong_call_risks') }}
    group by 1, 2

),

call_deals as (

    select
        call_id,
        array_agg(
            object_construct(
                'crm_system', crm_system, 'deal_id', deal_id, 'deal_name', deal_name,
                'deal_stage', deal_stage, 'deal_status', deal_status, 'deal_amount', deal_amount,
                'deal_currency_code', deal_currency_code,
                'deal_amount_in_home_currency', deal_amount_in_home_currency,
                'was_open_at_call', was_open_at_call
            )
        ) within group (order by deal_rank) as deals
    from {{ ref('int_gong_call_deals') }}
    group by 1

)

select
    calls.*,
    coalesce(call_deals.deals, array_construct()) as deals,
    coalesce(risks.risk_indicators, iff(calls.processed_by_cortex, array_construct(), null))
        as risk_indicators
from calls
left join risks on calls.call_id = risks.call_id and calls.call_date = risks.call_date
left join call_deals on calls.call_id = call_deals.call_id
