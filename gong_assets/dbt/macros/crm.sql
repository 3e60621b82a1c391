{#-
    CRM objects of Gong's `context[]`, one row for each object and timing.

    `relation` is a CTE with `columns`, which are kept, and with Gong's array of {system, objects:
    [{objectType, objectId, timing, fields}]} as crm_context. Gong calls a HubSpot deal `Opportunity` in its
    specification and `Deal` in responses, and a company `Account` or `Company`, in any case. An object
    without a timing is current.
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
    where
        {{ json_text('record.value:objectType') }} is not null
        and {{ json_text('record.value:objectId') }} is not null
{% endmacro %}

{#- Normalized field name: CRMs spell the same field as StageName, stagename or stage_name. -#}
{% macro crm_field_name(field) -%}
    replace(lower({{ field }}.value:name::varchar), '_', '')
{%- endmacro %}
