{#-
    Tables of Airbyte's HubSpot source: one table per stream. The properties of a record are in one object
    PROPERTIES or in a column PROPERTIES_<INTERNAL NAME> each, and its associations are lists of ids.
    https://docs.airbyte.com/integrations/sources/hubspot
    An archived deal stays unchanged in DEALS and appears in DEALS_ARCHIVED, if that stream is synced.
-#}
{% macro hubspot_deals_from_airbyte(stages_only=false) -%}
    with all_deals as (

        {{ hubspot_table('deals', {
            'deal_id': ['id', 'id'],
            'deal_name': ['properties_dealname', 'varchar'],
            'stage_id': ['properties_dealstage', 'id'],
            'pipeline_id': ['properties_pipeline', 'id'],
            'deal_amount': ['properties_amount', 'varchar'],
            'deal_amount_in_home_currency': ['properties_amount_in_home_currency', 'varchar'],
            'deal_currency_code': ['properties_deal_currency_code', 'varchar'],
            'exchange_rate': ['properties_hs_exchange_rate', 'number(20, 10)'],
            'close_date': ['properties_closedate', 'date'],
            'close_datetime_utc': ['properties_closedate', 'moment'],
            'create_date': ['properties_createdate', 'date'],
            'create_datetime_utc': ['properties_createdate', 'moment'],
            'owner_id': ['properties_hubspot_owner_id', 'id'],
            'deal_source': ['properties_hs_analytics_source', 'varchar'],
            'deal_type': ['properties_dealtype', 'varchar'],
            'primary_company_id': ['properties_hs_primary_associated_company', 'id'],
            'is_closed': ['properties_hs_is_closed', 'boolean'],
            'is_won': ['properties_hs_is_closed_won', 'properties_hs_closed_won_count', 'boolean'],
            'stage_probability': ['properties_hs_deal_stage_probability', 'number(5, 4)'],
            'is_archived': ['archived', 'flag'],
            'updated_at': ['updatedat', 'timestamp_ntz'],
            'read_at': ['_airbyte_extracted_at', 'timestamp_ntz'],
            'contacts': ['contacts', 'array'],
            'companies': ['companies', 'array'],
        }) }}

    ),

    -- An append sync keeps earlier versions of a deal, with their contacts and companies.
    latest_deals as (

        select * from all_deals
        qualify row_number() over (
            partition by deal_id
            order by
                updated_at desc nulls last, read_at desc nulls last, is_archived desc, deal_name, stage_id,
                deal_amount
        ) = 1

    ),

    archived_deals as (

        {{ hubspot_table('deals_archived', {
            'deal_id': ['id', 'id'], 'archived_at': ['archivedat', 'timestamp_ntz']
        }) }}

    ),

    last_archived as (

        select deal_id, max(archived_at) as archived_at
        from archived_deals
        group by 1

    ),

    deals as (

        select
            latest_deals.*,
            latest_deals.is_archived
            or (
                last_archived.deal_id is not null
                -- A restored deal was updated after it was archived.
                and coalesce(last_archived.archived_at >= latest_deals.updated_at, true)
            ) as is_deleted
        from latest_deals
        left join last_archived on latest_deals.deal_id = last_archived.deal_id

    ),

    owners as (

        {{ hubspot_table('owners', {
            'owner_id': ['id', 'id'],
            'email': ['email', 'varchar'],
            'first_name': ['firstname', 'varchar'],
            'last_name': ['lastname', 'varchar'],
        }) }}

    ),

    pipelines as (

        {{ hubspot_table('deal_pipelines', {
            'pipeline_id': ['pipelineid', 'id', 'id'],
            'label': ['label', 'varchar'],
            'stages': ['stages', 'array'],
        }) }}

    ),

    stages as (

        select
            pipelines.pipeline_id,
            {{ hubspot_id('coalesce(stage.value:stageId, stage.value:id)') }} as stage_id,
            {{ json_text('stage.value:label') }} as label,
            {{ hubspot_stage_is_closed('stage.value:metadata') }} as is_closed,
            {{ hubspot_stage_is_won('stage.value:metadata') }} as is_won
        from pipelines, lateral flatten(input => pipelines.stages) as stage

    ),

    deal_contacts as (

        select
            deals.deal_id,
            {{ hubspot_id('associated.value') }} as contact_id,
            null::boolean as is_main
        from deals, lateral flatten(input => deals.contacts) as associated

    ),

    deal_companies as (

        select
            deals.deal_id,
            {{ hubspot_id('associated.value') }} as company_id,
            null::boolean as is_main
        from deals, lateral flatten(input => deals.companies) as associated

    ),

    {{ hubspot_stage_labels() if stages_only else hubspot_labelled_deals() }}
{%- endmacro %}

{% macro hubspot_deal_stages_from_airbyte() -%}
    {{ hubspot_deals_from_airbyte(stages_only=true) }}
{%- endmacro %}

{% macro hubspot_contacts_from_airbyte() -%}
    {{ hubspot_table('contacts', {
        'contact_id': ['id', 'id'],
        'first_name': ['properties_firstname', 'varchar'],
        'last_name': ['properties_lastname', 'varchar'],
        'email': ['properties_email', 'varchar'],
        'company_name': ['properties_company', 'varchar'],
        'job_title': ['properties_jobtitle', 'varchar'],
        'lifecycle_stage': ['properties_lifecyclestage', 'varchar'],
        'create_date': ['properties_createdate', 'date'],
        'is_deleted': ['archived', 'flag'],
        'updated_at': ['updatedat', 'timestamp_ntz'],
    }) }}
{%- endmacro %}

{% macro hubspot_companies_from_airbyte() -%}
    {{ hubspot_table('companies', {
        'company_id': ['id', 'id'],
        'company_name': ['properties_name', 'varchar'],
        'domain': ['properties_domain', 'varchar'],
        'industry': ['properties_industry', 'varchar'],
        'annual_revenue': ['properties_annualrevenue', 'number(38, 2)'],
        'number_of_employees': ['properties_numberofemployees', 'number(38, 0)'],
        'is_deleted': ['archived', 'flag'],
        'updated_at': ['updatedat', 'timestamp_ntz'],
    }) }}
{%- endmacro %}

{% macro hubspot_merges_from_airbyte() -%}
    with deals as (

        {{ hubspot_table('deals', {
            'survivor_id': ['id', 'id'],
            'merged_ids': ['properties_hs_merged_object_ids', 'varchar'],
        }) }}

    ),

    companies as (

        {{ hubspot_table('companies', {
            'survivor_id': ['id', 'id'],
            'merged_ids': ['properties_hs_merged_object_ids', 'varchar'],
        }) }}

    ),

    contacts as (

        {{ hubspot_table('contacts', {
            'survivor_id': ['id', 'id'],
            'merged_ids': ['properties_hs_merged_object_ids', 'varchar'],
            'merged_vids': ['properties_hs_calculated_merged_vids', 'varchar'],
        }) }}

    )

    {{ hubspot_merge_lists() }}
{%- endmacro %}
