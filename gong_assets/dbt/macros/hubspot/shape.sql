{#-
    HubSpot's objects in any shape. HUBSPOT_SHAPE is one of:

    share     HubSpot's own Snowflake share (schema V2_DAILY or V2_LIVE), see share.sql
    fivetran  tables of Fivetran's HubSpot connector, see fivetran.sql
    airbyte   tables of Airbyte's HubSpot source, see airbyte.sql
    plain     one table per object with readable names, see plain.sql

    Each shape has one macro per object, with the same columns in every shape. Rows of deleted records have
    IS_DELETED. A record can have several rows; the staged models keep the latest.
-#}
{% macro hubspot_shape() -%}
    {{ return(env_var('HUBSPOT_SHAPE', '') or 'share') }}
{%- endmacro %}

{% macro hubspot_deals() -%}
    {{ _dispatch_by_shape({
        'share': hubspot_deals_from_share,
        'fivetran': hubspot_deals_from_fivetran,
        'airbyte': hubspot_deals_from_airbyte,
        'plain': hubspot_deals_from_plain,
    }) }}
{%- endmacro %}

{#- STAGE_ID and LABEL of the deal stages, one row per stage and pipeline. -#}
{% macro hubspot_deal_stages() -%}
    {{ _dispatch_by_shape({
        'share': hubspot_deal_stages_from_share,
        'fivetran': hubspot_deal_stages_from_fivetran,
        'airbyte': hubspot_deal_stages_from_airbyte,
        'plain': hubspot_deal_stages_from_plain,
    }) }}
{%- endmacro %}

{% macro hubspot_contacts() -%}
    {{ _dispatch_by_shape({
        'share': hubspot_contacts_from_share,
        'fivetran': hubspot_contacts_from_fivetran,
        'airbyte': hubspot_contacts_from_airbyte,
        'plain': hubspot_contacts_from_plain,
    }) }}
{%- endmacro %}

{% macro hubspot_companies() -%}
    {{ _dispatch_by_shape({
        'share': hubspot_companies_from_share,
        'fivetran': hubspot_companies_from_fivetran,
        'airbyte': hubspot_companies_from_airbyte,
        'plain': hubspot_companies_from_plain,
    }) }}
{%- endmacro %}

{#- Merged ids: OBJECT_TYPE as in stg_gong_call_crm_links, SURVIVOR_ID, and MERGED_IDS as `1;2`. -#}
{% macro hubspot_merges() -%}
    {{ _dispatch_by_shape({
        'share': hubspot_merges_from_share,
        'fivetran': hubspot_merges_from_fivetran,
        'airbyte': hubspot_merges_from_airbyte,
        'plain': hubspot_merges_from_plain,
    }) }}
{%- endmacro %}

{% macro _dispatch_by_shape(shapes) -%}
    {%- if hubspot_shape() not in shapes -%}
        {%- do exceptions.raise_compiler_error(
            "HUBSPOT_SHAPE is '" ~ hubspot_shape() ~ "'; it must be one of: " ~ shapes | join(', ')
        ) -%}
    {%- endif -%}
    {{ shapes[hubspot_shape()]() }}
{%- endmacro %}
