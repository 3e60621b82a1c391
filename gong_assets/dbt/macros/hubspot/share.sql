{#-
    HubSpot's Snowflake share: pivoted tables OBJECTS_<TYPE> with a column PROPERTY_<INTERNAL NAME> per property, see
    https://knowledge.hubspot.com/reports/query-hubspot-data-in-snowflake
    Ids are numbers there and text in Gong's CRM context: they are text here. A deal's stage and pipeline are ids there
    too, and labels here; the columns of OWNERS, PIPELINES and PIPELINE_STAGES follow HubSpot's property names.
-#}
{% macro hubspot_deals_from_share() -%}
    with deals as (

        {{ hubspot_table('objects_deals', {
            'objectid': 'varchar',
            'updatedat': 'timestamp_ntz',
            'property_dealname': 'varchar',
            'property_dealstage': 'varchar',
            'property_pipeline': 'varchar',
            'property_amount': 'number(15, 2)',
            'property_closedate': 'date',
            'property_createdate': 'date',
            'property_hubspot_owner_id': 'varchar',
            'property_hs_analytics_source': 'varchar',
            'property_dealtype': 'varchar',
            'property_hs_is_closed': 'varchar',
            'property_hs_is_closed_won': 'varchar',
        }) }}

    ),

    owners as (

        {{ hubspot_table('owners', {
            'ownerid': 'varchar', 'email': 'varchar', 'firstname': 'varchar', 'lastname': 'varchar'
        }) }}

    ),

    pipelines as (

        {{ hubspot_table('pipelines', {'pipelineid': 'varchar', 'objecttypeid': 'varchar', 'label': 'varchar'}) }}

    ),

    pipeline_stages as (

        {{ hubspot_table('pipeline_stages', {
            'pipelineid': 'varchar', 'objecttypeid': 'varchar', 'stageid': 'varchar', 'label': 'varchar'
        }) }}

    ),

    contact_associations as (

        {{ hubspot_table('associations_deals_to_contacts', {
            'deal_objectid': 'varchar', 'contact_objectid': 'varchar', 'ismainassociationdefinition': 'boolean'
        }) }}

    ),

    company_associations as (

        {{ hubspot_table('associations_deals_to_companies', {
            'deal_objectid': 'varchar', 'company_objectid': 'varchar', 'ismainassociationdefinition': 'boolean'
        }) }}

    ),

    -- A label may be defined again for another object type: a deal's is '0-3', and a table without types has only deals.
    deal_pipelines as (

        select * from pipelines
        where coalesce(objecttypeid, '0-3') = '0-3'
        qualify row_number() over (partition by pipelineid order by label) = 1

    ),

    deal_stages as (

        select * from pipeline_stages
        where coalesce(objecttypeid, '0-3') = '0-3'
        qualify row_number() over (partition by pipelineid, stageid order by label) = 1

    ),

    deal_owners as (

        select * from owners
        qualify row_number() over (partition by ownerid order by email) = 1

    ),

    main_contacts as (

        select * from contact_associations
        qualify row_number() over (
            partition by deal_objectid order by iff(ismainassociationdefinition, 0, 1), contact_objectid
        ) = 1

    ),

    main_companies as (

        select * from company_associations
        qualify row_number() over (
            partition by deal_objectid order by iff(ismainassociationdefinition, 0, 1), company_objectid
        ) = 1

    )

    select
        deals.objectid as deal_id,
        deals.property_dealname as deal_name,
        deals.property_dealstage as deal_stage_id,
        coalesce(deal_stages.label, deals.property_dealstage) as deal_stage,
        coalesce(deal_pipelines.label, deals.property_pipeline) as pipeline_name,
        deals.property_amount as deal_amount,
        deals.property_closedate as close_date,
        deals.property_createdate as create_date,
        nullif(trim(coalesce(deal_owners.firstname, '') || ' ' || coalesce(deal_owners.lastname, '')), '') as deal_owner,
        lower(deal_owners.email) as deal_owner_email,
        deals.property_hs_analytics_source as deal_source,
        deals.property_dealtype as deal_type,
        main_contacts.contact_objectid as associated_contact_id,
        main_companies.company_objectid as associated_company_id,
        try_to_boolean(deals.property_hs_is_closed) as is_closed,
        try_to_boolean(deals.property_hs_is_closed_won) as is_won,
        deals.updatedat as updated_at
    from deals
    left join deal_owners on deals.property_hubspot_owner_id = deal_owners.ownerid
    left join deal_pipelines on deals.property_pipeline = deal_pipelines.pipelineid
    left join deal_stages
        on deals.property_pipeline = deal_stages.pipelineid and deals.property_dealstage = deal_stages.stageid
    left join main_contacts on deals.objectid = main_contacts.deal_objectid
    left join main_companies on deals.objectid = main_companies.deal_objectid
{%- endmacro %}

{% macro hubspot_contacts_from_share() -%}
    with contacts as (

        {{ hubspot_table('objects_contacts', {
            'objectid': 'varchar',
            'updatedat': 'timestamp_ntz',
            'property_firstname': 'varchar',
            'property_lastname': 'varchar',
            'property_email': 'varchar',
            'property_company': 'varchar',
            'property_jobtitle': 'varchar',
            'property_lifecyclestage': 'varchar',
            'property_createdate': 'date',
        }) }}

    )

    select
        objectid as contact_id,
        property_firstname as first_name,
        property_lastname as last_name,
        lower(property_email) as email,
        property_company as company_name,
        property_jobtitle as job_title,
        property_lifecyclestage as lifecycle_stage,
        property_createdate as create_date,
        updatedat as updated_at
    from contacts
{%- endmacro %}

{% macro hubspot_companies_from_share() -%}
    with companies as (

        {{ hubspot_table('objects_companies', {
            'objectid': 'varchar',
            'updatedat': 'timestamp_ntz',
            'property_name': 'varchar',
            'property_domain': 'varchar',
            'property_industry': 'varchar',
            'property_annualrevenue': 'number(38, 2)',
            'property_numberofemployees': 'number(38, 0)',
        }) }}

    )

    select
        objectid as company_id,
        property_name as company_name,
        lower(property_domain) as domain,
        property_industry as industry,
        property_annualrevenue as annual_revenue,
        property_numberofemployees as number_of_employees,
        updatedat as updated_at
    from companies
{%- endmacro %}
