{#-
    HubSpot's objects, whatever shape they come in: HUBSPOT_SHAPE is

    share  HubSpot's own Snowflake share (schema V2_DAILY or V2_LIVE), see share.sql
    plain  one table per object with readable names, see plain.sql

    A shape has one macro per object, and every shape's macro gives the same columns.
-#}
{% macro hubspot_shape() -%}
    {{ return(env_var('HUBSPOT_SHAPE', '') or 'share') }}
{%- endmacro %}

{% macro hubspot_deals() -%}
    {{ _of_hubspot_shape({'share': hubspot_deals_from_share, 'plain': hubspot_deals_from_plain}) }}
{%- endmacro %}

{% macro hubspot_contacts() -%}
    {{ _of_hubspot_shape({'share': hubspot_contacts_from_share, 'plain': hubspot_contacts_from_plain}) }}
{%- endmacro %}

{% macro hubspot_companies() -%}
    {{ _of_hubspot_shape({'share': hubspot_companies_from_share, 'plain': hubspot_companies_from_plain}) }}
{%- endmacro %}

{% macro _of_hubspot_shape(shapes) -%}
    {%- if hubspot_shape() not in shapes -%}
        {%- do exceptions.raise_compiler_error(
            "HUBSPOT_SHAPE is '" ~ hubspot_shape() ~ "'; it must be one of: " ~ shapes | join(', ')
        ) -%}
    {%- endif -%}
    {{ shapes[hubspot_shape()]() }}
{%- endmacro %}

{#-
    The named columns of a HubSpot source table, cast to the given types.

    The graph runs without HubSpot: a table that is not there is an empty one, with a warning. A column that is not
    there is NULL, as a share has only the properties that the HubSpot account has.
-#}
{% macro hubspot_table(name, columns) -%}
    {%- set relation = source('hubspot', name) -%}
    {%- set existing = load_relation(relation) if execute else none -%}
    {%- set present = [] -%}
    {%- if existing is not none -%}
        {%- set present = adapter.get_columns_in_relation(relation) | map(attribute='name') | map('upper') | list -%}
    {%- elif execute -%}
        {%- do exceptions.warn('There is no ' ~ relation ~ ': what HubSpot knows of it stays empty.') -%}
    {%- endif -%}
    select
    {%- for column, type in columns.items() %}
        {{ column if column | upper in present else 'null' }}::{{ type }} as {{ column }}{{ ',' if not loop.last }}
    {%- endfor %}
    {%- if existing is none %}
    where false
    {%- else %}
    from {{ relation }}
    {%- endif %}
{%- endmacro %}
