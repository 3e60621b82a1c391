with calls as (

    select
        *,
        {%- if var('count_meetings_once') %}
        coalesce(meeting_id, call_id) as counted_id,
        {%- else %}
        call_id as counted_id,
        {%- endif %}
        case
            -- An uploaded call brings its own time. In Gong's time zones, tomorrow can be today.
            when call_date > dateadd('day', 1, sysdate()::date) then 'Future'
            when
                call_scope = 'Internal'
                or (customer_count = 0 and coalesce(call_scope, 'Unknown') <> 'External')
                then 'Internal'
            when
                coalesce(has_voicemail_outcome, false)
                -- A host with all of the talk time was alone on the phone.
                or (
                    call_direction in ('Inbound', 'Outbound')
                    and not coalesce(has_customer_spoken, talk_ratio < 1)
                )
                then 'Voicemail'
            when customer_count = 0 then 'No Show'
            when call_duration_seconds < {{ var('coaching_min_call_seconds') | int }} then 'Short'
            {%- if not var('sales_calls_without_participants') %}
            when customer_count is null and coalesce(call_scope, 'Unknown') <> 'External' then 'Unknown'
            {%- endif %}
            else 'Sales'
        end as call_kind
    from {{ ref('stg_gong_calls') }}

)

select
    call_id,
    call_date,
    call_datetime_utc,
    primary_user_id,
    counted_id as meeting_id,
    call_kind,
    call_kind = 'Sales' as is_sales_call,
    call_kind = 'Sales' and coalesce(is_host_on_call, true) as is_coachable
from calls
