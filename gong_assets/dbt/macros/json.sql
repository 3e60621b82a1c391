{#-
    Casts of JSON values. Values that do not fit become NULL, so that one unusual record does not fail a day.
-#}

{#- Trimmed text; NULL if missing, JSON null or empty. -#}
{% macro json_text(value) -%}
    nullif(trim({{ value }}::varchar), '')
{%- endmacro %}

{#-
    The text that people see of a value in a CRM: the elements of a list, the label of an object. A list can
    also be JSON in a text. `value` is a VARIANT: a path, or a function.
-#}
{% macro json_label(value) -%}
    case
        when is_array({{ value }})
            then coalesce({{ _json_object_label(value ~ '[0]') }}, {{ _json_elements(value) }})
        when {{ json_text(value) }} like '["%"]'
            then {{ _json_elements('try_parse_json(' ~ value ~ '::varchar)') }}
        when {{ json_text(value) }} like any ('{"%}', '[{"%}]', '{}', '[]')
            then {{ _json_object_label(value) }}
        else {{ json_text(value) }}
    end
{%- endmacro %}

{% macro _json_elements(list) -%}
    nullif(trim(array_to_string({{ list }}::array, ', ')), '')
{%- endmacro %}

{% macro _json_object_label(value) -%}
    {#- Snowflake reads `value.label` as a column, unless a colon has begun a path. -#}
    {%- set separator = '.' if ':' in value else ':' -%}
    {%- set labels = [] -%}
    {%- for name in ['label', 'displayValue', 'name', 'value'] -%}
        {%- do labels.append(json_text(value ~ separator ~ name)) -%}
    {%- endfor -%}
    coalesce({{ labels | join(', ') }})
{%- endmacro %}

{% macro json_integer(value) -%}
    try_to_number({{ value }}::varchar)
{%- endmacro %}

{#- Number of elements of a list; a number is returned unchanged. -#}
{% macro json_count(value) -%}
    coalesce(array_size({{ value }}), {{ json_integer(value) }})
{%- endmacro %}

{#- A list, even if it is empty; NULL for anything else. -#}
{% macro json_list(value) -%}
    iff(is_array({{ value }}), {{ value }}, null)::array
{%- endmacro %}

{#- False for values of an object, which FLATTEN also returns but without an index. -#}
{% macro is_list_entry(entry) -%}
    {{ entry }}.index is not null
{%- endmacro %}

{% macro json_float(value) -%}
    try_to_double({{ value }}::varchar)
{%- endmacro %}

{#- A measure, which is from 0 to 999999999: any other number is NULL, and does not fail `exact_mean`. -#}
{% macro json_measure(value) -%}
    iff({{ json_float(value) }} between 0 and 999999999, {{ json_float(value) }}, null)
{%- endmacro %}

{#- Seconds as a decimal, because the sum of floats depends on the order of the rows. -#}
{% macro json_seconds(value) -%}
    try_to_decimal({{ value }}::varchar, 18, 6)
{%- endmacro %}

{#- A length of time, which is not negative (a clock was set back) and less than 32 years; otherwise NULL. -#}
{% macro json_duration(value) -%}
    iff({{ json_seconds(value) }} between 0 and 999999999, {{ json_seconds(value) }}, null)
{%- endmacro %}

{% macro json_boolean(value) -%}
    try_to_boolean({{ value }}::varchar)
{%- endmacro %}

{#-
    Gong sends ISO 8601 with a numeric offset or Z. TRY_CAST would read a text of digits as seconds since
    1970.
-#}
{% macro json_utc(value) -%}
    convert_timezone(
        'UTC',
        try_cast(iff({{ value }}::varchar like '____-__-__%', {{ value }}::varchar, null) as timestamp_tz)
    )::timestamp_ntz
{%- endmacro %}
