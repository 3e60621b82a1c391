select
    links.call_id || '_' || links.object_id as deal_call_id,
    links.call_id,
    links.call_date,
    calls.call_datetime_utc,
    calls.primary_user_id,
    calls.meeting_id,
    calls.is_sales_call,
    links.object_id as hubspot_deal_id
from {{ ref('int_gong_call_crm_links') }} as links
inner join {{ ref('int_gong_call_kinds') }} as calls on links.call_id = calls.call_id
where links.object_type = 'Opportunity' and links.crm_system = 'HubSpot'
