{#- Which rows are pending, and which text is sent for them. -#}

{#- The current rows of the model, whose results are carried over. Empty in the first build. -#}
{% macro previous_rows() -%}
    {%- if is_incremental() -%}
        {{ this }}
    {%- else -%}
        (
            select
                {%- for column in model.columns.values() %}
                null::{{ column.data_type }} as {{ column.name }}{{ ',' if not loop.last }}
                {%- endfor %}
            limit 0
        )
    {%- endif -%}
{%- endmacro %}

{#- True if a row is pending: never sent, sent with another request, or failed with attempts left. -#}
{% macro needs_cortex(row, capabilities) -%}
    (
        {{ row }}.cortex_request is distinct from '{{ cortex_request(capabilities) }}'
        or {{ row }}.cortex_error is not null
        and {{ row }}.cortex_attempts < {{ var('cortex_max_attempts') | int }}
    )
{%- endmacro %}

{#- Attempts of the current request; another request starts from 0. -#}
{% macro previous_attempts(row, capabilities) -%}
    iff({{ row }}.cortex_request = '{{ cortex_request(capabilities) }}', {{ row }}.cortex_attempts, 0)
{%- endmacro %}

{#-
    The longest prefix of a text that fits each capability. In any script, a character has at most 4 tokens.
-#}
{% macro truncate_for_cortex(text, capabilities) -%}
    case
        {%- for characters in [none, 1500, 480] %}
        {%- set prefix = text if characters is none else 'left(' ~ text ~ ', ' ~ characters ~ ')' %}
        when
            {%- for capability in capabilities %}
            {{ 'and ' if not loop.first }}{{ cortex_tokens(capability, prefix) }}
            <= {{ cortex_function(capability).max_tokens }}
            {%- endfor %}
            then {{ prefix }}
        {%- endfor %}
        else left({{ text }}, 110)
    end
{%- endmacro %}

{#-
    Joins ordered lines into as few parts as the limit of a capability allows: REQUEST_ID, PART and SENT_TEXT.
    A tenth of the limit is reserved for tokens that arise where two lines meet. A part ends with the line
    that fills it, for which room is reserved as well. A longer line, which is possible with EXTRACT_ANSWER,
    is truncated.

    lines   SQL with REQUEST_ID, LINE_NUMBER, LINE
-#}
{% macro split_into_requests(lines, capability) -%}
    {%- set max_tokens = (cortex_function(capability).max_tokens * 0.9) | int -%}
    {%- set line_room = [max_tokens // 2, 20000] | min -%}
    {%- set part_room = max_tokens - line_room -%}
    select
        request_id,
        part,
        listagg(line, '\n') within group (order by line_number) as sent_text
    from (
        select
            request_id,
            line_number,
            iff(tokens > {{ line_room }}, left(line, {{ line_room // 4 }}), line) as line,
            floor((sum(least(tokens, {{ line_room }})) over (
                partition by request_id order by line_number rows between unbounded preceding and current row
            ) - least(tokens, {{ line_room }})) / {{ part_room }}) as part
        from (
            {#- Short dialogues fit without counting. #}
            select
                *,
                iff(
                    sum(length(line) + 1) over (partition by request_id) <= {{ part_room // 4 }},
                    0,
                    coalesce({{ cortex_tokens(capability, "line || '\\n'") }}, 4 * length(line))
                ) as tokens
            from ({{ lines }}) as lines
        ) as counted_lines
    ) as placed_lines
    group by 1, 2
{%- endmacro %}
