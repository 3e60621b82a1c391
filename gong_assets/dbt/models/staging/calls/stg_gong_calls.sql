with source as (

    select
        call_id,
        call_date,
        raw_data:metaData as meta,
        raw_data:content as content,
        raw_data:interaction as interaction,
        content_hash,
        ingested_at
    from {{ source('gong', 'gong_calls_raw') }}
    where processing_error is null and {{ in_run_window('call_date') }}

),

renamed as (

    select
        call_id,
        call_date,

        ---------- call
        {{ json_text('meta:title') }} as call_title,
        coalesce({{ json_utc('meta:started') }}, {{ json_utc('meta:scheduled') }}) as call_datetime_utc,
        {{ json_utc('meta:scheduled') }} as scheduled_at_utc,
        {{ json_integer('meta:duration') }} as listed_duration_seconds,
        iff(listed_duration_seconds between 0 and 999999999, listed_duration_seconds, null)
            as call_duration_seconds,
        coalesce(listed_duration_seconds < 0, false) as has_negative_duration,
        {{ json_text('meta:direction') }} as call_direction,
        {{ json_text('meta:system') }} as call_system,
        {{ json_text('meta:scope') }} as call_scope,
        {{ json_text('meta:media') }} as call_media,
        {{ json_text('meta:language') }} as call_language,
        {{ json_text('meta:url') }} as call_url,
        {{ json_text('meta:meetingUrl') }} as meeting_url,
        {{ json_text('meta:workspaceId') }} as workspace_id,
        coalesce({{ json_boolean('meta:isPrivate') }}, false) as is_private,
        {{ json_text('meta:primaryUserId') }} as primary_user_id,
        {{ json_text('meta:purpose') }} as call_purpose,
        {{ json_text('meta:sdrDisposition') }} as sdr_disposition,
        {{ json_text('meta:clientUniqueId') }} as client_unique_id,
        {{ json_text('meta:customData') }} as custom_data,
        {{ json_text('meta:calendarEventId') }} as calendar_event_id,

        ---------- Gong's analysis
        {{ json_text('content:brief') }} as call_brief,
        {{ json_text('content:callOutcome:name') }} as call_outcome,
        {{ json_text('content:callOutcome:category') }} as call_outcome_category,
        {{ json_text('content:callOutcome:id') }} as call_outcome_id,
        {{ json_list('content:pointsOfInterest:actionItems') }} as action_items,
        {{ json_list('content:outline') }} as outline,
        {{ json_list('content:highlights') }} as highlights,
        {{ json_list('content:structure') }} as call_structure,
        {{ json_integer('interaction:questions:companyCount') }} as company_question_count,
        {{ json_integer('interaction:questions:nonCompanyCount') }} as customer_question_count,

        content_hash,
        ingested_at
    from source

),

interaction_stats as (

    {{ interaction_stats('source') }}

),

videos as (

    {{ video_seconds('source') }}

),

key_points as (

    select
        source.call_id,
        array_agg({{ json_text('point.value:text') }}) within group (order by point.index) as key_points
    from source, lateral flatten(input => source.content:keyPoints) as point
    where {{ json_text('point.value:text') }} is not null
    group by 1

),

-- Topics with talk time, longest first; if there are none, trackers with mentions.
listed_key_topics as (

    {%- for list, weight in [
        ('topics', json_duration('entry.value:duration')), ('trackers', json_integer('entry.value:count'))
    ] %}
    {{ 'union all' if not loop.first }}
    select
        source.call_id,
        {{ loop.index }} as source_order,
        {{ json_text('entry.value:name') }} as topic_name,
        sum({{ weight }}) as weight,
        min(entry.index) as topic_index
    from source, lateral flatten(input => source.content:{{ list }}) as entry
    group by 1, 2, 3
    {%- endfor %}

),

preferred_key_topics as (

    select *
    from listed_key_topics
    where topic_name is not null and weight > 0
    qualify source_order = min(source_order) over (partition by call_id)

),

key_topics as (

    select call_id, array_agg(topic_name) within group (order by weight desc, topic_index) as key_topics
    from preferred_key_topics
    group by 1

),

listed_next_steps as (

    {{ listed_next_steps('source') }}

),

preferred_next_steps as (

    select *
    from listed_next_steps
    where next_step is not null
    qualify source_order = min(source_order) over (partition by call_id)

),

next_steps as (

    select call_id, array_agg(next_step) within group (order by section_index, item_index) as next_steps
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

participation as (

    {{ call_participation('participants', 'renamed') }}

),

-- A note-taker is nobody, and a room is somebody only if one spoke in it.
present_customers as (

    select * from participants
    where
        {{ is_customer('participant_type') }}
        and case participant_kind
            when 'Note-Taker' then false
            when 'Room' then coalesce(has_spoken, false)
            else coalesce(has_attended, true)
        end

),

{{ person_counts('customer_counts', 'present_customers', 'call_id') }},

contacts as (

    {{ call_contacts('participants') }}

),

-- The landed transcript of a call, which can be of another day.
landed_transcripts as (

    select renamed.call_id, landed.call_date as landed_date, landed.ingested_at
    from renamed
    inner join {{ source('gong', 'gong_call_transcripts_raw') }} as landed on renamed.call_id = landed.call_id
    where landed.processing_error is null

),

-- Also joined by date, so that the large transcripts of other days are not read.
transcripts_with_words as (

    select distinct landed_transcripts.call_id
    from landed_transcripts
    inner join {{ source('gong', 'gong_call_transcripts_raw') }} as landed
        on landed_transcripts.landed_date = landed.call_date and landed_transcripts.call_id = landed.call_id,
        lateral flatten(input => landed.transcript_data:transcript) as turn,
        lateral flatten(input => turn.value:sentences) as sentence
    where {{ json_text('sentence.value:text') }} is not null

),

-- They have no segments that would show that they are staged.
wordless_transcripts as (

    select landed_transcripts.call_id, landed_transcripts.ingested_at
    from landed_transcripts
    left join transcripts_with_words on landed_transcripts.call_id = transcripts_with_words.call_id
    where transcripts_with_words.call_id is null

),

-- The preferred deal and company of the linked ones.
crm_links as (

    select
        call_id,
        max(iff(object_type = 'Opportunity' and preference = 1, object_id, null)) as crm_opportunity_id,
        max(iff(object_type = 'Opportunity' and preference = 1 and crm_system = 'HubSpot', object_id, null))
            as hubspot_deal_id,
        count_if(object_type = 'Opportunity') as crm_deal_count,
        max(iff(object_type = 'Account' and preference = 1, object_id, null)) as crm_account_id,
        max(iff(object_type = 'Account' and preference = 1 and crm_system = 'HubSpot', object_id, null))
            as hubspot_company_id,
        max(iff(object_type = 'Opportunity' and preference = 1, object_name, null)) as deal_name,
        {%- for column, value in {'deal_stage': 'stage', 'deal_value': 'amount'}.items() %}
        max(iff(
            object_type = 'Opportunity' and preference = 1,
            iff(is_linked_now, {{ value }}_now, {{ value }}_at_call),
            null
        )) as {{ column }},
        {%- endfor %}
        max(iff(object_type = 'Account' and preference = 1, object_name, null)) as account_name
    from {{ ref('stg_gong_call_crm_links') }}
    where is_current and {{ in_run_window('call_date') }}
    group by 1

)

select
    renamed.call_id,
    renamed.call_date,
    renamed.call_title,
    renamed.call_datetime_utc,
    renamed.scheduled_at_utc,
    renamed.call_duration_seconds,
    renamed.has_negative_duration,
    renamed.call_direction,
    renamed.call_system,
    renamed.call_scope,
    renamed.call_media,
    renamed.call_language,
    renamed.call_url,
    renamed.meeting_url,
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
    crm_links.deal_name,
    crm_links.deal_stage,
    crm_links.deal_value,
    crm_links.account_name,
    contacts.contact_name,
    coalesce(interaction_stats.talk_ratio, participation.talk_ratio) as talk_ratio,
    participation.team_talk_ratio,
    participation.is_host_on_call,
    iff(participation.call_id is null, null, coalesce(customer_counts.person_count, 0)) as customer_count,
    participation.has_customer_spoken,
    interaction_stats.longest_monologue_seconds,
    interaction_stats.longest_customer_story_seconds,
    interaction_stats.interactivity_score,
    interaction_stats.patience_seconds,
    renamed.company_question_count + renamed.customer_question_count as questions_asked_count,
    renamed.company_question_count,
    renamed.customer_question_count,
    videos.presentation_seconds,
    videos.browser_seconds,
    videos.host_webcam_seconds,
    videos.customer_webcam_seconds,
    videos.webcam_seconds,
    renamed.call_brief,
    key_points.key_points,
    key_topics.key_topics,
    next_steps.next_steps,
    renamed.action_items,
    renamed.outline,
    renamed.highlights,
    renamed.call_structure,
    renamed.call_outcome,
    renamed.call_outcome_category,
    renamed.call_outcome_id,
    renamed.call_purpose,
    renamed.sdr_disposition,
    {%- set outcomes = ['call_outcome', 'call_outcome_category', 'sdr_disposition'] %}
    coalesce(
        {% for outcome in outcomes -%}
        {{ has_words('renamed.' ~ outcome, var('voicemail_outcomes')) }}{{ ' or ' if not loop.last }}
        {% endfor -%}, false
    ) as has_voicemail_outcome,
    renamed.client_unique_id,
    renamed.custom_data,
    renamed.calendar_event_id,
    -- A recorder that was dropped and came back makes a second recording of a meeting.
    iff(
        renamed.calendar_event_id is null,
        renamed.call_id,
        first_value(renamed.call_id) over (
            partition by renamed.calendar_event_id, renamed.call_date
            order by renamed.call_datetime_utc nulls last, renamed.call_id
        )
    ) as meeting_id,
    renamed.content_hash,
    wordless_transcripts.ingested_at as wordless_transcript_landed_at,
    renamed.ingested_at
from renamed
left join interaction_stats on renamed.call_id = interaction_stats.call_id
left join videos on renamed.call_id = videos.call_id
left join key_points on renamed.call_id = key_points.call_id
left join key_topics on renamed.call_id = key_topics.call_id
left join next_steps on renamed.call_id = next_steps.call_id
left join primary_users
    on renamed.call_id = primary_users.call_id and renamed.primary_user_id = primary_users.user_id
left join participation on renamed.call_id = participation.call_id
left join customer_counts on renamed.call_id = customer_counts.call_id
left join contacts on renamed.call_id = contacts.call_id
left join crm_links on renamed.call_id = crm_links.call_id
left join wordless_transcripts on renamed.call_id = wordless_transcripts.call_id
