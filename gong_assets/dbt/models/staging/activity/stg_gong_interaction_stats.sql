with source as (

    select * from {{ source('gong', 'gong_interaction_stats_raw') }}
    where processing_error is null

),

stats as (

    select
        source.interaction_stats_id,
        lower({{ json_text('stat.value:name') }}) as stat_name,
        {{ json_measure('stat.value:value') }} as stat_value
    from source, lateral flatten(input => source.raw_data:personInteractionStats) as stat

),

pivoted as (

    select
        interaction_stats_id,
        max(iff(stat_name = 'longest monologue', stat_value, null)) as longest_monologue_seconds,
        max(iff(stat_name = 'longest customer story', stat_value, null)) as longest_customer_story_seconds,
        max(iff(stat_name = 'interactivity', stat_value, null)) as interactivity,
        max(iff(stat_name = 'patience', stat_value, null)) as patience,
        max(iff(stat_name = 'question rate', stat_value, null)) as question_rate
    from stats
    group by 1

)

select
    source.interaction_stats_id,
    source.stats_date,
    {{ json_text('source.raw_data:userId') }} as user_id,
    lower({{ json_text('source.raw_data:userEmailAddress') }}) as email_address,
    pivoted.longest_monologue_seconds,
    pivoted.longest_customer_story_seconds,
    pivoted.interactivity,
    pivoted.patience,
    pivoted.question_rate,
    source.content_hash,
    source.ingested_at
from source
left join pivoted on source.interaction_stats_id = pivoted.interaction_stats_id
