{#-
    Gong's statistics of the host, one row per call. They are missing until Gong has analysed the call. Values
    that cannot be are NULL: the talk ratio is a share, and no other is negative.
-#}
{% macro interaction_stats(source) %}
    {%- set name = 'lower(' ~ json_text('stat.value:name') ~ ')' %}
    {%- set value = json_measure('stat.value:value') %}
    select
        {{ source }}.call_id,
        {%- for column, stat in {
            'talk_ratio': 'talk ratio',
            'longest_monologue_seconds': 'longest monologue',
            'longest_customer_story_seconds': 'longest customer story',
            'interactivity_score': 'interactivity',
            'patience_seconds': 'patience',
        }.items() %}
        {%- set is_possible = value ~ ' <= 1' if column == 'talk_ratio' else 'true' %}
        max(iff({{ name }} = '{{ stat }}' and {{ is_possible }}, {{ value }}, null)) as {{ column }}
        {{- ',' if not loop.last }}
        {%- endfor %}
    from {{ source }}, lateral flatten(input => {{ source }}.interaction:interactionStats) as stat
    group by 1
{% endmacro %}

{#- Seconds of each kind of video, one row per call. -#}
{% macro video_seconds(source) %}
    {%- set name = 'lower(' ~ json_text('part.value:name') ~ ')' %}
    {%- set seconds = json_duration('part.value:duration') %}
    select
        {{ source }}.call_id,
        {%- for column, video in {
            'presentation_seconds': 'presentation',
            'browser_seconds': 'browser',
            'host_webcam_seconds': 'webcamprimaryuser',
            'customer_webcam_seconds': 'webcamnoncompany',
            'webcam_seconds': 'webcam',
        }.items() %}
        sum(iff({{ name }} = '{{ video }}', {{ seconds }}, null))::number(38, 6) as {{ column }}
        {{- ',' if not loop.last }}
        {%- endfor %}
    from {{ source }}, lateral flatten(input => {{ source }}.interaction:video) as part
    group by 1
{% endmacro %}
