with waiting as (

    select * from {{ ref('vw_gong_ingestion_status') }}
    where ingestion_status = 'Awaiting Transcript'

),

calls as (

    select
        *,
        dateadd(
            'second',
            coalesce(call_duration_seconds, 0),
            coalesce(call_datetime_utc, call_date::timestamp_ntz)
        ) as ended_at_utc
    from {{ ref('stg_gong_calls') }}

)

select
    calls.call_id,
    calls.call_date,
    calls.call_title,
    calls.call_datetime_utc,
    calls.call_duration_seconds,
    calls.call_system,
    calls.call_language,
    calls.primary_user_id,
    coalesce(users.full_name, calls.primary_user_name) as primary_user_name,
    calls.call_url,
    waiting.call_landed_at,
    datediff('day', calls.call_date, sysdate()::date) as days_since_call,
    calls.ended_at_utc < dateadd('hour', -{{ var('transcript_expected_within_hours') | int }}, sysdate())
        as is_overdue,
    case
        when calls.call_language = 'und' then 'Language Not Supported'
        when calls.call_language = 'zxx' then 'Too Little Speech'
    end as likely_reason
from waiting
inner join calls on waiting.call_id = calls.call_id
left join {{ ref('int_gong_users') }} as users on calls.primary_user_id = users.user_id
