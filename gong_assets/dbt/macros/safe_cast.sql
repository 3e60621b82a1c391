{#-
    dbt's casts of values in unit tests, extended to lists, objects and vectors written as JSON. dbt's own
    macro turns them into a text in a VARIANT, or fails.
-#}
{% macro snowflake__safe_cast(field, type) -%}
    {%- if type | upper in ('ARRAY', 'OBJECT', 'VARIANT') or (type | upper).startswith('VECTOR') -%}
        parse_json({{ field }})::{{ type }}
    {%- else -%}
        {#- TRY_CAST accepts only text. -#}
        try_cast({{ dbt.string_literal(field) if field is number else field }} as {{ type }})
    {%- endif -%}
{%- endmacro %}
