with calls as (

    select * from {{ ref('vw_enriched_gong_calls') }}

),

companies as (

    select * from {{ ref('stg_hubspot_companies') }}

),

deals as (

    select * from {{ ref('stg_hubspot_deals') }}
    where associated_company_id is not null

),

-- A call is in the timeline of each company that it is linked to, and of its HubSpot company, which can come
-- from the deal alone.
call_accounts as (

    select
        call_id,
        crm_system,
        object_id as account_id,
        object_name as account_name
    from {{ ref('int_gong_call_crm_links') }}
    where object_type = 'Account'

    union all

    select
        call_id,
        'HubSpot' as crm_system,
        hubspot_company_id as account_id,
        null::varchar as account_name
    from calls
    where hubspot_company_id is not null

),

linked_accounts as (

    select * from call_accounts
    qualify row_number() over (
        partition by call_id, crm_system, account_id order by account_name nulls last
    ) = 1

),

events as (

    select
        'call_' || calls.call_id || '_' || lower(linked_accounts.crm_system)
        || '_' || linked_accounts.account_id as event_id,
        linked_accounts.crm_system,
        linked_accounts.account_id,
        linked_accounts.account_name,
        coalesce(calls.call_datetime_utc, calls.call_date::timestamp_ntz) as event_at_utc,
        'Call' as event_type,
        coalesce(calls.call_title, 'Call') as event_title,
        coalesce(calls.call_brief, calls.call_summary) as event_detail,
        calls.primary_user_name as sales_rep,
        calls.call_id,
        calls.is_private,
        calls.hubspot_deal_id,
        calls.sentiment_score,
        null::number(15, 2) as deal_amount
    from calls
    inner join linked_accounts on calls.call_id = linked_accounts.call_id

    union all

    select
        'deal_created_' || deals.deal_id as event_id,
        'HubSpot' as crm_system,
        deals.associated_company_id as account_id,
        null::varchar as account_name,
        deals.create_date::timestamp_ntz as event_at_utc,
        'Deal Created' as event_type,
        coalesce(deals.deal_name, deals.deal_id) as event_title,
        deals.pipeline_name as event_detail,
        deals.deal_owner as sales_rep,
        null::varchar as call_id,
        null::boolean as is_private,
        deals.deal_id as hubspot_deal_id,
        null::float as sentiment_score,
        deals.deal_amount
    from deals
    where deals.create_date is not null

    union all

    select
        'deal_close_' || deals.deal_id as event_id,
        'HubSpot' as crm_system,
        deals.associated_company_id as account_id,
        null::varchar as account_name,
        deals.close_date::timestamp_ntz as event_at_utc,
        case
            when deals.deal_status = 'Won' then 'Deal Won'
            when deals.deal_status = 'Lost' then 'Deal Lost'
            else 'Deal Expected to Close'
        end as event_type,
        coalesce(deals.deal_name, deals.deal_id) as event_title,
        deals.deal_stage as event_detail,
        deals.deal_owner as sales_rep,
        null::varchar as call_id,
        null::boolean as is_private,
        deals.deal_id as hubspot_deal_id,
        null::float as sentiment_score,
        deals.deal_amount
    from deals
    where deals.close_date is not null

)

select
    events.event_id,
    events.crm_system,
    events.account_id,
    coalesce(companies.company_name, events.account_name) as account_name,
    events.event_at_utc,
    events.event_type,
    events.event_title,
    events.event_detail,
    events.sales_rep,
    events.call_id,
    events.is_private,
    events.hubspot_deal_id,
    events.sentiment_score,
    events.deal_amount,
    row_number() over (
        partition by events.crm_system, events.account_id order by events.event_at_utc, events.event_id
    ) as event_number
from events
left join companies on events.crm_system = 'HubSpot' and events.account_id = companies.company_id
