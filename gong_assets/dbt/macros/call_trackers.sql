{#-
    Trackers of a call, one row per call and tracker, including trackers without mentions.

    `relation` is a CTE with call_id, call_date, and Gong's array of trackers as `trackers`.
-#}
{% macro call_trackers(relation) %}
    select
        {{ relation }}.call_id || '_tracker_' || coalesce(
            {{ json_text('tracker.value:id') }}, md5({{ json_text('tracker.value:name') }})
        ) as topic_id,
        {{ relation }}.call_id,
        {{ relation }}.call_date,
        {{ json_text('tracker.value:id') }} as tracker_id,
        {{ json_text('tracker.value:name') }} as tracker_name,
        upper({{ json_text('tracker.value:type') }}) as tracker_type,
        {{ json_integer('tracker.value:count') }} as mention_count,
        tracker.value:occurrences as occurrences,
        tracker.value:phrases as phrases
    from {{ relation }}, lateral flatten(input => {{ relation }}.trackers) as tracker
    where coalesce({{ json_text('tracker.value:id') }}, {{ json_text('tracker.value:name') }}) is not null
    qualify row_number() over (
        partition by
            {{ relation }}.call_id,
            coalesce({{ json_text('tracker.value:id') }}, md5({{ json_text('tracker.value:name') }}))
        order by tracker.index
    ) = 1
{% endmacro %}
