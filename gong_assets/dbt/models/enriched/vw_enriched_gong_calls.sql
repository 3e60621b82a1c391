with calls as (

    select * from {{ ref('int_gong_call_details') }}

),

risks as (

    select
        call_id,
        array_agg(
            object_construct(
                'risk', risk, 'detail', detail, 'at_seconds', at_seconds, 'sentiment', sentiment,
                'transcript_id', transcript_id, 'hubspot_deal_id', hubspot_deal_id
            )
        ) within group (order by risk, at_seconds, risk_id) as risk_indicators
    from {{ ref('vw_gong_call_risks') }}
    group by 1

)

select
    calls.*,
    coalesce(risks.risk_indicators, iff(calls.processed_by_cortex, array_construct(), null))
        as risk_indicators
from calls
left join risks on calls.call_id = risks.call_id
