{#-
    The CRM objects that a `context[]` of Gong's lists, as it lists them: once for each of the timings that were asked for.

    `relation` is a CTE with `columns`, which are kept, and with Gong's array of {system, objects: [{objectType, objectId,
    timing, fields}]} as crm_context. Gong calls a HubSpot deal `Opportunity` (its specification) or `Deal` (seen), a company
    `Account` or `Company`, each in any case. An object without a timing is as it is now.
-#}
{% macro crm_objects(relation, columns) %}
    select
        {% for column in columns -%}
        {{ relation }}.{{ column }},
        {% endfor -%}
        case lower({{ json_text('crm.value:system') }})
            when 'hubspot' then 'HubSpot'
            when 'microsoftdynamic' then 'MicrosoftDynamic'
            else coalesce(initcap({{ json_text('crm.value:system') }}), 'Unknown')
        end as crm_system,
        case lower({{ json_text('record.value:objectType') }})
            when 'deal' then 'Opportunity'
            when 'company' then 'Account'
            else initcap({{ json_text('record.value:objectType') }})
        end as object_type,
        {{ json_text('record.value:objectId') }} as object_id,
        coalesce(lower(record.value:timing::varchar) = 'timeofcall', false) as is_at_call,
        record.value:fields as fields,
        crm.index as system_index,
        record.index as object_index
    from {{ relation }},
        lateral flatten(input => {{ relation }}.crm_context) as crm,
        lateral flatten(input => crm.value:objects) as record
    where {{ json_text('record.value:objectType') }} is not null and {{ json_text('record.value:objectId') }} is not null
{% endmacro %}

{#- A field's name as spelled by any CRM: StageName, dealstage and deal_stage are told apart by letters only. -#}
{% macro crm_field_name(field) -%}
    replace(lower({{ field }}.value:name::varchar), '_', '')
{%- endmacro %}
