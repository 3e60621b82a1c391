with source as (

    select * from {{ source('gong', 'gong_scorecards_raw') }}
    where processing_error is null

),

renamed as (

    select
        scorecard_id,
        {{ json_text('raw_data:scorecardName') }} as scorecard_name,
        {{ json_text('raw_data:workspaceId') }} as workspace_id,
        {{ json_boolean('raw_data:enabled') }} as is_enabled,
        {{ json_text('raw_data:reviewMethod') }} as review_method,
        {{ json_utc('raw_data:created') }} as created_at_utc,
        {{ json_utc('raw_data:updated') }} as updated_at_utc,
        {{ json_text('raw_data:updaterUserId') }} as updater_user_id,
        content_hash,
        ingested_at
    from source

),

question_counts as (

    select scorecard_id, count(*) as question_count
    from {{ ref('stg_gong_scorecard_questions') }}
    group by 1

)

select
    renamed.scorecard_id,
    renamed.scorecard_name,
    renamed.workspace_id,
    renamed.is_enabled,
    renamed.review_method,
    coalesce(question_counts.question_count, 0) as question_count,
    renamed.created_at_utc,
    renamed.updated_at_utc,
    renamed.updater_user_id,
    renamed.content_hash,
    renamed.ingested_at
from renamed
left join question_counts on renamed.scorecard_id = question_counts.scorecard_id
