with source as (

    select * from {{ source('gong', 'gong_answered_scorecards_raw') }}
    where processing_error is null

),

renamed as (

    select
        answered_scorecard_id,
        review_date,
        {{ json_text('raw_data:scorecardId') }} as scorecard_id,
        {{ json_text('raw_data:scorecardName') }} as scorecard_name,
        {{ json_text('raw_data:callId') }} as call_id,
        {{ json_utc('raw_data:callStartTime') }} as call_datetime_utc,
        {{ json_text('raw_data:reviewMethod') }} as review_method,
        {{ json_utc('raw_data:reviewTime') }} as reviewed_at_utc,
        {{ json_text('raw_data:reviewedUserId') }} as reviewed_user_id,
        {{ json_text('raw_data:reviewerUserId') }} as reviewer_user_id,
        {{ json_text('raw_data:editorUserId') }} as editor_user_id,
        {{ json_text('raw_data:visibilityType') }} as visibility,
        content_hash,
        ingested_at
    from source

),

overall_scores as (

    select answered_scorecard_id, score as overall_score
    from {{ ref('stg_gong_scorecard_answers') }}
    where is_overall and score is not null
    qualify row_number() over (partition by answered_scorecard_id order by answer_index) = 1

)

select
    renamed.answered_scorecard_id,
    renamed.review_date,
    renamed.scorecard_id,
    renamed.scorecard_name,
    renamed.call_id,
    renamed.call_datetime_utc,
    renamed.review_method,
    renamed.reviewed_at_utc,
    renamed.reviewed_user_id,
    renamed.reviewer_user_id,
    renamed.editor_user_id,
    renamed.visibility,
    overall_scores.overall_score,
    renamed.content_hash,
    renamed.ingested_at
from renamed
left join overall_scores on renamed.answered_scorecard_id = overall_scores.answered_scorecard_id
