with calls as (

    select * from {{ ref('int_gong_call_details') }}

),

companies as (

    select * from {{ ref('stg_hubspot_companies') }}

),

deals as (

    select * from {{ ref('stg_hubspot_deals') }}
    where associated_company_id is not null

),

-- A call is in the timeline of each company that it is linked to, of its HubSpot company, and of the company
-- of each of its deals, which can be another one.
call_accounts as (

    select
        call_id,
        crm_system,
        object_id as account_id,
        object_name as account_name,
        is_inferred
    from {{ ref('int_gong_call_crm_links') }}
    where object_type = 'Account'

    union all

    select
        call_id,
        'HubSpot' as crm_system,
        hubspot_company_id as account_id,
        null::varchar as account_name,
        is_company_inferred as is_inferred
    from calls
    where hubspot_company_id is not null

    union all

    select
        call_id,
        'HubSpot' as crm_system,
        associated_company_id as account_id,
        null::varchar as account_name,
        false as is_inferred
    from {{ ref('int_gong_call_deals') }}
    where associated_company_id is not null

),

linked_accounts as (

    select * from call_accounts
    qualify row_number() over (
        partition by call_id, crm_system, account_id order by account_name nulls last, is_inferred
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
        calls.local_call_date as event_date,
        2 as event_order,
        'Call' as event_type,
        coalesce(calls.call_title, 'Call') as event_title,
        coalesce(calls.call_brief, calls.call_summary) as event_detail,
        calls.primary_user_name as sales_rep,
        calls.call_id,
        calls.is_private,
        calls.hubspot_deal_id,
        calls.sentiment_score,
        null::number(15, 2) as deal_amount,
        null::varchar as deal_currency_code,
        null::number(15, 2) as deal_amount_in_home_currency,
        linked_accounts.is_inferred
    from calls
    inner join linked_accounts on calls.call_id = linked_accounts.call_id

    union all

    select
        'deal_created_' || deals.deal_id as event_id,
        'HubSpot' as crm_system,
        deals.associated_company_id as account_id,
        null::varchar as account_name,
        {{ deal_created_at('deals') }} as event_at_utc,
        deals.create_date as event_date,
        1 as event_order,
        'Deal Created' as event_type,
        coalesce(deals.deal_name, deals.deal_id) as event_title,
        deals.pipeline_name as event_detail,
        deals.deal_owner as sales_rep,
        null::varchar as call_id,
        null::boolean as is_private,
        deals.deal_id as hubspot_deal_id,
        null::float as sentiment_score,
        deals.deal_amount,
        deals.deal_currency_code,
        deals.deal_amount_in_home_currency,
        false as is_inferred
    from deals
    where deals.create_date is not null

    union all

    select
        'deal_close_' || deals.deal_id as event_id,
        'HubSpot' as crm_system,
        deals.associated_company_id as account_id,
        null::varchar as account_name,
        {{ deal_closes_at('deals') }} as event_at_utc,
        deals.close_date as event_date,
        3 as event_order,
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
        deals.deal_amount,
        deals.deal_currency_code,
        deals.deal_amount_in_home_currency,
        false as is_inferred
    from deals
    where deals.close_date is not null

)

select
    events.event_id,
    events.crm_system,
    events.account_id,
    iff(companies.company_id is not null, companies.company_name, events.account_name) as account_name,
    events.event_at_utc,
    events.event_date,
    events.event_type,
    events.event_title,
    events.event_detail,
    events.sales_rep,
    events.call_id,
    events.is_private,
    events.hubspot_deal_id,
    events.sentiment_score,
    events.deal_amount,
    events.deal_currency_code,
    events.deal_amount_in_home_currency,
    events.is_inferred,
    -- Of events at the same moment, a deal's creation comes before the calls, and its close after them.
    row_number() over (
        partition by events.crm_system, events.account_id
        order by events.event_at_utc, events.event_order, events.event_id
    ) as event_number
from events
left join companies on events.crm_system = 'HubSpot' and events.account_id = companies.company_id
