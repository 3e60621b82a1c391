{#-
    The CRM objects that a `context[]` of Gong's lists, as it lists them: once for each of the timings that were asked for.

    `relation` is a CTE with `key`, and with Gong's array of {system, objects: [{objectType, objectId, timing, fields}]}
    as crm_context. Gong calls a HubSpot deal `Opportunity` (its specification) or `Deal` (seen), a company `Account` or
    `Company`. An object without a timing is as it is now.
-#}
{% macro crm_objects(relation, key) %}
    select
        {{ relation }}.{{ key }},
        case lower({{ json_text('crm.value:system') }})
            when 'hubspot' then 'HubSpot'
            when 'salesforce' then 'Salesforce'
            when 'microsoftdynamic' then 'MicrosoftDynamic'
            when 'generic' then 'Generic'
            else coalesce({{ json_text('crm.value:system') }}, 'Unknown')
        end as crm_system,
        case lower({{ json_text('record.value:objectType') }})
            when 'opportunity' then 'Opportunity'
            when 'deal' then 'Opportunity'
            when 'account' then 'Account'
            when 'company' then 'Account'
            when 'contact' then 'Contact'
            when 'lead' then 'Lead'
            when 'user' then 'User'
            else {{ json_text('record.value:objectType') }}
        end as object_type,
        {{ json_text('record.value:objectId') }} as object_id,
        coalesce(lower(record.value:timing::varchar) = 'timeofcall', false) as is_at_call,
        record.value:fields as fields,
        row_number() over (partition by {{ relation }}.{{ key }} order by crm.index, record.index) as listed_order
    from {{ relation }},
        lateral flatten(input => {{ relation }}.crm_context) as crm,
        lateral flatten(input => crm.value:objects) as record
    where {{ json_text('record.value:objectType') }} is not null and {{ json_text('record.value:objectId') }} is not null
{% endmacro %}

{#- A field's name as spelled by any CRM: StageName, dealstage and deal_stage are told apart by letters only. -#}
{% macro crm_field_name(field) -%}
    replace(lower({{ field }}.value:name::varchar), '_', '')
{%- endmacro %}

{#-
    What each call is about, one row per call and CRM record: its current links, and of a record that was merged in HubSpot
    the one that it became. A call that was linked to both has it once.
-#}
{% macro current_crm_links() %}
    select
        links.call_id,
        links.call_date,
        links.crm_system,
        links.object_type,
        coalesce(merged.survivor_id, links.object_id) as object_id,
        links.object_name
    from {{ ref('stg_gong_call_crm_links') }} as links
    left join {{ ref('stg_hubspot_merged_records') }} as merged
        on links.crm_system = 'HubSpot' and links.object_type = merged.object_type and links.object_id = merged.merged_id
    where links.is_current
    qualify row_number() over (
        partition by links.call_id, links.crm_system, links.object_type, coalesce(merged.survivor_id, links.object_id)
        order by iff(merged.merged_id is null, 0, 1), links.listed_order, links.object_id
    ) = 1
{% endmacro %}
