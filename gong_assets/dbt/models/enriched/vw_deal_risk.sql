{%- set recent_calls = var('deal_risk_recent_calls') | int %}

with open_deals as (

    select * from {{ ref('stg_hubspot_deals') }}
    where deal_status not in ('Won', 'Lost')

),

deal_calls as (

    select * from {{ ref('vw_deal_calls') }}
    where is_sales_call

),

-- The newest first.
calls as (

    select
        call_id,
        hubspot_deal_id as deal_id,
        row_number() over (
            partition by hubspot_deal_id order by {{ latest_call_first('deal_calls') }}
        ) as recency
    from deal_calls

),

private_deals as (

    select distinct deal_calls.hubspot_deal_id as deal_id
    from {{ ref('vw_deal_calls') }} as deal_calls
    inner join {{ ref('stg_gong_calls') }} as private_calls on deal_calls.call_id = private_calls.call_id
    where private_calls.is_private

),

call_figures as (

    select
        calls.deal_id,
        count(distinct coalesce(details.meeting_id, details.call_id)) as call_count,
        min(details.call_datetime_utc) as first_call_at_utc,
        max(details.call_datetime_utc) as last_call_at_utc,
        max(details.local_call_date) as last_call_date,
        max(iff(calls.recency = 1, calls.call_id, null)) as last_call_id,
        max(iff(calls.recency = 1, details.call_title, null)) as last_call_title,
        max(iff(calls.recency = 1, details.call_url, null)) as last_call_url,
        max(iff(calls.recency = 1, details.primary_user_name, null)) as last_call_host,
        -- Without a brief or topics, Gong has not analysed the call yet.
        count_if(
            calls.recency = 1
            and details.next_steps is null
            and (details.call_brief is not null or details.key_topics is not null)
        ) as last_calls_without_next_step,
        {{ exact_mean("iff(calls.recency <= " ~ recent_calls ~ ", details.customer_sentiment, null)") }}
            as customer_sentiment,
        {{ exact_mean("iff(calls.recency > " ~ recent_calls ~ ", details.customer_sentiment, null)") }}
            as earlier_customer_sentiment
    from calls
    inner join {{ ref('int_gong_call_details') }} as details on calls.call_id = details.call_id
    group by 1

),

-- The risks and participants of a call count once for each of its deals.
call_risks as (

    select
        calls.deal_id,
        count_if(risks.risk = 'Negative Segment') as negative_segment_count,
        count_if(risks.risk = 'Tracker') as risk_tracker_count
    from calls
    inner join {{ ref('int_gong_call_risks') }} as risks on calls.call_id = risks.call_id
    where calls.recency <= {{ recent_calls }}
    group by 1

),

-- A contact's e-mail address identifies the person in calls that are not linked to the contact.
customers as (

    select
        calls.deal_id,
        participants.call_id,
        participants.participant_id,
        coalesce(merged.survivor_id, participants.hubspot_contact_id, participants.crm_contact_id)
            as crm_contact_id,
        coalesce(participants.email_address, contacts.email) as email_address,
        participants.phone_number,
        participants.full_name
    from calls
    inner join {{ ref('stg_gong_call_participants') }} as participants on calls.call_id = participants.call_id
    left join {{ ref('stg_hubspot_merged_records') }} as merged
        on merged.object_type = 'Contact' and participants.hubspot_contact_id = merged.merged_id
    left join {{ ref('stg_hubspot_contacts') }} as contacts
        on coalesce(merged.survivor_id, participants.hubspot_contact_id) = contacts.contact_id
    where
        {{ is_customer('participants.participant_type') }}
        and coalesce(participants.has_spoken, participants.talk_time_seconds > 0)
        and coalesce(participants.participant_kind, 'Person') <> 'Note-Taker'

),

{{ person_counts('customer_counts', 'customers', 'deal_id') }},

flagged as (

    select
        open_deals.*,
        coalesce(call_figures.call_count, 0) as call_count,
        call_figures.first_call_at_utc,
        call_figures.last_call_at_utc,
        call_figures.last_call_date,
        call_figures.last_call_id,
        call_figures.last_call_title,
        call_figures.last_call_url,
        call_figures.last_call_host,
        coalesce(customer_counts.person_count, 0) as customer_count,
        call_figures.customer_sentiment,
        call_figures.earlier_customer_sentiment,
        coalesce(call_risks.negative_segment_count, 0) as negative_segment_count,
        coalesce(call_risks.risk_tracker_count, 0) as risk_tracker_count,
        array_construct_compact(
            iff(open_deals.deal_status = 'Overdue', 'Overdue', null),
            iff(call_figures.call_count is null, 'No Call', null),
            iff(
                call_figures.last_call_date
                < dateadd('day', -{{ var('stalled_deal_days') | int }}, {{ company_today() }}),
                'Stalled', null
            ),
            iff(
                call_figures.customer_sentiment < {{ var('deal_risk_sentiment_below') }},
                'Unhappy Customer', null
            ),
            iff(
                call_figures.earlier_customer_sentiment - call_figures.customer_sentiment
                > {{ var('deal_risk_sentiment_drop_above') }},
                'Falling Sentiment', null
            ),
            iff(call_risks.risk_tracker_count > 0, 'Risk Tracker', null),
            iff(call_figures.last_calls_without_next_step > 0, 'No Next Step', null),
            iff(
                call_figures.call_count >= {{ var('single_contact_from_calls') | int }}
                and customer_counts.person_count = 1,
                'Single Contact', null
            )
        ) as risk_indicators
    from open_deals
    left join call_figures on open_deals.deal_id = call_figures.deal_id
    left join call_risks on open_deals.deal_id = call_risks.deal_id
    left join customer_counts on open_deals.deal_id = customer_counts.deal_id

)

select
    flagged.deal_id as hubspot_deal_id,
    flagged.deal_name,
    flagged.deal_stage,
    flagged.deal_amount,
    flagged.deal_currency_code,
    flagged.deal_amount_in_home_currency,
    flagged.home_currency_code,
    flagged.deal_amount_problem,
    flagged.close_date,
    flagged.days_to_close,
    flagged.deal_status,
    flagged.pipeline_name,
    flagged.deal_owner,
    flagged.deal_owner_email,
    flagged.associated_company_id as hubspot_company_id,
    companies.company_name as hubspot_company_name,
    case
        when array_size(flagged.risk_indicators) >= {{ var('deal_risk_high_from') | int }} then 'High'
        when array_size(flagged.risk_indicators) >= {{ var('deal_risk_medium_from') | int }} then 'Medium'
        else 'Low'
    end as risk_level,
    array_size(flagged.risk_indicators)::number(38, 0) as risk_count,
    flagged.risk_indicators,
    flagged.call_count,
    flagged.first_call_at_utc,
    flagged.last_call_at_utc,
    datediff('day', flagged.last_call_date, {{ company_today() }}) as days_since_last_call,
    flagged.last_call_id,
    flagged.last_call_title,
    flagged.last_call_url,
    flagged.last_call_host,
    flagged.customer_count,
    flagged.customer_sentiment,
    flagged.earlier_customer_sentiment,
    flagged.negative_segment_count,
    flagged.risk_tracker_count,
    private_deals.deal_id is not null as has_private_call
from flagged
left join private_deals on flagged.deal_id = private_deals.deal_id
left join {{ ref('stg_hubspot_companies') }} as companies
    on flagged.associated_company_id = companies.company_id
