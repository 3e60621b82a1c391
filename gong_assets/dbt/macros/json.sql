{#- Casts of JSON values that give NULL for what does not fit, so that one odd record does not stop a day. -#}

{#- Text without surrounding space; NULL when absent, JSON null or empty. -#}
{% macro json_text(value) -%}
    nullif(trim({{ value }}::varchar), '')
{%- endmacro %}

{% macro json_integer(value) -%}
    try_to_number({{ value }}::varchar)
{%- endmacro %}

{#- How many elements a list has; a number counts as itself. -#}
{% macro json_count(value) -%}
    coalesce(array_size({{ value }}), {{ json_integer(value) }})
{%- endmacro %}

{#- A list as it is, an empty one included; NULL for anything else. -#}
{% macro json_list(value) -%}
    iff(is_array({{ value }}), {{ value }}, null)::array
{%- endmacro %}

{#- FLATTEN gives an object's values too, which have no position: an object in place of a list has no entries. -#}
{% macro is_list_entry(entry) -%}
    {{ entry }}.index is not null
{%- endmacro %}

{% macro json_float(value) -%}
    try_to_double({{ value }}::varchar)
{%- endmacro %}

{#- Seconds as a decimal, exact to the microsecond: a sum of floats depends on the order of the rows. -#}
{% macro json_seconds(value) -%}
    try_to_decimal({{ value }}::varchar, 18, 6)
{%- endmacro %}

{% macro json_boolean(value) -%}
    try_to_boolean({{ value }}::varchar)
{%- endmacro %}

{#- Gong sends ISO 8601 with the company's numeric offset, or Z. A text of digits would be read as seconds since 1970. -#}
{% macro json_utc(value) -%}
    convert_timezone(
        'UTC', try_cast(iff({{ value }}::varchar like '____-__-__%', {{ value }}::varchar, null) as timestamp_tz)
    )::timestamp_ntz
{%- endmacro %}
