with source as (

    select scorecard_id, raw_data:questions as questions
    from {{ source('gong', 'gong_scorecards_raw') }}
    where processing_error is null

),

questions as (

    select
        source.scorecard_id,
        question.index as question_index,
        {{ json_text('question.value:questionId') }} as question_id,
        {{ json_text('question.value:questionRevisionId') }} as question_revision_id,
        {{ json_text('question.value:questionText') }} as question_text,
        {{ json_text('question.value:questionType') }} as question_type,
        {{ json_boolean('question.value:isOverall') }} as is_overall,
        {{ json_text('question.value:answerGuide') }} as answer_guide,
        {{ json_integer('question.value:minRange') }} as min_range,
        {{ json_integer('question.value:maxRange') }} as max_range,
        question.value:answerOptions as options,
        {{ json_utc('question.value:created') }} as created_at_utc,
        {{ json_utc('question.value:updated') }} as updated_at_utc,
        {{ json_text('question.value:updaterUserId') }} as updater_user_id
    from source, lateral flatten(input => source.questions) as question

),

distinct_questions as (

    select
        *,
        scorecard_id || '_' || coalesce(question_id, 'question' || question_index) as scorecard_question_id
    from questions
    qualify row_number() over (
        partition by scorecard_id, coalesce(question_id, 'question' || question_index) order by question_index
    ) = 1

),

options as (

    select
        distinct_questions.scorecard_question_id,
        {{ json_text('entry.value:text') }} as option_text,
        entry.index as option_index
    from distinct_questions, lateral flatten(input => distinct_questions.options) as entry

),

answer_options as (

    select
        scorecard_question_id,
        array_agg(option_text) within group (order by option_index) as answer_options
    from options
    where option_text is not null
    group by 1

)

select
    distinct_questions.scorecard_question_id,
    distinct_questions.scorecard_id,
    distinct_questions.question_id,
    distinct_questions.question_revision_id,
    distinct_questions.question_index,
    distinct_questions.question_text,
    distinct_questions.question_type,
    distinct_questions.is_overall,
    distinct_questions.answer_guide,
    distinct_questions.min_range,
    distinct_questions.max_range,
    answer_options.answer_options,
    distinct_questions.created_at_utc,
    distinct_questions.updated_at_utc,
    distinct_questions.updater_user_id
from distinct_questions
left join answer_options on distinct_questions.scorecard_question_id = answer_options.scorecard_question_id
