with source as (

    select
        call_id,
        call_date,
        raw_data:content:trackers as trackers
    from {{ source('gong', 'gong_calls_raw') }}
    where processing_error is null and {{ in_run_window('call_date') }}

),

trackers as (

    {{ call_trackers('source') }}

),

-- Gong lists occurrences of each tracker, and for keyword trackers also by phrase.
listed as (

    select
        trackers.topic_id,
        trackers.entry_index,
        false as is_by_phrase,
        null::varchar as phrase,
        {{ json_float('occurrence.value:startTime') }} as started_at_seconds,
        {{ json_text('occurrence.value:speakerId') }} as speaker_id,
        occurrence.index as occurrence_index
    from trackers, lateral flatten(input => trackers.occurrences) as occurrence
    where {{ is_list_entry('occurrence') }}

    union all

    select
        trackers.topic_id,
        trackers.entry_index,
        true as is_by_phrase,
        {{ json_text('phrase.value:phrase') }} as phrase,
        {{ json_float('occurrence.value:startTime') }} as started_at_seconds,
        {{ json_text('occurrence.value:speakerId') }} as speaker_id,
        occurrence.index as occurrence_index
    from trackers,
        lateral flatten(input => trackers.phrases) as phrase,
        lateral flatten(input => phrase.value:occurrences) as occurrence
    where {{ is_list_entry('occurrence') }}

),

-- The list by phrase has more detail, unless it is incomplete.
counted as (

    select
        *,
        count_if(is_by_phrase) over (partition by topic_id, entry_index) as by_phrase_count,
        count_if(not is_by_phrase) over (partition by topic_id, entry_index) as plain_count
    from listed

),

occurrences as (

    select
        *,
        row_number() over (
            partition by topic_id
            order by
                started_at_seconds nulls last, speaker_id nulls last, phrase nulls last, entry_index,
                occurrence_index
        ) as occurrence_number
    from counted
    where is_by_phrase = (by_phrase_count >= plain_count)

),

speakers as (

    select call_id, speaker_id, full_name, participant_type
    from {{ ref('stg_gong_call_participants') }}
    where speaker_id is not null and {{ in_run_window('call_date') }}
    qualify row_number() over (partition by call_id, speaker_id order by party_index) = 1

)

select
    occurrences.topic_id || '_' || occurrences.occurrence_number as occurrence_id,
    occurrences.topic_id,
    trackers.call_id,
    trackers.call_date,
    trackers.tracker_id,
    trackers.tracker_name,
    trackers.tracker_type,
    occurrences.phrase,
    occurrences.occurrence_number,
    occurrences.started_at_seconds,
    occurrences.speaker_id,
    speakers.full_name as speaker_name,
    coalesce(speakers.participant_type, 'Unknown') as speaker_type
from occurrences
inner join trackers
    on occurrences.topic_id = trackers.topic_id and occurrences.entry_index = trackers.entry_index
left join speakers on trackers.call_id = speakers.call_id and occurrences.speaker_id = speakers.speaker_id
