{#-
    The contact of the deal is used only if Gong lists no customer. A customer without a CRM record is another
    person.
-#}
{%- set contact_id -%}
    coalesce(
        merged_contacts.survivor_id, calls.hubspot_contact_id, inferred.hubspot_contact_id,
        iff(calls.contact_name is null, deals.associated_contact_id, null)
    )
{%- endset %}
{%- set linked_company_id -%}
    coalesce(merged_companies.survivor_id, calls.hubspot_company_id, deals.associated_company_id)
{%- endset %}
{%- set company_id = 'coalesce(' ~ linked_company_id ~ ', inferred.hubspot_company_id)' %}
select
    ---------- call
    calls.call_id,
    calls.call_date,
    calls.call_title,
    calls.call_datetime_utc,
    {{ local_call_date('calls') }} as local_call_date,
    calls.call_duration_seconds,
    calls.has_negative_duration,
    calls.call_direction,
    calls.call_system,
    calls.call_scope,
    calls.call_language,
    calls.call_url,
    calls.workspace_id,
    calls.is_private,
    kinds.meeting_id,
    kinds.call_kind,
    kinds.is_sales_call,
    kinds.is_coachable,
    calls.customer_count,
    calls.primary_user_id,
    coalesce(users.email_address, calls.primary_user_email) as primary_user_email,
    coalesce(users.full_name, calls.primary_user_name) as primary_user_name,

    ---------- content
    enriched.sentiment_score,
    {{ sentiment_category('enriched.sentiment_score') }} as sentiment_category,
    enriched.customer_sentiment,
    enriched.seller_sentiment,
    {{ visible_result('enriched', 'call_summary') }} as call_summary,
    calls.call_brief,
    calls.key_points,
    {%- for column in ['key_topics', 'next_steps'] %}
    {#- Cortex can answer [null]. -#}
    {%- set listed = 'array_compact(' ~ visible_result('insights', column) ~ ')' %}
    {%- set extracted = 'iff(array_size(' ~ listed ~ ') > 0, ' ~ listed ~ ', null)' %}
    coalesce(calls.{{ column }}, {{ extracted }}) as {{ column }},
    case when calls.{{ column }} is not null then 'Gong' when {{ extracted }} is not null then 'Cortex' end
        as {{ column }}_source,
    {%- endfor %}
    calls.call_outcome,
    calls.talk_ratio,
    calls.team_talk_ratio,
    calls.longest_monologue_seconds,
    calls.longest_customer_story_seconds,
    calls.interactivity_score,
    calls.patience_seconds,
    calls.questions_asked_count,
    calls.company_question_count,
    calls.customer_question_count,
    coalesce(enriched.processed_by_cortex, false) as processed_by_cortex,
    enriched.cortex_processed_at,

    ---------- deal
    iff(deals.crm_system = 'HubSpot', deals.deal_id, null) as hubspot_deal_id,
    deals.listed_deal_id as crm_opportunity_id,
    calls.crm_deal_count,
    deals.deal_name,
    deals.deal_stage,
    deals.deal_amount,
    deals.deal_currency_code,
    deals.deal_amount_in_home_currency,
    deals.home_currency_code,
    deals.deal_amount_problem,
    deals.close_date,
    deals.pipeline_name,
    deals.deal_owner,
    deals.deal_status,
    case
        when deals.deal_status is null then null
        when deals.deal_status in ('Won', 'Lost') then deals.deal_status
        else 'In Progress'
    end as deal_outcome,
    datediff('day', {{ local_call_date('calls') }}, deals.close_date) as days_to_close,

    ---------- customer
    {{ contact_id }} as hubspot_contact_id,
    contacts.first_name,
    contacts.last_name,
    contacts.email,
    contacts.company_name,
    contacts.job_title,
    contacts.lifecycle_stage,
    calls.contact_name,
    {{ company_id }} as hubspot_company_id,
    {{ linked_company_id }} is null and inferred.hubspot_company_id is not null as is_company_inferred,
    calls.crm_account_id,
    iff(companies.company_id is not null, companies.company_name, calls.account_name)
        as hubspot_company_name,
    companies.industry,
    companies.annual_revenue,
    companies.number_of_employees
from {{ ref('stg_gong_calls') }} as calls
inner join {{ ref('int_gong_call_kinds') }} as kinds on calls.call_id = kinds.call_id
left join {{ ref('cortex_gong_calls') }} as enriched on calls.call_id = enriched.call_id
left join {{ ref('cortex_gong_call_insights') }} as insights on calls.call_id = insights.call_id
left join {{ ref('int_gong_users') }} as users on calls.primary_user_id = users.user_id
left join {{ ref('int_gong_call_deals') }} as deals on calls.call_id = deals.call_id and deals.deal_rank = 1
left join {{ ref('stg_hubspot_merged_records') }} as merged_contacts
    on merged_contacts.object_type = 'Contact' and calls.hubspot_contact_id = merged_contacts.merged_id
left join {{ ref('stg_hubspot_merged_records') }} as merged_companies
    on merged_companies.object_type = 'Account' and calls.hubspot_company_id = merged_companies.merged_id
left join {{ ref('int_gong_inferred_records') }} as inferred on calls.call_id = inferred.call_id
left join {{ ref('stg_hubspot_contacts') }} as contacts
    on {{ contact_id }} = contacts.contact_id
left join {{ ref('stg_hubspot_companies') }} as companies
    on {{ company_id }} = companies.company_id
