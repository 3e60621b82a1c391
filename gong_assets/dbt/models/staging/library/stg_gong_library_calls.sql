with source as (

    select
        library_call_id,
        raw_data:folder as folder,
        raw_data:call as listed_call,
        content_hash,
        ingested_at
    from {{ source('gong', 'gong_library_calls_raw') }}
    where processing_error is null

)

select
    library_call_id,

    ---------- folder
    {{ json_text('folder:id') }} as folder_id,
    {{ json_text('folder:name') }} as folder_name,
    {{ json_text('folder:parentFolderId') }} as parent_folder_id,
    {{ json_text('folder:createdBy') }} as folder_created_by_user_id,
    {{ json_utc('folder:updated') }} as folder_updated_at_utc,

    ---------- entry
    {{ json_text('listed_call:id') }} as call_id,
    {{ json_text('listed_call:title') }} as call_title,
    {{ json_text('listed_call:url') }} as call_url,
    {{ json_integer('listed_call:snippet:fromSec') }} as snippet_from_seconds,
    {{ json_integer('listed_call:snippet:toSec') }} as snippet_to_seconds,
    {{ json_text('listed_call:note') }} as note,
    {{ json_text('listed_call:addedBy') }} as added_by_user_id,
    {{ json_utc('listed_call:created') }} as added_at_utc,

    content_hash,
    ingested_at
from source
