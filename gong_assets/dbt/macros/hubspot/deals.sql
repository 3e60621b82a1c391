{#-
    Deals with labels, owners and their main contact and company. A shape provides these CTEs:

    deals           deal_id, deal_name, stage_id, pipeline_id, deal_amount and deal_amount_in_home_currency as
                    texts, deal_currency_code, exchange_rate, close_date, close_datetime_utc, create_date,
                    create_datetime_utc, owner_id, deal_source, deal_type, primary_company_id, is_closed,
                    is_won, stage_probability, is_deleted, updated_at
    owners          owner_id, email, first_name, last_name
    pipelines       pipeline_id, label
    stages          pipeline_id, stage_id, label, is_closed, is_won
    deal_contacts   deal_id, contact_id, is_main
    deal_companies  deal_id, company_id, is_main
-#}
{% macro hubspot_labelled_deals() -%}
    distinct_owners as (

        select * from owners
        qualify row_number() over (partition by owner_id order by email, last_name, first_name) = 1

    ),

    distinct_pipelines as (

        select * from pipelines
        qualify row_number() over (partition by pipeline_id order by label) = 1

    ),

    distinct_stages as (

        select * from stages
        qualify row_number() over (partition by pipeline_id, stage_id order by label, is_closed, is_won) = 1

    ),

    main_contacts as (

        select * from deal_contacts
        qualify row_number() over (
            partition by deal_id order by iff(is_main, 0, 1), try_to_number(contact_id), contact_id
        ) = 1

    ),

    main_companies as (

        select * from deal_companies
        qualify row_number() over (
            partition by deal_id order by iff(is_main, 0, 1), try_to_number(company_id), company_id
        ) = 1

    )

    select
        deals.deal_id,
        deals.deal_name,
        deals.stage_id as deal_stage_id,
        coalesce(distinct_stages.label, deals.stage_id) as deal_stage,
        coalesce(distinct_pipelines.label, deals.pipeline_id) as pipeline_name,
        deals.deal_amount,
        deals.deal_amount_in_home_currency,
        deals.deal_currency_code,
        deals.exchange_rate,
        deals.close_date,
        deals.close_datetime_utc,
        deals.create_date,
        deals.create_datetime_utc,
        nullif(
            trim(coalesce(distinct_owners.first_name, '') || ' ' || coalesce(distinct_owners.last_name, '')),
            ''
        ) as deal_owner,
        lower(distinct_owners.email) as deal_owner_email,
        deals.deal_source,
        deals.deal_type,
        main_contacts.contact_id as associated_contact_id,
        coalesce(deals.primary_company_id, main_companies.company_id) as associated_company_id,
        coalesce(deals.is_closed, distinct_stages.is_closed) as is_closed,
        coalesce(
            deals.is_won, distinct_stages.is_won,
            iff(coalesce(deals.is_closed, distinct_stages.is_closed), deals.stage_probability = 1, null)
        ) as is_won,
        deals.is_deleted,
        deals.updated_at
    from deals
    left join distinct_owners on deals.owner_id = distinct_owners.owner_id
    left join distinct_pipelines on deals.pipeline_id = distinct_pipelines.pipeline_id
    left join distinct_stages
        on deals.pipeline_id = distinct_stages.pipeline_id and deals.stage_id = distinct_stages.stage_id
    left join main_contacts on deals.deal_id = main_contacts.deal_id
    left join main_companies on deals.deal_id = main_companies.deal_id
{%- endmacro %}

{#- The labels of the CTE `stages`, after the other CTEs of a shape. -#}
{% macro hubspot_stage_labels() -%}
    labelled_stages as (

        select distinct stage_id, label
        from stages
        where label is not null

    )

    select stage_id, label
    from labelled_stages
{%- endmacro %}

{#- Stage metadata: {"isClosed": "true", "probability": "1.0"}. A closed stage with probability 1 is won. -#}
{% macro hubspot_stage_is_closed(metadata) -%}
    {{ json_boolean(metadata ~ ':isClosed') }}
{%- endmacro %}

{% macro hubspot_stage_is_won(metadata) -%}
    {{ json_boolean(metadata ~ ':isClosed') }} and {{ json_float(metadata ~ ':probability') }} = 1
{%- endmacro %}
