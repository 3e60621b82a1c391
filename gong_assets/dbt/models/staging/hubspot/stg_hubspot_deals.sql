with hubspot_deals as (

    {{ hubspot_deals() }}

),

distinct_deals as (

    select * from hubspot_deals
    where deal_id is not null
    qualify row_number() over (
        partition by deal_id
        order by updated_at desc nulls last, is_deleted desc, deal_name, deal_stage, deal_amount
    ) = 1

),

merged_records as (

    select * from {{ ref('stg_hubspot_merged_records') }}

),

current_deals as (

    select
        distinct_deals.*,
        coalesce(merged_contacts.survivor_id, distinct_deals.associated_contact_id) as current_contact_id,
        coalesce(merged_companies.survivor_id, distinct_deals.associated_company_id) as current_company_id,
        -- 'closedwon', 'Closed Won' and 'Closed - Won' are the same stage: its id, its label, and an older
        -- label.
        regexp_replace(
            lower(coalesce(distinct_deals.deal_stage_id, distinct_deals.deal_stage)), '[^a-z]', ''
        ) as plain_stage,
        regexp_replace(lower(distinct_deals.deal_stage), '[^a-z]', '') as plain_label,
        {{ company_today() }} as today
    from distinct_deals
    left join merged_records as merged_deals
        on merged_deals.object_type = 'Opportunity' and distinct_deals.deal_id = merged_deals.merged_id
    left join merged_records as merged_contacts
        on merged_contacts.object_type = 'Contact'
        and distinct_deals.associated_contact_id = merged_contacts.merged_id
    left join merged_records as merged_companies
        on merged_companies.object_type = 'Account'
        and distinct_deals.associated_company_id = merged_companies.merged_id
    where not distinct_deals.is_deleted and merged_deals.merged_id is null

),

amount_texts as (

    select deal_amount as amount_text, true as is_machine from current_deals
    union
    select deal_amount_in_home_currency as amount_text, true as is_machine from current_deals

),

{{ amounts('read_amounts', 'amount_texts') }},

priced_deals as (

    select
        current_deals.* exclude (deal_amount, deal_amount_in_home_currency, deal_currency_code),
        own.amount as deal_amount,
        coalesce({{ currency_code('current_deals.deal_currency_code') }}, own.currency_code)
            as deal_currency_code,
        coalesce(nullif(upper(trim(current_deals.deal_currency_code)), ''), own.currency_sign)
            as currency_sign,
        coalesce(
            home.amount,
            try_to_decimal(round(own.amount * current_deals.exchange_rate, 2)::varchar, 15, 2)
        ) as deal_amount_in_home_currency,
        coalesce(own.problem, home.problem) as deal_amount_problem
    from current_deals
    left join read_amounts as own on current_deals.deal_amount = own.amount_text
    left join read_amounts as home on current_deals.deal_amount_in_home_currency = home.amount_text

),

portal as (

    {{ portal_currencies('priced_deals') }}

)

select
    deal_id,
    deal_name,
    deal_stage,
    deal_stage_id,
    deal_amount,
    deal_currency_code,
    {{ home_amount(
        'deal_amount_in_home_currency', 'deal_amount', 'deal_currency_code', 'currency_sign', 'portal'
    ) }} as deal_amount_in_home_currency,
    portal.home_currency_code,
    deal_amount_problem,
    close_date,
    close_datetime_utc,
    create_date,
    create_datetime_utc,
    pipeline_name,
    deal_owner,
    lower(deal_owner_email) as deal_owner_email,
    deal_source,
    deal_type,
    current_contact_id as associated_contact_id,
    current_company_id as associated_company_id,
    datediff('day', create_date, today) as days_since_created,
    datediff('day', today, close_date) as days_to_close,
    -- Stage names are arbitrary, so they count only if neither the deal nor the stage says whether it is
    -- closed or won.
    case
        when coalesce(is_won, coalesce(is_closed, true) and 'closedwon' in (plain_stage, plain_label))
            then 'Won'
        when coalesce(is_closed, 'closedlost' in (plain_stage, plain_label)) then 'Lost'
        when close_date < today then 'Overdue'
        when close_date <= dateadd('day', {{ var('closing_soon_days') }}, today) then 'Closing Soon'
        else 'In Progress'
    end as deal_status,
    updated_at,
    sysdate() as last_refreshed
from priced_deals
cross join portal
