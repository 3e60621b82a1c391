{#- One table per object, with readable names and labels instead of ids, as reverse-ETL and hand-made extracts have it. -#}

{% macro hubspot_deals_from_plain() -%}
    with deals as (

        {{ hubspot_table('deals', {
            'deal_id': 'varchar',
            'deal_name': 'varchar',
            'deal_stage': 'varchar',
            'pipeline_name': 'varchar',
            'deal_amount': 'number(15, 2)',
            'close_date': 'date',
            'create_date': 'date',
            'deal_owner': 'varchar',
            'deal_owner_email': 'varchar',
            'deal_source': 'varchar',
            'deal_type': 'varchar',
            'associated_contact_id': 'varchar',
            'associated_company_id': 'varchar',
            'updated_at': 'timestamp_ntz',
        }) }}

    )

    select
        deal_id,
        deal_name,
        null::varchar as deal_stage_id,
        deal_stage,
        pipeline_name,
        deal_amount,
        close_date,
        create_date,
        deal_owner,
        lower(deal_owner_email) as deal_owner_email,
        deal_source,
        deal_type,
        associated_contact_id,
        associated_company_id,
        null::boolean as is_closed,
        null::boolean as is_won,
        updated_at
    from deals
{%- endmacro %}

{% macro hubspot_contacts_from_plain() -%}
    {{ hubspot_table('contacts', {
        'contact_id': 'varchar',
        'first_name': 'varchar',
        'last_name': 'varchar',
        'email': 'varchar',
        'company_name': 'varchar',
        'job_title': 'varchar',
        'lifecycle_stage': 'varchar',
        'create_date': 'date',
        'updated_at': 'timestamp_ntz',
    }) }}
{%- endmacro %}

{% macro hubspot_companies_from_plain() -%}
    {{ hubspot_table('companies', {
        'company_id': 'varchar',
        'company_name': 'varchar',
        'domain': 'varchar',
        'industry': 'varchar',
        'annual_revenue': 'number(38, 2)',
        'number_of_employees': 'number(38, 0)',
        'updated_at': 'timestamp_ntz',
    }) }}
{%- endmacro %}
