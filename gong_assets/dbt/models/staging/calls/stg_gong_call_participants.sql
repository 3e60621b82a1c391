with source as (

    select
        call_id,
        call_date,
        ingested_at,
        raw_data:parties as parties,
        raw_data:interaction:speakers as speakers
    from {{ source('gong', 'gong_calls_raw') }}
    where processing_error is null and {{ in_run_window('call_date') }}

),

-- speakers[].id is the id of the party, not the speakerId of the transcript.
listed_speakers as (

    select
        source.call_id,
        source.call_date,
        source.ingested_at,
        {{ json_text('speaker.value:id') }} as party_id,
        {{ json_text('speaker.value:userId') }} as user_id,
        {{ json_seconds('speaker.value:talkTime') }} as talk_time_seconds
    from source, lateral flatten(input => source.speakers) as speaker

),

talk_times as (

    select
        call_id,
        call_date,
        ingested_at,
        party_id,
        max(user_id) as user_id,
        sum(talk_time_seconds)::number(38, 6) as talk_time_seconds
    from listed_speakers
    where party_id is not null and talk_time_seconds >= 0
    group by 1, 2, 3, 4

),

parties as (

    select
        source.call_id,
        source.call_date,
        source.ingested_at,
        party.index as party_index,
        {{ json_text('party.value:id') }} as party_id,
        {{ json_text('party.value:speakerId') }} as speaker_id,
        {{ json_text('party.value:userId') }} as user_id,
        lower({{ json_text('party.value:emailAddress') }}) as email_address,
        {{ json_text('party.value:name') }} as full_name,
        {{ json_text('party.value:phoneNumber') }} as phone_number,
        {{ json_text('party.value:title') }} as role,
        coalesce(initcap({{ json_text('party.value:affiliation') }}), 'Unknown') as participant_type,
        party.value:methods as methods,
        party.value:context as crm_context
    from source, lateral flatten(input => source.parties) as party
    where {{ is_list_entry('party') }}

    union all

    select
        call_id,
        call_date,
        ingested_at,
        null as party_index,
        party_id,
        null as speaker_id,
        user_id,
        null as email_address,
        null as full_name,
        null as phone_number,
        null as role,
        iff(user_id is null, 'Unknown', 'Internal') as participant_type,
        null as methods,
        null as crm_context
    from talk_times

),

-- Gong can list a person twice, as invitee and as attendee. The party id is the key, and the entry with a
-- speakerId wins. Speakers who are not parties have only a talk time.
participants as (

    select
        *,
        call_id || '_' || coalesce(party_id, 'party' || party_index) as participant_id
    from parties
    qualify row_number() over (
        partition by call_id, coalesce(party_id, 'party' || party_index)
        order by iff(speaker_id is null, 1, 0), party_index nulls last
    ) = 1

),

crm_objects as (

    {{ crm_objects('participants', ['participant_id']) }}

),

contacts as (

    select participant_id, crm_system = 'HubSpot' as is_hubspot, object_id as crm_contact_id, fields
    from crm_objects
    where object_type = 'Contact'
    qualify row_number() over (
        partition by participant_id
        order by iff(is_at_call, 1, 0), iff(crm_system = 'HubSpot', 0, 1), system_index, object_index
    ) = 1

),

contact_companies as (

    select
        contacts.participant_id,
        max({{ json_label('field.value:value') }}) as company_name
    from contacts, lateral flatten(input => contacts.fields) as field
    where {{ crm_field_name('field') }} in ('company', 'companyname', 'accountname')
    group by 1

),

-- Gong lists a talk time for those who spoke, and gives them a speakerId. Imported calls have no methods.
attendance as (

    select
        participants.participant_id,
        coalesce(talk_times.talk_time_seconds > 0, participants.speaker_id is not null) as is_speaker,
        case
            when coalesce(array_size({{ json_list('participants.methods') }}), 0) = 0 then null
            else lower(to_json(participants.methods)) like '%"attendee"%'
        end as is_attendee,
        max(iff(coalesce(talk_times.talk_time_seconds > 0, participants.speaker_id is not null), 1, 0))
            over (partition by participants.call_id) = 1 as is_any_speaker_known
    from participants
    left join talk_times
        on participants.call_id = talk_times.call_id and participants.party_id = talk_times.party_id

)

select
    participants.participant_id,
    participants.call_id,
    participants.call_date,
    participants.party_id,
    participants.party_index,
    participants.speaker_id,
    participants.user_id,
    participants.email_address,
    participants.phone_number,
    participants.full_name,
    participants.participant_type,
    {{ participant_kind('participants.full_name', 'participants.email_address') }} as participant_kind,
    participants.role,
    contact_companies.company_name,
    participants.methods,
    iff(attendance.is_any_speaker_known, attendance.is_speaker, null) as has_spoken,
    iff(attendance.is_speaker, true, attendance.is_attendee) as has_attended,
    talk_times.talk_time_seconds,
    (
        talk_times.talk_time_seconds
        / nullif(sum(talk_times.talk_time_seconds) over (partition by participants.call_id), 0)
    )::float as talk_ratio,
    iff(contacts.is_hubspot, contacts.crm_contact_id, null) as hubspot_contact_id,
    contacts.crm_contact_id,
    participants.ingested_at
from participants
inner join attendance on participants.participant_id = attendance.participant_id
left join talk_times
    on participants.call_id = talk_times.call_id and participants.party_id = talk_times.party_id
left join contacts on participants.participant_id = contacts.participant_id
left join contact_companies on participants.participant_id = contact_companies.participant_id
