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
        {{ json_list('question.value:answerOptions') }} as answer_options,
        {{ json_utc('question.value:created') }} as created_at_utc,
        {{ json_utc('question.value:updated') }} as updated_at_utc,
        {{ json_text('question.value:updaterUserId') }} as updater_user_id
    from source, lateral flatten(input => source.questions) as question
    where {{ is_list_entry('question') }}

)

select
    scorecard_id || '_' || coalesce(question_id, 'question' || question_index) as scorecard_question_id,
    scorecard_id,
    question_id,
    question_revision_id,
    question_index,
    question_text,
    question_type,
    is_overall,
    answer_guide,
    min_range,
    max_range,
    answer_options,
    created_at_utc,
    updated_at_utc,
    updater_user_id
from questions
qualify row_number() over (
    partition by scorecard_id, coalesce(question_id, 'question' || question_index) order by question_index
) = 1
