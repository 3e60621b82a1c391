with links as (

    select
        links.crm_link_id,
        links.call_id,
        links.call_date,
        links.crm_system,
        links.object_type,
        coalesce(merged.survivor_id, links.object_id) as object_id,
        links.object_name,
        links.listed_order,
        links.object_id as listed_object_id,
        merged.merged_id is not null as is_merged
    from {{ ref('stg_gong_call_crm_links') }} as links
    left join {{ ref('stg_hubspot_merged_records') }} as merged
        on links.crm_system = 'HubSpot'
        and links.object_type = merged.object_type
        and links.object_id = merged.merged_id
    where links.is_current

),

-- A call can be linked to both a merged record and its survivor.
distinct_links as (

    select * from links
    qualify row_number() over (
        partition by call_id, crm_system, object_type, object_id
        order by iff(is_merged, 1, 0), listed_order, listed_object_id
    ) = 1

)

select
    call_id || '_' || lower(crm_system) || '_' || lower(object_type) || '_' || object_id as call_crm_link_id,
    crm_link_id,
    call_id,
    call_date,
    crm_system,
    object_type,
    object_id,
    object_name,
    listed_order,
    listed_object_id,
    false as is_inferred
from distinct_links

union all

select
    call_id || '_hubspot_account_' || hubspot_company_id as call_crm_link_id,
    null as crm_link_id,
    call_id,
    call_date,
    'HubSpot' as crm_system,
    'Account' as object_type,
    hubspot_company_id as object_id,
    company_name as object_name,
    null as listed_order,
    null as listed_object_id,
    true as is_inferred
from {{ ref('int_gong_inferred_records') }}
where hubspot_company_id is not null
