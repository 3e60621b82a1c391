{#-
    The CRM records that a `context[]` of Gong's links to, one row per (key, kind, record).

    `relation` is a CTE with `key`, and with Gong's array of {system, objects: [{objectType, objectId, timing, fields}]}
    as crm_context. Gong calls a HubSpot deal `Opportunity` (its specification) or `Deal` (seen), a company `Account` or
    `Company`. With both contextTimings each record comes twice, as it is now and as it was at the time of the call: the
    latter counts only where there is no record of the kind now. preference 1 is the record to use where one is wanted:
    HubSpot's before another system's, then in Gong's order.
-#}
{% macro crm_records(relation, key) %}
    with linked as (

        select
            {{ relation }}.{{ key }},
            case
                when lower(record.value:objectType::varchar) in ('opportunity', 'deal') then 'deal'
                when lower(record.value:objectType::varchar) in ('account', 'company') then 'company'
                when lower(record.value:objectType::varchar) = 'contact' then 'contact'
            end as crm_kind,
            {{ json_text('record.value:objectId') }} as crm_id,
            coalesce(lower(crm.value:system::varchar) = 'hubspot', false) as is_hubspot,
            iff(lower(record.value:timing::varchar) = 'timeofcall', 1, 0) as is_past,
            record.value:fields as fields,
            crm.index as crm_index,
            record.index as record_index
        from {{ relation }},
            lateral flatten(input => {{ relation }}.crm_context) as crm,
            lateral flatten(input => crm.value:objects) as record

    ),

    current_records as (

        select *
        from linked
        where crm_kind is not null and crm_id is not null
        qualify
            is_past = min(is_past) over (partition by {{ key }}, crm_kind)
            and row_number() over (
                partition by {{ key }}, crm_kind, is_hubspot, crm_id order by is_past, crm_index, record_index
            ) = 1

    )

    select
        *,
        row_number() over (
            partition by {{ key }}, crm_kind order by iff(is_hubspot, 0, 1), crm_index, record_index
        ) as preference
    from current_records
{% endmacro %}

{#- A field's name as spelled by any CRM: StageName, dealstage and deal_stage are told apart by letters only. -#}
{% macro crm_field_name(field) -%}
    replace(lower({{ field }}.value:name::varchar), '_', '')
{%- endmacro %}
