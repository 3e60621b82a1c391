with source as (

    select
        call_id,
        call_date,
        ingested_at,
        raw_data:content:topics as topics,
        raw_data:content:trackers as trackers
    from {{ source('gong', 'gong_calls_raw') }}
    where processing_error is null and {{ in_run_window('call_date') }}

),

named_topics as (

    select
        source.call_id,
        source.call_date,
        source.ingested_at,
        {{ json_text('topic.value:name') }} as topic_name,
        {{ json_duration('topic.value:duration') }} as duration_seconds
    from source, lateral flatten(input => source.topics) as topic

),

topics as (

    select
        call_id || '_topic_' || md5(topic_name) as topic_id,
        call_id,
        call_date,
        ingested_at,
        topic_name,
        sum(duration_seconds)::number(38, 6) as total_duration_seconds
    from named_topics
    where topic_name is not null
    group by 1, 2, 3, 4, 5

),

tracker_entries as (

    {{ call_trackers('source') }}

),

trackers as (

    select
        topic_id,
        call_id,
        call_date,
        max(tracker_id) as tracker_id,
        max(tracker_name) as tracker_name,
        max(tracker_type) as tracker_type,
        sum(mention_count) as mention_count,
        iff(
            count({{ json_list('phrases') }}) = 0,
            null,
            array_flatten(array_agg({{ json_list('phrases') }}) within group (order by entry_index))
        ) as phrases
    from tracker_entries
    group by 1, 2, 3

),

occurrences as (

    select * from {{ ref('stg_gong_call_tracker_occurrences') }}
    where {{ in_run_window('call_date') }}

),

mention_times as (

    select
        topic_id,
        min(started_at_seconds) as first_mentioned_at_seconds,
        max(started_at_seconds) as last_mentioned_at_seconds
    from occurrences
    group by 1

),

main_speakers as (

    select topic_id, speaker_name
    from occurrences
    where speaker_id is not null
    group by topic_id, speaker_id, speaker_name
    qualify row_number() over (
        partition by topic_id order by count(*) desc, min(started_at_seconds), speaker_id
    ) = 1

)

select
    topic_id,
    call_id,
    call_date,
    topic_name,
    'Topic' as topic_category,
    null::varchar as tracker_id,
    null::varchar as tracker_type,
    null::number(38, 0) as mention_count,
    null::array as phrases,
    total_duration_seconds,
    null::float as first_mentioned_at_seconds,
    null::float as last_mentioned_at_seconds,
    null::varchar as mentioned_by_speaker,
    ingested_at
from topics

union all

select
    trackers.topic_id,
    trackers.call_id,
    trackers.call_date,
    trackers.tracker_name as topic_name,
    'Tracker' as topic_category,
    trackers.tracker_id,
    trackers.tracker_type,
    trackers.mention_count::number(38, 0) as mention_count,
    trackers.phrases,
    null::number(38, 6) as total_duration_seconds,
    mention_times.first_mentioned_at_seconds,
    mention_times.last_mentioned_at_seconds,
    main_speakers.speaker_name as mentioned_by_speaker,
    source.ingested_at
from trackers
inner join source on trackers.call_id = source.call_id
left join mention_times on trackers.topic_id = mention_times.topic_id
left join main_speakers on trackers.topic_id = main_speakers.topic_id
