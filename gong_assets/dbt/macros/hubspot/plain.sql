{#-
    One table per object, with readable names and labels instead of ids, as written by reverse ETL or custom
    extracts. The columns are those of the staged tables. All but the id are optional.
-#}

{% macro hubspot_deals_from_plain() -%}
    {{ hubspot_table('deals', {
        'deal_id': ['deal_id', 'id'],
        'deal_name': ['deal_name', 'varchar'],
        'deal_stage_id': ['deal_stage_id', 'id'],
        'deal_stage': ['deal_stage', 'varchar'],
        'pipeline_name': ['pipeline_name', 'varchar'],
        'deal_amount': ['deal_amount', 'varchar'],
        'deal_amount_in_home_currency': ['deal_amount_in_home_currency', 'varchar'],
        'deal_currency_code': ['deal_currency_code', 'varchar'],
        'exchange_rate': ['exchange_rate', 'number(20, 10)'],
        'close_date': ['close_date', 'date'],
        'close_datetime_utc': ['close_date', 'moment'],
        'create_date': ['create_date', 'date'],
        'create_datetime_utc': ['create_date', 'moment'],
        'deal_owner': ['deal_owner', 'varchar'],
        'deal_owner_email': ['deal_owner_email', 'varchar'],
        'deal_source': ['deal_source', 'varchar'],
        'deal_type': ['deal_type', 'varchar'],
        'associated_contact_id': ['associated_contact_id', 'id'],
        'associated_company_id': ['associated_company_id', 'id'],
        'is_closed': ['is_closed', 'boolean'],
        'is_won': ['is_won', 'boolean'],
        'is_deleted': ['is_deleted', 'flag'],
        'updated_at': ['updated_at', 'timestamp_ntz'],
    }) }}
{%- endmacro %}

{#- The stages of the deals, because there is no table of stages. -#}
{% macro hubspot_deal_stages_from_plain() -%}
    select deal_stage_id as stage_id, deal_stage as label
    from ({{ hubspot_deals_from_plain() }}) as deals
{%- endmacro %}

{% macro hubspot_contacts_from_plain() -%}
    {{ hubspot_table('contacts', {
        'contact_id': ['contact_id', 'id'],
        'first_name': ['first_name', 'varchar'],
        'last_name': ['last_name', 'varchar'],
        'email': ['email', 'varchar'],
        'company_name': ['company_name', 'varchar'],
        'job_title': ['job_title', 'varchar'],
        'lifecycle_stage': ['lifecycle_stage', 'varchar'],
        'create_date': ['create_date', 'date'],
        'is_deleted': ['is_deleted', 'flag'],
        'updated_at': ['updated_at', 'timestamp_ntz'],
    }) }}
{%- endmacro %}

{% macro hubspot_companies_from_plain() -%}
    {{ hubspot_table('companies', {
        'company_id': ['company_id', 'id'],
        'company_name': ['company_name', 'varchar'],
        'domain': ['domain', 'varchar'],
        'industry': ['industry', 'varchar'],
        'annual_revenue': ['annual_revenue', 'number(38, 2)'],
        'number_of_employees': ['number_of_employees', 'number(38, 0)'],
        'is_deleted': ['is_deleted', 'flag'],
        'updated_at': ['updated_at', 'timestamp_ntz'],
    }) }}
{%- endmacro %}

{% macro hubspot_merges_from_plain() -%}
    with deals as (

        {{ hubspot_table('deals', {
            'survivor_id': ['deal_id', 'id'], 'merged_ids': ['merged_object_ids', 'varchar']
        }) }}

    ),

    companies as (

        {{ hubspot_table('companies', {
            'survivor_id': ['company_id', 'id'], 'merged_ids': ['merged_object_ids', 'varchar']
        }) }}

    ),

    contacts as (

        {{ hubspot_table('contacts', {
            'survivor_id': ['contact_id', 'id'],
            'merged_ids': ['merged_object_ids', 'varchar'],
            'merged_vids': ['varchar'],
        }) }}

    )

    {{ hubspot_merge_lists() }}
{%- endmacro %}
