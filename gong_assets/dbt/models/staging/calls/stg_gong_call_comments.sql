with source as (

    select
        call_id,
        call_date,
        raw_data:collaboration:publicComments as comments
    from {{ source('gong', 'gong_calls_raw') }}
    where processing_error is null and {{ in_run_window('call_date') }}

),

comments as (

    select
        source.call_id,
        source.call_date,
        comment.index as comment_index,
        {{ json_text('comment.value:id') }} as gong_comment_id,
        {{ json_text('comment.value:commenterUserId') }} as commenter_user_id,
        {{ json_text('comment.value:comment') }} as comment_text,
        {{ json_float('comment.value:audioStartTime') }} as start_time_seconds,
        {{ json_float('comment.value:audioEndTime') }} as end_time_seconds,
        {{ json_utc('comment.value:posted') }} as posted_at_utc,
        {{ json_text('comment.value:inReplyTo') }} as in_reply_to,
        {{ json_boolean('comment.value:duringCall') }} as is_during_call
    from source, lateral flatten(input => source.comments) as comment
    where {{ is_list_entry('comment') }}

)

select
    call_id || '_' || coalesce(gong_comment_id, 'comment' || comment_index) as comment_id,
    call_id,
    call_date,
    comment_index,
    commenter_user_id,
    comment_text,
    start_time_seconds,
    end_time_seconds,
    posted_at_utc,
    call_id || '_' || in_reply_to as in_reply_to_comment_id,
    is_during_call
from comments
qualify row_number() over (
    partition by call_id, coalesce(gong_comment_id, 'comment' || comment_index) order by comment_index
) = 1
