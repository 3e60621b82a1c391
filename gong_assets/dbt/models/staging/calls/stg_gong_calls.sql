with source as (

    select
        call_id,
        call_date,
        raw_data:metaData as meta,
        raw_data:content as content,
        raw_data:interaction as interaction,
        raw_data:context as crm_context,
        content_hash,
        ingested_at
    from {{ source('gong', 'gong_calls_raw') }}
    where processing_error is null and {{ in_run_window('call_date') }}

),

renamed as (

    select
        call_id,
        call_date,

        ---------- what was held
        {{ json_text('meta:title') }} as call_title,
        {{ json_utc('meta:started') }} as call_datetime_utc,
        {{ json_utc('meta:scheduled') }} as scheduled_at_utc,
        {{ json_integer('meta:duration') }} as call_duration_seconds,
        {{ json_text('meta:direction') }} as call_direction,
        {{ json_text('meta:system') }} as call_system,
        {{ json_text('meta:scope') }} as call_scope,
        {{ json_text('meta:media') }} as call_media,
        {{ json_text('meta:language') }} as call_language,
        {{ json_text('meta:url') }} as call_url,
        {{ json_text('meta:workspaceId') }} as workspace_id,
        coalesce({{ json_boolean('meta:isPrivate') }}, false) as is_private,
        {{ json_text('meta:primaryUserId') }} as primary_user_id,

        ---------- what Gong made of it
        {{ json_text('content:brief') }} as call_brief,
        {{ json_text('content:callOutcome:name') }} as call_outcome,
        {{ json_integer('interaction:questions:companyCount') }} as company_question_count,
        {{ json_integer('interaction:questions:nonCompanyCount') }} as customer_question_count,

        content_hash,
        ingested_at
    from source

),

-- Gong's own figures about the host, absent until it has analysed the call.
interaction_stats as (

    select
        source.call_id,
        max(iff(lower(stat.value:name::varchar) = 'talk ratio', {{ json_float('stat.value:value') }}, null)) as talk_ratio,
        max(iff(lower(stat.value:name::varchar) = 'longest monologue', {{ json_float('stat.value:value') }}, null))
            as longest_monologue_seconds,
        max(iff(lower(stat.value:name::varchar) = 'interactivity', {{ json_float('stat.value:value') }}, null))
            as interactivity_score
    from source, lateral flatten(input => source.interaction:interactionStats) as stat
    group by 1

),

key_points as (

    select
        source.call_id,
        array_agg({{ json_text('point.value:text') }}) within group (order by point.index) as key_points
    from source, lateral flatten(input => source.content:keyPoints) as point
    group by 1

),

key_topics as (

    select
        source.call_id,
        array_agg({{ json_text('topic.value:name') }})
            within group (order by {{ json_float('topic.value:duration') }} desc, topic.index) as key_topics
    from source, lateral flatten(input => source.content:topics) as topic
    where {{ json_float('topic.value:duration') }} > 0
    group by 1

),

-- Gong's action items where a tenant still gets them, else the highlights under a heading such as "Next steps".
listed_next_steps as (

    select
        source.call_id,
        1 as source_order,
        0 as highlight_index,
        item.index as item_index,
        {{ json_text('item.value:snippet') }} as next_step
    from source, lateral flatten(input => source.content:pointsOfInterest:actionItems) as item

    union all

    select
        source.call_id,
        2 as source_order,
        highlight.index as highlight_index,
        item.index as item_index,
        {{ json_text('item.value:text') }} as next_step
    from source,
        lateral flatten(input => source.content:highlights) as highlight,
        lateral flatten(input => highlight.value:items) as item
    where highlight.value:title::varchar ilike '%next step%'

),

preferred_next_steps as (

    select *
    from listed_next_steps
    where next_step is not null
    qualify source_order = min(source_order) over (partition by call_id)

),

next_steps as (

    select call_id, array_agg(next_step) within group (order by highlight_index, item_index) as next_steps
    from preferred_next_steps
    group by 1

),

participants as (

    select * from {{ ref('stg_gong_call_participants') }}
    where {{ in_run_window('call_date') }}

),

primary_users as (

    select call_id, user_id, email_address, full_name
    from participants
    where user_id is not null
    qualify row_number() over (partition by call_id, user_id order by party_index) = 1

),

talk_ratios as (

    select
        call_id,
        (
            sum(iff(participant_type = 'Internal', talk_time_seconds, 0)) / nullif(sum(talk_time_seconds), 0)
        )::float as talk_ratio
    from participants
    group by 1

),

-- The customer: of the people from outside, first one that the CRM knows.
contacts as (

    select call_id, hubspot_contact_id, full_name
    from participants
    where participant_type <> 'Internal'
    qualify row_number() over (
        partition by call_id
        order by
            iff(hubspot_contact_id is null, 1, 0), iff(crm_contact_id is null, 1, 0),
            iff(participant_type = 'External', 0, 1), party_index
    ) = 1

),

crm_records as (

    {{ crm_records('source', 'call_id') }}

),

crm_links as (

    select
        call_id,
        max(iff(crm_kind = 'deal' and preference = 1, crm_id, null)) as crm_opportunity_id,
        max(iff(crm_kind = 'deal' and preference = 1 and is_hubspot, crm_id, null)) as hubspot_deal_id,
        count_if(crm_kind = 'deal') as crm_deal_count,
        max(iff(crm_kind = 'company' and preference = 1, crm_id, null)) as crm_account_id,
        max(iff(crm_kind = 'company' and preference = 1 and is_hubspot, crm_id, null)) as hubspot_company_id
    from crm_records
    group by 1

),

crm_fields as (

    select
        crm_records.call_id,
        crm_records.crm_kind,
        {{ crm_field_name('field') }} as field_name,
        {{ json_text('field.value:value') }} as field_value
    from crm_records, lateral flatten(input => crm_records.fields) as field
    where crm_records.preference = 1

),

crm_values as (

    select
        call_id,
        max(iff(crm_kind = 'deal' and field_name in ('name', 'dealname'), field_value, null)) as deal_name,
        max(iff(crm_kind = 'deal' and field_name in ('stagename', 'dealstage', 'stage'), field_value, null)) as deal_stage,
        max(iff(crm_kind = 'deal' and field_name in ('amount', 'dealamount'), try_to_decimal(field_value, 15, 2), null))
            as deal_value,
        max(iff(crm_kind = 'company' and field_name in ('name', 'companyname', 'accountname'), field_value, null))
            as account_name
    from crm_fields
    group by 1

)

select
    renamed.call_id,
    renamed.call_date,
    renamed.call_title,
    renamed.call_datetime_utc,
    renamed.scheduled_at_utc,
    renamed.call_duration_seconds,
    renamed.call_direction,
    renamed.call_system,
    renamed.call_scope,
    renamed.call_media,
    renamed.call_language,
    renamed.call_url,
    renamed.workspace_id,
    renamed.is_private,
    renamed.primary_user_id,
    primary_users.email_address as primary_user_email,
    primary_users.full_name as primary_user_name,
    crm_links.hubspot_deal_id,
    contacts.hubspot_contact_id,
    crm_links.hubspot_company_id,
    crm_links.crm_opportunity_id,
    crm_links.crm_account_id,
    coalesce(crm_links.crm_deal_count, 0) as crm_deal_count,
    crm_values.deal_name,
    crm_values.deal_stage,
    crm_values.deal_value,
    crm_values.account_name,
    contacts.full_name as contact_name,
    coalesce(interaction_stats.talk_ratio, talk_ratios.talk_ratio) as talk_ratio,
    interaction_stats.longest_monologue_seconds,
    interaction_stats.interactivity_score,
    renamed.company_question_count + renamed.customer_question_count as questions_asked_count,
    renamed.company_question_count,
    renamed.customer_question_count,
    renamed.call_brief,
    key_points.key_points,
    key_topics.key_topics,
    next_steps.next_steps,
    renamed.call_outcome,
    renamed.content_hash,
    renamed.ingested_at
from renamed
left join interaction_stats on renamed.call_id = interaction_stats.call_id
left join key_points on renamed.call_id = key_points.call_id
left join key_topics on renamed.call_id = key_topics.call_id
left join next_steps on renamed.call_id = next_steps.call_id
left join primary_users
    on renamed.call_id = primary_users.call_id and renamed.primary_user_id = primary_users.user_id
left join talk_ratios on renamed.call_id = talk_ratios.call_id
left join contacts on renamed.call_id = contacts.call_id
left join crm_links on renamed.call_id = crm_links.call_id
left join crm_values on renamed.call_id = crm_values.call_id
