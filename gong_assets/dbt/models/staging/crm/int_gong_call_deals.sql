with links as (

    select
        links.call_id,
        links.call_date,
        links.crm_system,
        links.object_id as deal_id,
        links.listed_object_id,
        links.listed_order,
        links.object_name,
        {%- for column in ['stage', 'amount', 'currency_code', 'currency_sign', 'amount_in_home_currency'] %}
        iff(fields.is_linked_now, fields.{{ column }}_now, fields.{{ column }}_at_call) as {{ column }},
        {%- endfor %}
        coalesce(fields.stage_at_call, fields.stage_now) as first_stage,
        fields.amount_problem
    from {{ ref('int_gong_call_crm_links') }} as links
    inner join {{ ref('stg_gong_call_crm_links') }} as fields on links.crm_link_id = fields.crm_link_id
    where links.object_type = 'Opportunity'

),

deals as (

    select * from {{ ref('stg_hubspot_deals') }}

),

portal as (

    {{ portal_currencies('deals') }}

),

-- Where HubSpot has the deal, its values count, also the empty ones. Gong's are a copy of some earlier time.
call_deals as (

    select
        links.call_id,
        links.call_date,
        links.crm_system,
        links.deal_id,
        links.listed_object_id as listed_deal_id,
        links.listed_order,
        deals.deal_id is not null as is_in_hubspot,
        {%- for column, other in {
            'deal_name': 'links.object_name',
            'deal_stage': 'coalesce(stages.stage_label, links.stage)',
            'deal_amount': 'links.amount',
            'deal_currency_code': 'links.currency_code',
            'deal_amount_in_home_currency': home_amount(
                'links.amount_in_home_currency', 'links.amount', 'links.currency_code', 'links.currency_sign',
                'portal'
            ),
            'deal_amount_problem': 'links.amount_problem',
        }.items() %}
        iff(deals.deal_id is not null, deals.{{ column }}, {{ other }}) as {{ column }},
        {%- endfor %}
        portal.home_currency_code,
        deals.deal_status,
        deals.close_date,
        deals.pipeline_name,
        deals.deal_owner,
        deals.associated_contact_id,
        deals.associated_company_id,
        {{ deal_created_at('deals') }} as created_at_utc,
        {{ deal_closes_at('deals') }} as closes_at_utc,
        links.first_stage,
        {{ call_at('calls') }} as call_at_utc
    from links
    inner join {{ ref('stg_gong_calls') }} as calls on links.call_id = calls.call_id
    left join deals on links.crm_system = 'HubSpot' and links.deal_id = deals.deal_id
    left join {{ ref('stg_hubspot_deal_stages') }} as stages
        on links.crm_system = 'HubSpot' and links.stage = stages.stage_id
    cross join portal

),

dated_deals as (

    select
        *,
        case
            when is_in_hubspot
                then coalesce(created_at_utc <= call_at_utc, true)
                and (
                    deal_status not in ('Won', 'Lost') or coalesce(closes_at_utc >= call_at_utc, false)
                )
            -- Of a deal that HubSpot lacks only the stage is known.
            when first_stage is not null
                then regexp_replace(lower(first_stage), '[^a-z]', '') not in ('closedwon', 'closedlost')
        end as was_open_at_call
    from call_deals

)

select
    call_id || '_' || lower(crm_system) || '_' || deal_id as call_deal_id,
    call_id,
    call_date,
    crm_system,
    deal_id,
    listed_deal_id,
    row_number() over (
        partition by call_id
        order by
            case when was_open_at_call then 0 when was_open_at_call is null then 1 else 2 end,
            iff(is_in_hubspot, 0, 1),
            created_at_utc desc nulls last,
            iff(crm_system = 'HubSpot', 0, 1),
            listed_order,
            deal_id
    ) as deal_rank,
    was_open_at_call,
    is_in_hubspot,
    deal_name,
    deal_stage,
    deal_amount,
    deal_currency_code,
    deal_amount_in_home_currency,
    home_currency_code,
    deal_amount_problem,
    deal_status,
    close_date,
    pipeline_name,
    deal_owner,
    associated_contact_id,
    associated_company_id
from dated_deals
