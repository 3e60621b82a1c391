{%- set kept_risks = visible_result('kept', 'risk_indicators') -%}
with calls as (

    select * from {{ ref('int_gong_call_details') }}

),

-- What depends on the deal and on today. All other risks are kept as a list.
deal_risks as (

    select
        call_id,
        array_agg(object_construct('risk', risk, 'detail', detail, 'hubspot_deal_id', hubspot_deal_id))
            within group (order by risk, risk_id) as risk_indicators
    from {{ ref('vw_gong_call_risks') }}
    where hubspot_deal_id is not null
    group by 1

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
    case
        when
            {{ kept_risks }} is not null
            or deal_risks.call_id is not null
            or calls.processed_by_cortex and kept.call_id is null
            then array_cat(
                coalesce({{ kept_risks }}, array_construct()),
                coalesce(deal_risks.risk_indicators, array_construct())
            )
    end as risk_indicators
from calls
left join {{ ref('int_gong_call_risk_lists') }} as kept
    on calls.call_id = kept.call_id and calls.call_date = kept.call_date
left join deal_risks on calls.call_id = deal_risks.call_id
left join call_deals on calls.call_id = call_deals.call_id
