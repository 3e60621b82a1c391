with source as (

    select * from {{ source('gong', 'gong_trackers_raw') }}
    where processing_error is null

),

renamed as (

    select
        tracker_id,
        {{ json_text('raw_data:trackerName') }} as tracker_name,
        {{ json_text('raw_data:workspaceId') }} as workspace_id,
        {{ json_text('raw_data:affiliation') }} as affiliation,
        {{ json_text('raw_data:saidAt') }} as said_at,
        {{ json_integer('raw_data:saidAtInterval') }} as said_at_interval,
        {{ json_text('raw_data:saidAtUnit') }} as said_at_unit,
        {{ json_boolean('raw_data:partOfQuestion') }} as is_part_of_question,
        {{ json_text('raw_data:filterQuery') }} as filter_query,
        {{ json_utc('raw_data:created') }} as created_at_utc,
        {{ json_text('raw_data:creatorUserId') }} as creator_user_id,
        {{ json_utc('raw_data:updated') }} as updated_at_utc,
        {{ json_text('raw_data:updaterUserId') }} as updater_user_id,
        content_hash,
        ingested_at
    from source

),

topics as (

    select
        source.tracker_id,
        {{ json_text('entry.value') }} as topic,
        entry.index as topic_index
    from source, lateral flatten(input => source.raw_data:saidInTopics) as entry

),

said_in_topics as (

    select tracker_id, array_agg(topic) within group (order by topic_index) as said_in_topics
    from topics
    where topic is not null
    group by 1

),

-- Gong can list a language twice, with and without related forms of its keywords.
languages as (

    select
        source.tracker_id,
        {{ json_text('entry.value:language') }} as language,
        min(entry.index) as language_index
    from source, lateral flatten(input => source.raw_data:languageKeywords) as entry
    group by 1, 2

),

tracker_languages as (

    select tracker_id, array_agg(language) within group (order by language_index) as languages
    from languages
    where language is not null
    group by 1

),

keyword_counts as (

    select tracker_id, count(*) as keyword_count
    from {{ ref('stg_gong_tracker_keywords') }}
    group by 1

)

select
    renamed.tracker_id,
    renamed.tracker_name,
    renamed.workspace_id,
    renamed.affiliation,
    renamed.said_at,
    renamed.said_at_interval,
    renamed.said_at_unit,
    said_in_topics.said_in_topics,
    renamed.is_part_of_question,
    renamed.filter_query,
    tracker_languages.languages,
    coalesce(keyword_counts.keyword_count, 0) as keyword_count,
    renamed.created_at_utc,
    renamed.creator_user_id,
    renamed.updated_at_utc,
    renamed.updater_user_id,
    renamed.content_hash,
    renamed.ingested_at
from renamed
left join said_in_topics on renamed.tracker_id = said_in_topics.tracker_id
left join tracker_languages on renamed.tracker_id = tracker_languages.tracker_id
left join keyword_counts on renamed.tracker_id = keyword_counts.tracker_id
