with source as (

    select tracker_id, raw_data:languageKeywords as language_keywords
    from {{ source('gong', 'gong_trackers_raw') }}
    where processing_error is null

),

languages as (

    select
        source.tracker_id,
        entry.index as language_index,
        {{ json_text('entry.value:language') }} as language,
        {{ json_boolean('entry.value:includeRelatedForms') }} as includes_related_forms,
        entry.value:keywords as keywords
    from source, lateral flatten(input => source.language_keywords) as entry

),

keywords as (

    select
        languages.tracker_id,
        languages.language,
        {{ json_text('entry.value') }} as keyword,
        languages.includes_related_forms,
        languages.language_index,
        entry.index as keyword_index
    from languages, lateral flatten(input => languages.keywords) as entry

)

select
    tracker_id || '_' || coalesce(language || '_', '') || md5(keyword) as tracker_keyword_id,
    tracker_id,
    language,
    keyword,
    includes_related_forms
from keywords
where keyword is not null
qualify row_number() over (
    partition by tracker_id, language, keyword order by language_index, keyword_index
) = 1
