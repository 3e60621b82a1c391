{#-
    Trackers of a call, one row per entry of Gong's list, including trackers without mentions. A call can have
    several entries of one tracker, whose mentions add up. An entry that is repeated word for word counts once.

    `relation` is a CTE with call_id, call_date, and Gong's array of trackers as `trackers`.
-#}
{% macro call_trackers(relation) %}
    {%- set tracker_key -%}
        coalesce({{ json_text("tracker.value:id") }}, md5({{ json_text("tracker.value:name") }}))
    {%- endset %}
    select
        {{ relation }}.call_id || '_tracker_' || {{ tracker_key }} as topic_id,
        {{ relation }}.call_id,
        {{ relation }}.call_date,
        tracker.index as entry_index,
        {{ json_text('tracker.value:id') }} as tracker_id,
        {{ json_text('tracker.value:name') }} as tracker_name,
        upper({{ json_text('tracker.value:type') }}) as tracker_type,
        {{ json_integer('tracker.value:count') }} as mention_count,
        tracker.value:occurrences as occurrences,
        tracker.value:phrases as phrases
    from {{ relation }}, lateral flatten(input => {{ relation }}.trackers) as tracker
    where {{ tracker_key }} is not null
    qualify row_number() over (
        partition by {{ relation }}.call_id, to_json(tracker.value) order by tracker.index
    ) = 1
{% endmacro %}
