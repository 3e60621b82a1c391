{#-
    Who was on each call, one row per call with participants: the host's and the company's share of the talk
    time, whether the host was there, and whether customers were.

    `participants` is a CTE with the columns of stg_gong_call_participants, `calls` one with call_id and
    primary_user_id. A share is NULL where it is not known. A speaker of unknown affiliation can be the host
    or a colleague who dialed in, so a share of 0 needs speakers who are all identified.
-#}
{% macro call_participation(participants, calls) %}
{%- set from_outside = is_customer(participants ~ '.participant_type') -%}
{%- set seconds = participants ~ '.talk_time_seconds' -%}
    select
        call_id,
        (case
            when host_seconds > 0 then host_seconds / talk_seconds
            when talk_seconds > 0 and is_host_on_call is not null and not has_unknown_speaker then 0
        end)::float as talk_ratio,
        (case
            when team_seconds > 0 then team_seconds / talk_seconds
            when talk_seconds > 0 and has_team and not has_unknown_speaker then 0
        end)::float as team_talk_ratio,
        is_host_on_call,
        has_customer_spoken
    from (
        select
            *,
            case
                when host_attended = 1 then true
                when has_unknown_speaker then null
                when host_attended = 0 or primary_user_id is not null and has_colleague then false
            end as is_host_on_call
        from (
            select
                {{ calls }}.call_id,
                {{ calls }}.primary_user_id,
                sum({{ seconds }}) as talk_seconds,
                sum(iff({{ participants }}.user_id = {{ calls }}.primary_user_id, {{ seconds }}, null))
                    as host_seconds,
                sum(iff({{ from_outside }}, null, {{ seconds }})) as team_seconds,
                count_if(not {{ from_outside }}) > 0 as has_team,
                count_if(not {{ from_outside }} and coalesce({{ participants }}.has_attended, true)) > 0
                    as has_colleague,
                count_if(
                    {{ participants }}.participant_type = 'Unknown' and {{ participants }}.has_spoken
                ) > 0 as has_unknown_speaker,
                max(iff(
                    {{ participants }}.user_id = {{ calls }}.primary_user_id,
                    iff(coalesce({{ participants }}.has_attended, true), 1, 0),
                    null
                )) as host_attended,
                max(case
                    when
                        {{ from_outside }} and {{ participants }}.has_spoken
                        and coalesce({{ participants }}.participant_kind, 'Person') <> 'Note-Taker'
                        then 1
                    when {{ participants }}.has_spoken is not null then 0
                end) = 1 as has_customer_spoken
            from {{ calls }}
            inner join {{ participants }} on {{ calls }}.call_id = {{ participants }}.call_id
            group by 1, 2
        ) as counted
    ) as judged
{% endmacro %}

{#-
    The contact of each call: the customer who spoke, else who attended, else who was invited. Among equals, a
    HubSpot contact comes first, then another CRM contact, then the longest talk time. Note-takers and rooms
    are no contacts.
-#}
{% macro call_contacts(participants) %}
    select
        call_id,
        hubspot_contact_id,
        coalesce(full_name, email_address, phone_number) as contact_name
    from {{ participants }}
    where {{ is_customer('participant_type') }} and coalesce(participant_kind, 'Person') = 'Person'
    qualify row_number() over (
        partition by call_id
        order by
            iff(has_spoken, 0, 1), iff(coalesce(has_attended, true), 0, 1),
            iff(hubspot_contact_id is null, 1, 0), iff(crm_contact_id is null, 1, 0),
            iff(participant_type = 'External', 0, 1), talk_time_seconds desc nulls last, party_index
    ) = 1
{% endmacro %}
