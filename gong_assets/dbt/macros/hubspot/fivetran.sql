{#-
    Tables of Fivetran's HubSpot connector: one table per object, in the singular, with properties as
    PROPERTY_<INTERNAL NAME>. Deleted records are kept and marked.
    https://fivetran.com/docs/connectors/applications/hubspot
    https://github.com/fivetran/dbt_hubspot
-#}
{% macro hubspot_deals_from_fivetran(stages_only=false) -%}
    with deals as (

        {{ hubspot_table('deal', {
            'deal_id': ['deal_id', 'id'],
            'deal_name': ['property_dealname', 'varchar'],
            'stage_id': ['deal_pipeline_stage_id', 'id'],
            'pipeline_id': ['deal_pipeline_id', 'id'],
            'deal_amount': ['property_amount', 'varchar'],
            'deal_amount_in_home_currency': ['property_amount_in_home_currency', 'varchar'],
            'deal_currency_code': ['property_deal_currency_code', 'varchar'],
            'exchange_rate': ['property_hs_exchange_rate', 'number(20, 10)'],
            'close_date': ['property_closedate', 'date'],
            'close_datetime_utc': ['property_closedate', 'moment'],
            'create_date': ['property_createdate', 'date'],
            'create_datetime_utc': ['property_createdate', 'moment'],
            'owner_id': ['owner_id', 'id'],
            'deal_source': ['property_hs_analytics_source', 'varchar'],
            'deal_type': ['property_dealtype', 'varchar'],
            'primary_company_id': ['property_hs_primary_associated_company', 'id'],
            'is_closed': ['property_hs_is_closed', 'boolean'],
            'is_won': ['property_hs_is_closed_won', 'property_hs_closed_won_count', 'boolean'],
            'stage_probability': ['property_hs_deal_stage_probability', 'number(5, 4)'],
            'is_deleted': ['is_deleted', '_fivetran_deleted', 'flag'],
            'updated_at': ['property_hs_lastmodifieddate', 'timestamp_ntz'],
        }) }}

    ),

    owners as (

        {{ hubspot_table('owner', {
            'owner_id': ['owner_id', 'id'],
            'email': ['email', 'varchar'],
            'first_name': ['first_name', 'varchar'],
            'last_name': ['last_name', 'varchar'],
        }) }}

    ),

    all_pipelines as (

        {{ hubspot_table('deal_pipeline', {
            'pipeline_id': ['pipeline_id', 'id'],
            'label': ['label', 'varchar'],
            'is_deleted': ['_fivetran_deleted', 'flag'],
        }) }}

    ),

    all_stages as (

        {{ hubspot_table('deal_pipeline_stage', {
            'pipeline_id': ['pipeline_id', 'id'],
            'stage_id': ['stage_id', 'id'],
            'label': ['label', 'varchar'],
            'is_closed': ['is_closed', 'boolean'],
            'is_won': ['closed_won', 'boolean'],
            'is_deleted': ['_fivetran_deleted', 'flag'],
        }) }}

    ),

    all_deal_contacts as (

        {{ hubspot_table('deal_contact', {
            'deal_id': ['deal_id', 'id'],
            'contact_id': ['contact_id', 'id'],
            'is_deleted': ['_fivetran_deleted', 'flag'],
        }) }}

    ),

    all_deal_companies as (

        {{ hubspot_table('deal_company', {
            'deal_id': ['deal_id', 'id'],
            'company_id': ['company_id', 'id'],
            'type_id': ['type_id', 'id'],
            'category': ['category', 'varchar'],
            'is_deleted': ['_fivetran_deleted', 'flag'],
        }) }}

    ),

    -- A deal can still be in a deleted stage. Its label is used unless the id has a new label.
    pipelines as (

        select * from all_pipelines
        qualify iff(is_deleted, 1, 0) = min(iff(is_deleted, 1, 0)) over (partition by pipeline_id)

    ),

    stages as (

        select * from all_stages
        qualify iff(is_deleted, 1, 0) = min(iff(is_deleted, 1, 0)) over (partition by pipeline_id, stage_id)

    ),

    deal_contacts as (

        select
            deal_id,
            contact_id,
            null::boolean as is_main
        from all_deal_contacts
        where not is_deleted

    ),

    deal_companies as (

        select
            deal_id,
            company_id,
            -- HubSpot's association types 5 and 6 mark the primary company, from either side.
            category = 'HUBSPOT_DEFINED' and type_id in ('5', '6') as is_main
        from all_deal_companies
        where not is_deleted

    ),

    {{ hubspot_stage_labels() if stages_only else hubspot_labelled_deals() }}
{%- endmacro %}

{% macro hubspot_deal_stages_from_fivetran() -%}
    {{ hubspot_deals_from_fivetran(stages_only=true) }}
{%- endmacro %}

{% macro hubspot_contacts_from_fivetran() -%}
    {{ hubspot_table('contact', {
        'contact_id': ['id', 'id'],
        'first_name': ['property_firstname', 'varchar'],
        'last_name': ['property_lastname', 'varchar'],
        'email': ['property_email', 'varchar'],
        'company_name': ['property_company', 'varchar'],
        'job_title': ['property_jobtitle', 'varchar'],
        'lifecycle_stage': ['property_lifecyclestage', 'varchar'],
        'create_date': ['property_createdate', 'date'],
        'is_deleted': ['is_deleted', '_fivetran_deleted', 'flag'],
        'updated_at': ['property_lastmodifieddate', 'timestamp_ntz'],
    }) }}
{%- endmacro %}

{% macro hubspot_companies_from_fivetran() -%}
    {{ hubspot_table('company', {
        'company_id': ['id', 'id'],
        'company_name': ['property_name', 'varchar'],
        'domain': ['property_domain', 'varchar'],
        'industry': ['property_industry', 'varchar'],
        'annual_revenue': ['property_annualrevenue', 'number(38, 2)'],
        'number_of_employees': ['property_numberofemployees', 'number(38, 0)'],
        'is_deleted': ['is_deleted', '_fivetran_deleted', 'flag'],
        'updated_at': ['property_hs_lastmodifieddate', 'timestamp_ntz'],
    }) }}
{%- endmacro %}

{% macro hubspot_merges_from_fivetran() -%}
    with deals as (

        {{ hubspot_table('deal', {
            'survivor_id': ['deal_id', 'id'],
            'merged_ids': ['property_hs_merged_object_ids', 'varchar'],
        }) }}

    ),

    -- Optional: a connector may not sync this table.
    merged_deals as (

        {{ hubspot_table('merged_deal', {
            'survivor_id': ['deal_id', 'id'],
            'merged_ids': ['merged_deal_id', 'id'],
        }) }}

    ),

    companies as (

        {{ hubspot_table('company', {
            'survivor_id': ['id', 'id'],
            'merged_ids': ['property_hs_merged_object_ids', 'varchar'],
        }) }}

    ),

    contacts as (

        {{ hubspot_table('contact', {
            'survivor_id': ['id', 'id'],
            'merged_ids': ['property_hs_merged_object_ids', 'varchar'],
            'merged_vids': ['property_hs_calculated_merged_vids', 'varchar'],
        }) }}

    )

    {{ hubspot_merge_lists() }}

    union all

    select
        'Opportunity' as object_type,
        survivor_id,
        merged_ids
    from merged_deals
{%- endmacro %}
