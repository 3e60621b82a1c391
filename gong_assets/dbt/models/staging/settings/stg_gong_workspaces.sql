with source as (

    select * from {{ source('gong', 'gong_workspaces_raw') }}
    where processing_error is null

)

select
    workspace_id,
    {{ json_text('raw_data:name') }} as name,
    {{ json_text('raw_data:description') }} as description,
    content_hash,
    ingested_at
from source
