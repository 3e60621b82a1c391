with source as (

    select * from {{ source('gong', 'gong_call_outcomes_raw') }}
    where processing_error is null

)

select
    call_outcome,
    {{ json_text('raw_data:category') }} as call_outcome_category,
    {{ json_text('raw_data:connectStatus') }} as connect_status,
    {{ json_text('raw_data:sentiment') }} as sentiment,
    {{ json_text('raw_data:todoAction') }} as todo_action,
    {{ json_text('raw_data:automation') }} as automation,
    {{ json_integer('raw_data:displayOrder') }} as display_order,
    content_hash,
    ingested_at
from source
