{#-
    HubSpot's objects, whatever shape they come in: HUBSPOT_SHAPE is

    share     HubSpot's own Snowflake share (schema V2_DAILY or V2_LIVE), see share.sql
    fivetran  what Fivetran's HubSpot connector writes, see fivetran.sql
    airbyte   what Airbyte's HubSpot source writes, see airbyte.sql
    plain     one table per object with readable names, see plain.sql

    A shape has one macro per object, and every shape's macro gives the same columns. A row may be a deleted record's
    (IS_DELETED), and a record may have several rows: the staged models keep the latest.
-#}
{% macro hubspot_shape() -%}
    {{ return(env_var('HUBSPOT_SHAPE', '') or 'share') }}
{%- endmacro %}

{% macro hubspot_deals() -%}
    {{ _of_hubspot_shape({
        'share': hubspot_deals_from_share,
        'fivetran': hubspot_deals_from_fivetran,
        'airbyte': hubspot_deals_from_airbyte,
        'plain': hubspot_deals_from_plain,
    }) }}
{%- endmacro %}

{% macro hubspot_contacts() -%}
    {{ _of_hubspot_shape({
        'share': hubspot_contacts_from_share,
        'fivetran': hubspot_contacts_from_fivetran,
        'airbyte': hubspot_contacts_from_airbyte,
        'plain': hubspot_contacts_from_plain,
    }) }}
{%- endmacro %}

{% macro hubspot_companies() -%}
    {{ _of_hubspot_shape({
        'share': hubspot_companies_from_share,
        'fivetran': hubspot_companies_from_fivetran,
        'airbyte': hubspot_companies_from_airbyte,
        'plain': hubspot_companies_from_plain,
    }) }}
{%- endmacro %}

{#- Which ids were merged into a record: OBJECT_TYPE as in stg_gong_call_crm_links, SURVIVOR_ID, MERGED_IDS as `1;2`. -#}
{% macro hubspot_merges() -%}
    {{ _of_hubspot_shape({
        'share': hubspot_merges_from_share,
        'fivetran': hubspot_merges_from_fivetran,
        'airbyte': hubspot_merges_from_airbyte,
        'plain': hubspot_merges_from_plain,
    }) }}
{%- endmacro %}

{% macro _of_hubspot_shape(shapes) -%}
    {%- if hubspot_shape() not in shapes -%}
        {%- do exceptions.raise_compiler_error(
            "HUBSPOT_SHAPE is '" ~ hubspot_shape() ~ "'; it must be one of: " ~ shapes | join(', ')
        ) -%}
    {%- endif -%}
    {{ shapes[hubspot_shape()]() }}
{%- endmacro %}
