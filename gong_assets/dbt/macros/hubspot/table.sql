{#-
    Columns of a HubSpot source table, under our names and of our types, whatever the types are there.

    `columns` has, by our name, a list: the names that the column may have there, in order of preference, then the type:

    id                          digits as text: 8070190, whether it is a NUMBER, a FLOAT or a text there
    flag                        whether any of the columns is true
    array                       a list
    varchar, boolean, date, timestamp_ntz, number(p, s)     as in Snowflake; times in UTC

    The graph runs without HubSpot: a table or a view that is not there is an empty one, with a warning (none for an
    `optional` one). A column that is not there is NULL, as a portal has only the properties that it uses. So is a text that
    is no number, date or boolean, and a number that is too large: one absurd amount does not fail the table.
-#}
{% macro hubspot_table(name, columns) -%}
    {%- set relation = source('hubspot', name) -%}
    {%- set existing = load_relation(relation) if execute else none -%}
    {%- set present = {} -%}
    {%- if existing is not none -%}
        {%- for column in adapter.get_columns_in_relation(relation) -%}
            {%- do present.update({column.name | upper: column}) -%}
        {%- endfor -%}
    {%- elif execute and not graph.sources['source.gong_assets.hubspot.' ~ name].config.meta.get('optional') -%}
        {%- do exceptions.warn('There is no ' ~ relation ~ ': what HubSpot knows of it stays empty.') -%}
    {%- endif -%}
    select
    {%- for our_name, sources_and_type in columns.items() %}
        {{ _hubspot_column(sources_and_type[:-1], sources_and_type[-1], present) }} as {{ our_name }}
        {{- ',' if not loop.last }}
    {%- endfor %}
    {%- if existing is none %}
    where false
    {%- else %}
    from {{ relation }}
    {%- endif %}
{%- endmacro %}

{% macro _hubspot_column(names, type, present) -%}
    {%- set values = [] -%}
    {%- for name in names -%}
        {%- if name | upper in present -%}
            {%- do values.append(_hubspot_value(name, type, present[name | upper])) -%}
        {%- endif -%}
        {#- Airbyte has a portal's properties in one object, in a column each (properties_dealname), or in both. -#}
        {%- if name.startswith('properties_') and 'PROPERTIES' in present -%}
            {%- do values.append(_hubspot_value('properties:' ~ name[11:] ~ '::varchar', type)) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if type == 'flag' -%}
        {%- if not values -%}
            false
        {%- else -%}
            (coalesce({{ values | join(', false) or coalesce(') }}, false))
        {%- endif -%}
    {%- elif not values -%}
        null::{{ 'varchar' if type == 'id' else type }}
    {%- elif values | length == 1 -%}
        {{ values[0] }}
    {%- else -%}
        coalesce({{ values | join(', ') }})
    {%- endif -%}
{%- endmacro %}

{#- `column` is the value's column, which knows its type; without one it is a text. -#}
{% macro _hubspot_value(value, type, column=none) -%}
    {%- set has_zone = column is not none and column.dtype | upper in ('TIMESTAMP_TZ', 'TIMESTAMP_LTZ') -%}
    {%- set is_text = column is none or column.is_string() or column.dtype | upper in ('VARIANT', 'OBJECT', 'ARRAY') -%}
    {%- if type == 'id' and column is not none and column.is_number() -%}
        {{ value }}::number(38, 0)::varchar
    {%- elif type == 'id' -%}
        {{ hubspot_id(value) }}
    {%- elif type == 'varchar' -%}
        {{ json_text(value) }}
    {%- elif type == 'array' -%}
        {{ value if column is not none and not column.is_string() else 'try_parse_json(' ~ value ~ ')' }}::array
    {%- elif type in ('boolean', 'flag') -%}
        {{ 'try_to_boolean(' ~ value ~ '::varchar)' if is_text else value ~ '::boolean' }}
    {%- elif type in ('date', 'timestamp_ntz') -%}
        {%- if is_text -%}
            {#- A date without a time would be midnight in the session's time zone. -#}
            convert_timezone('UTC', try_cast(
                iff(length({{ json_text(value) }}) = 10, {{ json_text(value) }} || 'T00:00:00Z', {{ json_text(value) }})
                as timestamp_tz
            ))::timestamp_ntz::{{ type }}
        {%- else -%}
            {{ "convert_timezone('UTC', " ~ value ~ ")" if has_zone else value }}::timestamp_ntz::{{ type }}
        {%- endif -%}
    {%- else -%}
        {#- Text for numbers too: their own cast has no TRY_. -#}
        try_to_decimal({{ json_text(value) }}, {{ type | replace('number(', '') }}
    {%- endif -%}
{%- endmacro %}

{#- An id that came as a text, perhaps by way of a float: 8070190, 8070190.0 and 8.07019e6 are one. -#}
{% macro hubspot_id(value) -%}
    coalesce(
        iff(
            regexp_count({{ json_text(value) }}, '^[0-9.]+[eE][+]?[0-9]+$') > 0,
            try_to_decimal({{ json_text(value) }}, 38, 0)::varchar, null
        ),
        regexp_replace({{ json_text(value) }}, '[.]0+$', '')
    )
{%- endmacro %}
