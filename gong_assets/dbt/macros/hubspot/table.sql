{#-
    Columns of a HubSpot source table, with our names and types.

    `columns` maps our name to a list: names of the source column in order of preference, then the type:

    id       digits as text, such as 8070190, from a NUMBER, FLOAT or text
    flag     true if any of the columns is true
    array    a list
    json     a list or an object as text
    date     the date in the company's time zone; a value without a time is unchanged
    moment   a time in UTC; NULL for a value without a time
    varchar, boolean, timestamp_ntz, number(p, s)     as in Snowflake; times in UTC, lists as their elements

    The graph runs without HubSpot: a missing table or view counts as empty, with a warning unless the source
    is marked as optional. A missing column is NULL, because a portal has only the properties that it uses.
    Values that cannot be converted are NULL as well, so that one absurd amount does not fail the table.
-#}
{% macro hubspot_table(name, columns) -%}
    {%- set relation = source('hubspot', name) -%}
    {%- set existing = load_relation(relation) if execute else none -%}
    {%- set meta = graph.sources['source.gong_assets.hubspot.' ~ name].config.meta if execute else {} -%}
    {%- set present = {} -%}
    {%- if existing is not none -%}
        {%- do present.update(_columns_of_schema(relation).get(relation.identifier | upper, {})) -%}
    {%- elif execute and not meta.get('optional') -%}
        {%- do exceptions.warn(relation ~ ' does not exist or is not authorized: its data stays empty.') -%}
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

{#- The columns of all tables of a schema by table and name, with one query for a dbt command. -#}
{% macro _columns_of_schema(relation) -%}
    {%- set schemas = command_state('columns') -%}
    {%- set schema = relation.without_identifier() | string -%}
    {%- if schema not in schemas -%}
        {%- set tables = {} -%}
        {%- for table, name, type in run_query(
            'select table_name, column_name, data_type from ' ~ relation.information_schema('columns')
            ~ " where upper(table_schema) = upper('" ~ relation.schema ~ "')"
        ).rows -%}
            {%- set column = api.Column.from_description(name, type) -%}
            {%- do tables.setdefault(table | upper, {}).update({name | upper: column}) -%}
        {%- endfor -%}
        {%- do schemas.update({schema: tables}) -%}
    {%- endif -%}
    {{ return(schemas[schema]) }}
{%- endmacro %}

{% macro _hubspot_column(names, type, present) -%}
    {%- set values = [] -%}
    {%- for name in names -%}
        {%- if name | upper in present -%}
            {%- do values.append(_hubspot_value(name, type, present[name | upper])) -%}
        {%- endif -%}
        {#- Airbyte has properties in columns (properties_dealname), in one object, or in both. -#}
        {%- if name.startswith('properties_') and 'PROPERTIES' in present -%}
            {%- set path = 'properties:' ~ name[11:] ~ ('' if type == 'varchar' else '::varchar') -%}
            {%- do values.append(_hubspot_value(path, type)) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if type == 'flag' -%}
        {%- if not values -%}
            false
        {%- else -%}
            (coalesce({{ values | join(', false) or coalesce(') }}, false))
        {%- endif -%}
    {%- elif not values -%}
        null::{{ {'id': 'varchar', 'json': 'varchar', 'moment': 'timestamp_ntz'}.get(type, type) }}
    {%- elif values | length == 1 -%}
        {{ values[0] }}
    {%- else -%}
        coalesce({{ values | join(', ') }})
    {%- endif -%}
{%- endmacro %}

{#- `column` is the source column with its type; without one it is a path in an object. -#}
{% macro _hubspot_value(value, type, column=none) -%}
    {%- set has_zone = column is not none and column.dtype | upper in ('TIMESTAMP_TZ', 'TIMESTAMP_LTZ') -%}
    {%- set is_json = column is none or column.dtype | upper in ('VARIANT', 'OBJECT', 'ARRAY') -%}
    {%- set is_text = is_json or column.is_string() -%}
    {%- if type == 'id' and column is not none and column.is_number() -%}
        {{ value }}::number(38, 0)::varchar
    {%- elif type == 'id' -%}
        {{ hubspot_id(value) }}
    {%- elif type == 'varchar' -%}
        {#- Snowflake reads no key of an ARRAY, and no index of an OBJECT. -#}
        {%- set variant = value if column is none else 'to_variant(' ~ value ~ ')' -%}
        {{ json_label(variant) if is_json else json_text(value) }}
    {%- elif type == 'json' -%}
        {{ json_text(value) }}
    {%- elif type == 'array' -%}
        {%- set is_parsed = column is not none and not column.is_string() -%}
        {{ value if is_parsed else 'try_parse_json(' ~ value ~ ')' }}::array
    {%- elif type in ('boolean', 'flag') -%}
        {{ 'try_to_boolean(' ~ value ~ '::varchar)' if is_text else value ~ '::boolean' }}
    {%- elif type == 'date' -%}
        {{ _hubspot_date(value, is_text, has_zone, column) }}
    {%- elif type in ('moment', 'timestamp_ntz') -%}
        {{ _hubspot_moment(value, is_text, has_zone, type == 'moment', column) }}
    {%- else -%}
        {#- Via text for numbers as well, because a cast from a number has no TRY_ variant. -#}
        try_to_decimal({{ json_text(value) }}, {{ type | replace('number(', '') }}
    {%- endif -%}
{%- endmacro %}

{#- HubSpot's times without a zone are in UTC. -#}
{% macro _hubspot_date(value, is_text, has_zone, column) -%}
    {%- set zone = text_literal(company_timezone()) -%}
    {%- if is_text -%}
        iff(
            length({{ json_text(value) }}) = 10,
            try_cast({{ json_text(value) }} as date),
            convert_timezone(
                {{ zone }}, try_cast({{ json_text(value) }} as timestamp_tz)
            )::timestamp_ntz::date
        )
    {%- elif column.dtype | upper == 'DATE' -%}
        {{ value }}
    {%- elif has_zone -%}
        convert_timezone({{ zone }}, {{ value }})::timestamp_ntz::date
    {%- else -%}
        {{ company_date(value ~ '::timestamp_ntz') }}
    {%- endif -%}
{%- endmacro %}

{% macro _hubspot_moment(value, is_text, has_zone, needs_time, column) -%}
    {%- if is_text -%}
        {#- Otherwise a date without a time would be midnight in the session's time zone. -#}
        convert_timezone('UTC', try_cast(
            iff(
                length({{ json_text(value) }}) = 10,
                {{ 'null' if needs_time else json_text(value) ~ " || 'T00:00:00Z'" }},
                {{ json_text(value) }}
            ) as timestamp_tz
        ))::timestamp_ntz
    {%- elif needs_time and column.dtype | upper == 'DATE' -%}
        null::timestamp_ntz
    {%- else -%}
        {{ "convert_timezone('UTC', " ~ value ~ ")" if has_zone else value }}::timestamp_ntz
    {%- endif -%}
{%- endmacro %}

{#- An id from a text that may have been a float: 8070190, 8070190.0 and 8.07019e6 are equal. -#}
{% macro hubspot_id(value) -%}
    coalesce(
        iff(
            regexp_count({{ json_text(value) }}, '^[0-9.]+[eE][+]?[0-9]+$') > 0,
            try_to_decimal({{ json_text(value) }}, 38, 0)::varchar, null
        ),
        regexp_replace({{ json_text(value) }}, '[.]0+$', '')
    )
{%- endmacro %}
