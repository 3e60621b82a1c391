with hubspot_deals as (

    {{ hubspot_deals() }}

),

distinct_deals as (

    select
        *,
        -- 'closedwon', 'Closed Won' and 'Closed - Won' are one stage: its id, its label, and its label in older accounts.
        regexp_replace(lower(coalesce(deal_stage_id, deal_stage)), '[^a-z]', '') as plain_stage,
        regexp_replace(lower(deal_stage), '[^a-z]', '') as plain_label,
        sysdate()::date as today
    from hubspot_deals
    where deal_id is not null
    qualify row_number() over (partition by deal_id order by updated_at desc nulls last) = 1

)

select
    deal_id,
    deal_name,
    deal_stage,
    deal_stage_id,
    deal_amount,
    close_date,
    create_date,
    pipeline_name,
    deal_owner,
    deal_owner_email,
    deal_source,
    deal_type,
    associated_contact_id,
    associated_company_id,
    datediff('day', create_date, today) as days_since_created,
    datediff('day', today, close_date) as days_to_close,
    case
        when is_won or plain_stage = 'closedwon' or plain_label = 'closedwon' then 'Won'
        when is_closed or plain_stage = 'closedlost' or plain_label = 'closedlost' then 'Lost'
        when close_date < today then 'Overdue'
        when close_date <= dateadd('day', {{ var('closing_soon_days') }}, today) then 'Closing Soon'
        else 'In Progress'
    end as deal_status,
    updated_at,
    sysdate() as last_refreshed
from distinct_deals
