{%- set max_words = var('segment_max_words') | int %}

with calls as (

    select call_id, call_date from {{ ref('stg_gong_calls') }}
    where {{ in_run_window('call_date') }}

),

-- A transcript has the date of its call, even if it landed on another day.
landed_days as (

    select calls.call_id, calls.call_date, landed.call_date as landed_date, landed.ingested_at
    from calls
    inner join {{ source('gong', 'gong_call_transcripts_raw') }} as landed on calls.call_id = landed.call_id
    where landed.processing_error is null

),

-- Also joined by date, so that the large transcripts of other days are not read.
source as (

    select
        landed_days.call_id,
        landed_days.call_date,
        landed_days.ingested_at,
        landed.transcript_data:transcript as turns
    from landed_days
    inner join {{ source('gong', 'gong_call_transcripts_raw') }} as landed
        on landed_days.landed_date = landed.call_date and landed_days.call_id = landed.call_id

),

turns as (

    select
        source.call_id,
        source.call_date,
        source.ingested_at,
        turn.index as turn_index,
        {{ json_text('turn.value:speakerId') }} as speaker_id,
        {{ json_text('turn.value:topic') }} as topic,
        turn.value:sentences as sentences
    from source, lateral flatten(input => source.turns) as turn

),

renamed_sentences as (

    select
        turns.call_id,
        turns.turn_index,
        sentence.index as sentence_index,
        {{ json_integer('sentence.value:start') }} as start_ms,
        {{ json_integer('sentence.value:end') }} as end_ms,
        {{ json_text('sentence.value:text') }} as sentence_text
    from turns, lateral flatten(input => turns.sentences) as sentence

),

-- Words are counted once, before the window functions, because counting is most of the work of this model.
counted_sentences as (

    select *, {{ word_count('sentence_text') }}::number(38, 0) as word_count
    from renamed_sentences
    where sentence_text is not null

),

sentences as (

    select
        call_id,
        turn_index,
        row_number() over (partition by call_id, turn_index order by sentence_index)::number(38, 0)
            as sentence_number,
        start_ms,
        end_ms,
        sentence_text,
        word_count,
        sum(word_count) over (partition by call_id, turn_index) as turn_word_count
    from counted_sentences

),

-- Only these few turns exceed the maximum length of a segment.
long_turns as (

    select
        call_id,
        turn_index,
        sentence_number,
        word_count,
        sum(word_count) over (
            partition by call_id, turn_index order by sentence_number
            rows between unbounded preceding and current row
        )::number(38, 0) as words_so_far
    from sentences
    where turn_word_count > {{ max_words }}

),

long_turn_sentences as (

    select
        call_id,
        turn_index,
        array_agg(object_construct('words_before', words_so_far - word_count, 'words_so_far', words_so_far))
            within group (order by sentence_number) as sentences
    from long_turns
    group by 1, 2

),

-- A part ends before the sentence that would make it too long. Sentences are never split. Each part has a
-- limit: the words of the turn up to which its sentences may reach. The last limit is the first element.
-- REDUCE has no limit of steps, whereas a recursive query fails after 100, which is a turn of 20,000 words.
turn_limits as (

    select
        call_id,
        turn_index,
        reduce(
            sentences,
            [],
            (limits, sentence) -> iff(
                sentence:words_so_far::number(38, 0) <= limits[0]::number(38, 0),
                limits,
                array_prepend(
                    limits,
                    greatest(
                        sentence:words_so_far::number(38, 0),
                        sentence:words_before::number(38, 0) + {{ max_words }}
                    )
                )
            )
        ) as limits
    from long_turn_sentences

),

part_limits as (

    select turn_limits.call_id, turn_limits.turn_index, part_limit.value::number(38, 0) as words_so_far
    from turn_limits, lateral flatten(input => turn_limits.limits) as part_limit

),

parts as (

    select
        long_turns.call_id,
        long_turns.turn_index,
        long_turns.sentence_number,
        count(part_limits.words_so_far) as turn_part
    from long_turns
    left join part_limits
        on long_turns.call_id = part_limits.call_id
        and long_turns.turn_index = part_limits.turn_index
        and long_turns.words_so_far > part_limits.words_so_far
    group by 1, 2, 3

),

segments as (

    select
        sentences.call_id,
        sentences.turn_index,
        parts.turn_part,
        min(sentences.start_ms) as start_ms,
        max(sentences.end_ms) as end_ms,
        count_if(sentences.end_ms < sentences.start_ms) > 0 as has_negative_duration,
        listagg(sentences.sentence_text, ' ') within group (order by sentences.sentence_number)
            as transcript_text,
        sum(sentences.word_count)::number(38, 0) as word_count,
        count(*) as sentence_count
    from sentences
    left join parts
        on sentences.call_id = parts.call_id
        and sentences.turn_index = parts.turn_index
        and sentences.sentence_number = parts.sentence_number
    group by 1, 2, 3

),

turn_starts as (

    select *, min(start_ms) over (partition by call_id, turn_index) as turn_start_ms
    from segments

),

-- The id has the start of the turn and not its position, so that it stays the same if other turns are
-- transcribed again. The parts of turns that start in the same millisecond are numbered consecutively.
identified as (

    select
        *,
        row_number() over (partition by call_id, turn_start_ms order by turn_index, turn_part) - 1 as part
    from turn_starts

),

speakers as (

    select call_id, speaker_id, user_id, full_name, email_address, participant_type
    from {{ ref('stg_gong_call_participants') }}
    where speaker_id is not null and {{ in_run_window('call_date') }}
    qualify row_number() over (partition by call_id, speaker_id order by party_index) = 1

)

select
    identified.call_id || '_' || coalesce(identified.turn_start_ms::varchar, 'unknown')
    || '_' || identified.part as transcript_id,
    identified.call_id,
    turns.call_date,
    turns.speaker_id,
    speakers.user_id as speaker_user_id,
    speakers.full_name as speaker_name,
    speakers.email_address as speaker_email,
    coalesce(speakers.participant_type, 'Unknown') as speaker_type,
    turns.topic,
    identified.transcript_text,
    (identified.start_ms / 1000)::float as start_time_seconds,
    (identified.end_ms / 1000)::float as end_time_seconds,
    iff(
        identified.has_negative_duration, null, (identified.end_ms - identified.start_ms) / 1000
    )::float as segment_duration_seconds,
    identified.has_negative_duration,
    identified.word_count,
    identified.sentence_count,
    identified.turn_index,
    identified.part,
    sha2(identified.transcript_text, 256) as content_hash,
    turns.ingested_at
from identified
inner join turns on identified.call_id = turns.call_id and identified.turn_index = turns.turn_index
left join speakers on turns.call_id = speakers.call_id and turns.speaker_id = speakers.speaker_id
