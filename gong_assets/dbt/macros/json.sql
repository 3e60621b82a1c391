{#-
    Casts of JSON values. Values that do not fit become NULL, so that one unusual record does not fail a day.
-#}

{#- Trimmed text; NULL if missing, JSON null or empty. -#}
{% macro json_text(value) -%}
    nullif(trim({{ value }}::varchar), '')
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

{#- Seconds as a decimal, because the sum of floats depends on the order of the rows. -#}
{% macro json_seconds(value) -%}
    try_to_decimal({{ value }}::varchar, 18, 6)
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
