with source as (

    select
        call_id,
        call_date,
        raw_data:content:topics as topics,
        raw_data:content:trackers as trackers
    from {{ source('gong', 'gong_calls_raw') }}
    where processing_error is null and {{ in_run_window('call_date') }}

),

named_topics as (

    select
        source.call_id,
        source.call_date,
        {{ json_text('topic.value:name') }} as topic_name,
        {{ json_seconds('topic.value:duration') }} as duration_seconds
    from source, lateral flatten(input => source.topics) as topic

),

topics as (

    select
        call_id || '_topic_' || md5(topic_name) as topic_id,
        call_id,
        call_date,
        topic_name,
        sum(duration_seconds) as total_duration_seconds
    from named_topics
    where topic_name is not null
    group by 1, 2, 3, 4

),

trackers as (

    select
        source.call_id || '_tracker_' || coalesce(
            {{ json_text('tracker.value:id') }}, md5({{ json_text('tracker.value:name') }})
        ) as topic_id,
        source.call_id,
        source.call_date,
        {{ json_text('tracker.value:name') }} as topic_name,
        {{ json_integer('tracker.value:count') }} as mention_count,
        tracker.index as tracker_index,
        tracker.value:occurrences as occurrences,
        tracker.value:phrases as phrases
    from source, lateral flatten(input => source.trackers) as tracker

),

distinct_trackers as (

    select *
    from trackers
    where topic_id is not null
    qualify row_number() over (partition by topic_id order by tracker_index) = 1

),

-- When and by whom: as Gong lists it for the tracker, else for each of its phrases.
occurrences as (

    select
        distinct_trackers.topic_id,
        1 as source_order,
        {{ json_float('occurrence.value:startTime') }} as started_at_seconds,
        {{ json_text('occurrence.value:speakerId') }} as speaker_id
    from distinct_trackers, lateral flatten(input => distinct_trackers.occurrences) as occurrence

    union all

    select
        distinct_trackers.topic_id,
        2 as source_order,
        {{ json_float('occurrence.value:startTime') }} as started_at_seconds,
        {{ json_text('occurrence.value:speakerId') }} as speaker_id
    from distinct_trackers,
        lateral flatten(input => distinct_trackers.phrases) as phrase,
        lateral flatten(input => phrase.value:occurrences) as occurrence

),

listed_occurrences as (

    select *
    from occurrences
    qualify source_order = min(source_order) over (partition by topic_id)

),

mention_times as (

    select
        topic_id,
        min(started_at_seconds) as first_mentioned_at_seconds,
        max(started_at_seconds) as last_mentioned_at_seconds
    from listed_occurrences
    group by 1

),

main_speakers as (

    select topic_id, speaker_id
    from listed_occurrences
    where speaker_id is not null
    group by 1, 2
    qualify row_number() over (partition by topic_id order by count(*) desc, min(started_at_seconds), speaker_id) = 1

),

speakers as (

    select call_id, speaker_id, full_name
    from {{ ref('stg_gong_call_participants') }}
    where speaker_id is not null and {{ in_run_window('call_date') }}
    qualify row_number() over (partition by call_id, speaker_id order by party_index) = 1

)

select
    topic_id,
    call_id,
    call_date,
    topic_name,
    'Topic' as topic_category,
    null::number(38, 0) as mention_count,
    total_duration_seconds,
    null::float as first_mentioned_at_seconds,
    null::float as last_mentioned_at_seconds,
    null::varchar as mentioned_by_speaker
from topics

union all

select
    distinct_trackers.topic_id,
    distinct_trackers.call_id,
    distinct_trackers.call_date,
    distinct_trackers.topic_name,
    'Tracker' as topic_category,
    distinct_trackers.mention_count,
    null::float as total_duration_seconds,
    mention_times.first_mentioned_at_seconds,
    mention_times.last_mentioned_at_seconds,
    speakers.full_name as mentioned_by_speaker
from distinct_trackers
left join mention_times on distinct_trackers.topic_id = mention_times.topic_id
left join main_speakers on distinct_trackers.topic_id = main_speakers.topic_id
left join speakers
    on distinct_trackers.call_id = speakers.call_id and main_speakers.speaker_id = speakers.speaker_id
