with source as (

    select
        user_activity_id,
        activity_date,
        raw_data,
        raw_data:userDailyActivityStats[0] as activity,
        content_hash,
        ingested_at
    from {{ source('gong', 'gong_user_activity_raw') }}
    where processing_error is null

)

select
    user_activity_id,
    activity_date,
    {{ json_text('raw_data:userId') }} as user_id,
    lower({{ json_text('raw_data:userEmailAddress') }}) as email_address,
    {{ json_count('activity:callsAsHost') }} as calls_as_host_count,
    {{ json_count('activity:callsAttended') }} as calls_attended_count,
    {{ json_count('activity:callsGaveFeedback') }} as calls_gave_feedback_count,
    {{ json_count('activity:callsRequestedFeedback') }} as calls_requested_feedback_count,
    {{ json_count('activity:callsReceivedFeedback') }} as calls_received_feedback_count,
    {{ json_count('activity:ownCallsListenedTo') }} as own_calls_listened_to_count,
    {{ json_count('activity:othersCallsListenedTo') }} as others_calls_listened_to_count,
    {{ json_count('activity:callsSharedInternally') }} as calls_shared_internally_count,
    {{ json_count('activity:callsSharedExternally') }} as calls_shared_externally_count,
    {{ json_count('activity:callsScorecardsFilled') }} as calls_scorecards_filled_count,
    {{ json_count('activity:callsScorecardsReceived') }} as calls_scorecards_received_count,
    {{ json_count('activity:callsCommentsGiven') }} as calls_comments_given_count,
    {{ json_count('activity:callsCommentsReceived') }} as calls_comments_received_count,
    {{ json_count('activity:callsMarkedAsFeedbackGiven') }} as calls_marked_as_feedback_given_count,
    {{ json_count('activity:callsMarkedAsFeedbackReceived') }} as calls_marked_as_feedback_received_count,
    content_hash,
    ingested_at
from source
