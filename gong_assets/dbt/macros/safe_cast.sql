{#-
    dbt's casts of the values in unit tests, with lists, objects and vectors, which are written as JSON: dbt's own makes a
    text in a VARIANT of them, or fails.
-#}
{% macro snowflake__safe_cast(field, type) -%}
    {%- if type | upper in ('ARRAY', 'OBJECT', 'VARIANT') or (type | upper).startswith('VECTOR') -%}
        parse_json({{ field }})::{{ type }}
    {%- else -%}
        {#- TRY_CAST takes nothing but text. -#}
        try_cast({{ dbt.string_literal(field) if field is number else field }} as {{ type }})
    {%- endif -%}
{%- endmacro %}
