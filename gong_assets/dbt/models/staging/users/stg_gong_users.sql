with source as (

    select * from {{ source('gong', 'gong_users_raw') }}
    where processing_error is null

),

renamed as (

    select
        user_id,
        lower({{ json_text('raw_data:emailAddress') }}) as email_address,
        {{ json_list('raw_data:emailAliases') }} as email_aliases,
        {{ json_text('raw_data:firstName') }} as first_name,
        {{ json_text('raw_data:lastName') }} as last_name,
        {{ json_text('raw_data:title') }} as title,
        {{ json_text('raw_data:managerId') }} as manager_id,
        {{ json_boolean('raw_data:active') }} as is_active,
        {{ json_utc('raw_data:created') }} as created_at_utc,
        content_hash,
        ingested_at
    from source

)

select
    user_id,
    email_address,
    email_aliases,
    nullif(trim(coalesce(first_name, '') || ' ' || coalesce(last_name, '')), '') as full_name,
    first_name,
    last_name,
    title,
    manager_id,
    is_active,
    created_at_utc,
    content_hash,
    ingested_at
from renamed
