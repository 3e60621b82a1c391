with source as (

    select
        answered_scorecard_id,
        review_date,
        {{ json_text('raw_data:scorecardId') }} as scorecard_id,
        raw_data:answers as answers
    from {{ source('gong', 'gong_answered_scorecards_raw') }}
    where processing_error is null

),

answers as (

    select
        source.answered_scorecard_id,
        source.review_date,
        source.scorecard_id,
        answer.index as answer_index,
        {{ json_text('answer.value:questionId') }} as question_id,
        {{ json_text('answer.value:questionRevisionId') }} as question_revision_id,
        {{ json_boolean('answer.value:isOverall') }} as is_overall,
        {{ json_integer('answer.value:score') }} as score,
        {{ json_text('answer.value:answerText') }} as answer_text,
        {{ json_boolean('answer.value:notApplicable') }} as is_not_applicable,
        answer.value:selectedOptions as options
    from source, lateral flatten(input => source.answers) as answer
    where {{ is_list_entry('answer') }}

),

distinct_answers as (

    select
        *,
        answered_scorecard_id || '_' || coalesce(question_id, 'question' || answer_index)
            as scorecard_answer_id
    from answers
    qualify row_number() over (
        partition by answered_scorecard_id, coalesce(question_id, 'question' || answer_index)
        order by answer_index
    ) = 1

),

listed_options as (

    select
        distinct_answers.scorecard_answer_id,
        distinct_answers.scorecard_id,
        distinct_answers.question_id,
        {{ json_text('entry.value') }} as option_id,
        entry.index as option_index
    from distinct_answers, lateral flatten(input => distinct_answers.options) as entry

),

selected_option_ids as (

    select
        scorecard_answer_id,
        array_agg(option_id) within group (order by option_index) as selected_option_ids
    from listed_options
    where option_id is not null
    group by 1

),

-- An answer refers to options by their ids, which are unique only within the question.
answer_options as (

    select
        questions.scorecard_id,
        questions.question_id,
        {{ json_text('entry.value:id') }} as option_id,
        {{ json_text('entry.value:text') }} as option_text
    from {{ ref('stg_gong_scorecard_questions') }} as questions,
        lateral flatten(input => questions.answer_options) as entry
    qualify row_number() over (
        partition by questions.scorecard_id, questions.question_id, {{ json_text('entry.value:id') }}
        order by entry.index
    ) = 1

),

selected_options as (

    select
        listed_options.scorecard_answer_id,
        array_agg(answer_options.option_text) within group (order by listed_options.option_index)
            as selected_options
    from listed_options
    inner join answer_options
        on listed_options.scorecard_id = answer_options.scorecard_id
        and listed_options.question_id = answer_options.question_id
        and listed_options.option_id = answer_options.option_id
    where answer_options.option_text is not null
    group by 1

)

select
    distinct_answers.scorecard_answer_id,
    distinct_answers.answered_scorecard_id,
    distinct_answers.review_date,
    distinct_answers.scorecard_id,
    distinct_answers.question_id,
    distinct_answers.question_revision_id,
    distinct_answers.answer_index,
    distinct_answers.is_overall,
    distinct_answers.score,
    distinct_answers.answer_text,
    distinct_answers.is_not_applicable,
    selected_option_ids.selected_option_ids,
    selected_options.selected_options
from distinct_answers
left join selected_option_ids
    on distinct_answers.scorecard_answer_id = selected_option_ids.scorecard_answer_id
left join selected_options on distinct_answers.scorecard_answer_id = selected_options.scorecard_answer_id
