{#-
    Next steps of Gong's analysis, one row for each source and step. The source with the lowest SOURCE_ORDER
    counts: action items, which only older tenants have; else what is listed under a heading such as "Next
    steps", in the highlights, in the outline or in the brief; else key points that begin with such words.
    Headings of earlier next steps, and those that say that there are none, do not count.

    `relation` is a CTE with call_id and Gong's content. The vars next_step_headings, past_next_step_words and
    missing_next_step_phrases have the words.
-#}
{% macro listed_next_steps(relation) %}
{%- set headings = var('next_step_headings').values() | sum(start=[]) %}
    select call_id, source_order, section_index, item_index, next_step
    from (
        select
            call_id,
            source_order,
            iff(source_order = 4, brief_section, section_index) as section_index,
            item_index,
            {#- What follows a heading in its line, or a line below it without its bullet. #}
            case
                when source_order <> 4 then next_step
                when is_next_step then trim(regexp_replace(next_step, '^[^:：]*[:：]?[*_]*', ''))
                else regexp_replace(next_step, '^([-*•–]|[0-9]+[.)])[[:space:]]*', '')
            end as next_step,
            iff(source_order = 4, coalesce(brief_section = next_step_section, false), is_next_step)
                as is_next_step
        from (
            select
                *,
                max(iff(is_next_step or is_boundary, item_index, null)) over (
                    partition by call_id, source_order order by item_index
                    rows between unbounded preceding and current row
                ) as brief_section,
                max(iff(is_next_step, item_index, null)) over (
                    partition by call_id, source_order order by item_index
                    rows between unbounded preceding and current row
                ) as next_step_section
            from (
                select
                    *,
                    coalesce(case
                        when {{ words_match('heading_words', var('missing_next_step_phrases')) }} then false
                        when heading_place = 'anywhere' then {{ words_match('heading_words', headings) }}
                            and not {{ words_match('heading_words', var('past_next_step_words')) }}
                        when heading_place = 'start'
                            then {{ words_match('heading_words', headings, at_start=true) }}
                        when heading_place = 'whole'
                            then {{ words_match('heading_words', headings, whole=true) }}
                        else true
                    end, false) as is_next_step
                from (
                    select *, {{ plain_words('heading') }} as heading_words
                    from ({{ _next_step_candidates(relation) }}) as candidates
                ) as read_candidates
            ) as marked_candidates
        ) as placed_candidates
    ) as candidates
    where is_next_step and next_step <> ''
{% endmacro %}

{#- Items with the heading above them, and where it has to have the words of a heading of next steps. -#}
{% macro _next_step_candidates(relation) %}
        select
            {{ relation }}.call_id,
            1 as source_order,
            0 as section_index,
            item.index as item_index,
            {{ json_text('item.value:snippet') }} as next_step,
            null::varchar as heading,
            null::varchar as heading_place,
            false as is_boundary
        from {{ relation }},
            lateral flatten(input => {{ relation }}.content:pointsOfInterest:actionItems) as item
        {%- for list, heading in [('highlights', 'title'), ('outline', 'section')] %}

        union all

        select
            {{ relation }}.call_id,
            {{ loop.index + 1 }} as source_order,
            section.index as section_index,
            item.index as item_index,
            {{ json_text('item.value:text') }} as next_step,
            section.value:{{ heading }}::varchar as heading,
            'anywhere' as heading_place,
            false as is_boundary
        from {{ relation }},
            lateral flatten(input => {{ relation }}.content:{{ list }}) as section,
            lateral flatten(input => section.value:items) as item
        {%- endfor %}

        union all

        {#- A line of the brief is a heading if a colon follows it, or if it has nothing but the heading. #}
        select
            call_id,
            4 as source_order,
            0 as section_index,
            item_index,
            line as next_step,
            regexp_substr(line, '^[^:：]+') as heading,
            iff(regexp_count(line, '[:：]') > 0, 'start', 'whole') as heading_place,
            line is null or regexp_count(line, '^#|^[*][*]|[:：][*_]*$') > 0 as is_boundary
        from (
            select
                {{ relation }}.call_id,
                brief_line.index as item_index,
                nullif(trim(brief_line.value::varchar, ' \t\r'), '') as line
            from {{ relation }},
                lateral flatten(input => split({{ relation }}.content:brief::varchar, '\n')) as brief_line
        ) as brief_lines

        union all

        select
            {{ relation }}.call_id,
            5 as source_order,
            0 as section_index,
            point.index as item_index,
            {{ json_text('point.value:text') }} as next_step,
            {{ json_text('point.value:text') }} as heading,
            'start' as heading_place,
            false as is_boundary
        from {{ relation }}, lateral flatten(input => {{ relation }}.content:keyPoints) as point
{%- endmacro %}
