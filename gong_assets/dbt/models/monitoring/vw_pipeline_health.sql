with windows as (

    select column1::number(38, 0) as window_hours, column2::varchar as health_window
    from values (1, 'Last Hour'), (24, 'Last 24 Hours'), (168, 'Last 7 Days'), (720, 'Last 30 Days')

),

calls as (

    select
        status.call_id,
        status.ingestion_status,
        convert_timezone('UTC', coalesce(status.call_landed_at, status.transcript_landed_at))::timestamp_ntz
            as landed_at_utc,
        -- A call stays ready: a changed transcript or another model does not count as latency.
        convert_timezone('UTC', status.first_processed_at)::timestamp_ntz as ready_at_utc,
        status.transcript_landed_at is not null and status.ingestion_status in ('Landed', 'Staged')
            as is_waiting,
        dateadd('second', coalesce(staged.call_duration_seconds, 0), staged.call_datetime_utc) as ended_at_utc
    from {{ ref('vw_gong_ingestion_status') }} as status
    left join {{ ref('stg_gong_calls') }} as staged on status.call_id = staged.call_id

),

freshness as (

    select
        min(landed_at_utc) as first_landed_at_utc,
        max(landed_at_utc) as last_landed_at_utc,
        max(iff(ended_at_utc <= sysdate(), ended_at_utc, null)) as newest_call_ended_at_utc,
        max(ready_at_utc) as last_ready_at_utc
    from calls

),

reads as (

    select convert_timezone('UTC', max(last_read_at))::timestamp_ntz as last_read_at_utc
    from {{ ref('vw_gong_landings') }}
    where table_name = 'GONG_CALLS_RAW'

),

-- Calls that ended before the first landing have no latency, nor have those that would end after their
-- results: their time is wrong. The latency of a waiting call grows until it is ready.
timed as (

    select
        calls.*,
        coalesce(calls.ready_at_utc, iff(calls.is_waiting, sysdate(), null)) as ready_or_now_utc,
        iff(
            calls.ended_at_utc between freshness.first_landed_at_utc and ready_or_now_utc,
            (datediff('second', calls.ended_at_utc, ready_or_now_utc) / 60)::float,
            null
        ) as latency_minutes
    from calls
    cross join freshness

),

counted as (

    select
        windows.health_window,
        windows.window_hours,
        count(timed.call_id) as landed_calls,
        count_if(timed.ingestion_status = 'Invalid') as invalid_calls,
        count_if(timed.ingestion_status = 'Failed') as failed_calls,
        count_if(timed.is_waiting) as waiting_calls,
        count_if(timed.ingestion_status = 'Enriched' and timed.ready_at_utc is not null) as ready_calls,
        count(timed.latency_minutes) as timed_calls,
        median(timed.latency_minutes) as median_latency_minutes,
        percentile_cont(0.95) within group (order by timed.latency_minutes) as p95_latency_minutes,
        max(timed.latency_minutes) as max_latency_minutes
    from windows
    left join timed on timed.landed_at_utc >= dateadd('hour', -windows.window_hours, sysdate())
    group by 1, 2

)

select
    counted.health_window,
    counted.window_hours,
    counted.landed_calls,
    (counted.landed_calls / counted.window_hours)::float as calls_per_hour,
    counted.invalid_calls,
    counted.failed_calls,
    ((counted.invalid_calls + counted.failed_calls) / nullif(counted.landed_calls, 0))::float as error_rate,
    counted.waiting_calls,
    counted.ready_calls,
    counted.timed_calls,
    counted.median_latency_minutes::float as median_latency_minutes,
    counted.p95_latency_minutes::float as p95_latency_minutes,
    counted.max_latency_minutes::float as max_latency_minutes,
    freshness.newest_call_ended_at_utc,
    reads.last_read_at_utc,
    freshness.last_landed_at_utc,
    freshness.last_ready_at_utc,
    case
        when freshness.last_landed_at_utc is null then 'Empty'
        when
            coalesce(reads.last_read_at_utc, freshness.last_landed_at_utc)
            < dateadd('hour', -{{ var('pipeline_stale_after_hours') | int }}, sysdate())
            then 'Stale'
        when
            counted.invalid_calls + counted.failed_calls
            > {{ var('pipeline_error_rate_above') }} * counted.landed_calls
            then 'Failing'
        when counted.p95_latency_minutes > {{ var('pipeline_latency_minutes_above') }} then 'Slow'
        else 'Healthy'
    end as health_status
from counted
cross join freshness
cross join reads
