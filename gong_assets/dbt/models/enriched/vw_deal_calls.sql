with deal_calls as (

    {{ deal_calls() }}

)

select
    call_id || '_' || deal_id as deal_call_id,
    call_id,
    call_date,
    call_datetime_utc,
    primary_user_id,
    deal_id as hubspot_deal_id
from deal_calls
