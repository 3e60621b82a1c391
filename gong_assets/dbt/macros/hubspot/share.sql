{#-
    HubSpot's Snowflake share: pivoted tables OBJECTS_<TYPE> with a column PROPERTY_<INTERNAL NAME> per
    property.
    https://knowledge.hubspot.com/reports/query-hubspot-data-in-snowflake
    V2_DAILY has tables, and V2_LIVE has secure views with the same names. Stage and pipeline of a deal are
    ids, which are replaced by labels. The columns of OWNERS, PIPELINES and PIPELINE_STAGES are looked up
    under several possible names. Deleted records are absent.
-#}
{% macro hubspot_deals_from_share(stages_only=false) -%}
    with deals as (

        {{ hubspot_table('objects_deals', {
            'deal_id': ['objectid', 'id'],
            'deal_name': ['property_dealname', 'varchar'],
            'stage_id': ['property_dealstage', 'id'],
            'pipeline_id': ['property_pipeline', 'id'],
            'deal_amount': ['property_amount', 'varchar'],
            'deal_amount_in_home_currency': ['property_amount_in_home_currency', 'varchar'],
            'deal_currency_code': ['property_deal_currency_code', 'varchar'],
            'exchange_rate': ['property_hs_exchange_rate', 'number(20, 10)'],
            'close_date': ['property_closedate', 'date'],
            'close_datetime_utc': ['property_closedate', 'moment'],
            'create_date': ['property_createdate', 'date'],
            'create_datetime_utc': ['property_createdate', 'moment'],
            'owner_id': ['property_hubspot_owner_id', 'id'],
            'deal_source': ['property_hs_analytics_source', 'varchar'],
            'deal_type': ['property_dealtype', 'varchar'],
            'primary_company_id': ['property_hs_primary_associated_company', 'id'],
            'is_closed': ['property_hs_is_closed', 'boolean'],
            'is_won': ['property_hs_is_closed_won', 'property_hs_closed_won_count', 'boolean'],
            'stage_probability': ['property_hs_deal_stage_probability', 'number(5, 4)'],
            'is_deleted': ['flag'],
            'updated_at': ['updatedat', 'timestamp_ntz'],
        }) }}

    ),

    owners as (

        {{ hubspot_table('owners', {
            'owner_id': ['ownerid', 'owner_id', 'id', 'id'],
            'email': ['email', 'varchar'],
            'first_name': ['firstname', 'first_name', 'varchar'],
            'last_name': ['lastname', 'last_name', 'varchar'],
        }) }}

    ),

    all_pipelines as (

        {{ hubspot_table('pipelines', {
            'pipeline_id': ['pipelineid', 'pipeline_id', 'id', 'id'],
            'object_type_id': ['objecttypeid', 'object_type_id', 'varchar'],
            'label': ['label', 'varchar'],
        }) }}

    ),

    all_stages as (

        {{ hubspot_table('pipeline_stages', {
            'pipeline_id': ['pipelineid', 'pipeline_id', 'id'],
            'object_type_id': ['objecttypeid', 'object_type_id', 'varchar'],
            'stage_id': ['stageid', 'stage_id', 'id', 'id'],
            'label': ['label', 'varchar'],
            'metadata': ['metadata', 'json'],
        }) }}

    ),

    deal_contacts as (

        {{ hubspot_table('associations_deals_to_contacts', {
            'deal_id': ['deal_objectid', 'id'],
            'contact_id': ['contact_objectid', 'id'],
            'is_main': ['ismainassociationdefinition', 'boolean'],
        }) }}

    ),

    deal_companies as (

        {{ hubspot_table('associations_deals_to_companies', {
            'deal_id': ['deal_objectid', 'id'],
            'company_id': ['company_objectid', 'id'],
            'is_main': ['ismainassociationdefinition', 'boolean'],
        }) }}

    ),

    -- Other object types can have the same ids. Deals are type '0-3'; a table without types has only deals.
    pipelines as (

        select * from all_pipelines
        where coalesce(object_type_id, '0-3') = '0-3'

    ),

    parsed_stages as (

        select
            *,
            try_parse_json(metadata) as stage_metadata
        from all_stages
        where coalesce(object_type_id, '0-3') = '0-3'

    ),

    stages as (

        select
            pipeline_id,
            stage_id,
            label,
            {{ hubspot_stage_is_closed('stage_metadata') }} as is_closed,
            {{ hubspot_stage_is_won('stage_metadata') }} as is_won
        from parsed_stages

    ),

    {{ hubspot_stage_labels() if stages_only else hubspot_labelled_deals() }}
{%- endmacro %}

{% macro hubspot_deal_stages_from_share() -%}
    {{ hubspot_deals_from_share(stages_only=true) }}
{%- endmacro %}

{% macro hubspot_contacts_from_share() -%}
    {{ hubspot_table('objects_contacts', {
        'contact_id': ['objectid', 'id'],
        'first_name': ['property_firstname', 'varchar'],
        'last_name': ['property_lastname', 'varchar'],
        'email': ['property_email', 'varchar'],
        'company_name': ['property_company', 'varchar'],
        'job_title': ['property_jobtitle', 'varchar'],
        'lifecycle_stage': ['property_lifecyclestage', 'varchar'],
        'create_date': ['property_createdate', 'date'],
        'is_deleted': ['flag'],
        'updated_at': ['updatedat', 'timestamp_ntz'],
    }) }}
{%- endmacro %}

{% macro hubspot_companies_from_share() -%}
    {{ hubspot_table('objects_companies', {
        'company_id': ['objectid', 'id'],
        'company_name': ['property_name', 'varchar'],
        'domain': ['property_domain', 'varchar'],
        'industry': ['property_industry', 'varchar'],
        'annual_revenue': ['property_annualrevenue', 'number(38, 2)'],
        'number_of_employees': ['property_numberofemployees', 'number(38, 0)'],
        'is_deleted': ['flag'],
        'updated_at': ['updatedat', 'timestamp_ntz'],
    }) }}
{%- endmacro %}

{% macro hubspot_merges_from_share() -%}
    with deals as (

        {{ hubspot_table('objects_deals', {
            'survivor_id': ['objectid', 'id'],
            'merged_ids': ['property_hs_merged_object_ids', 'varchar'],
        }) }}

    ),

    companies as (

        {{ hubspot_table('objects_companies', {
            'survivor_id': ['objectid', 'id'],
            'merged_ids': ['property_hs_merged_object_ids', 'varchar'],
        }) }}

    ),

    contacts as (

        {{ hubspot_table('objects_contacts', {
            'survivor_id': ['objectid', 'id'],
            'merged_ids': ['property_hs_merged_object_ids', 'varchar'],
            'merged_vids': ['property_hs_calculated_merged_vids', 'varchar'],
        }) }}

    )

    {{ hubspot_merge_lists() }}
{%- endmacro %}
