with calls as (

    select
        call_id,
        coalesce(is_private, false) as is_private,
        primary_user_id,
        primary_user_name,
        primary_user_email
    from {{ ref('stg_gong_calls') }}

),

users as (

    select * from {{ ref('stg_gong_users') }}

),

companies as (

    select * from {{ ref('stg_hubspot_companies') }}

),

deals as (

    select * from {{ ref('stg_hubspot_deals') }}

),

records as (

    select
        'Rep' as record_type,
        'Gong' as crm_system,
        user_id as record_id,
        full_name as record_name,
        email_address as record_detail
    from users

    union all

    select
        'Company' as record_type,
        'HubSpot' as crm_system,
        company_id as record_id,
        company_name as record_name,
        domain as record_detail
    from companies

    union all

    select
        'Deal' as record_type,
        'HubSpot' as crm_system,
        deal_id as record_id,
        deal_name as record_name,
        deal_stage as record_detail
    from deals

),

-- Calls also have the hosts and CRM records that the lists lack, and the names of their time.
hosts as (

    select
        primary_user_id,
        primary_user_name,
        primary_user_email,
        is_private
    from calls
    where primary_user_id is not null

),

linked_records as (

    select
        iff(links.object_type = 'Account', 'Company', 'Deal') as record_type,
        links.crm_system,
        links.object_id as record_id,
        links.object_name as record_name,
        calls.is_private
    from {{ ref('int_gong_call_crm_links') }} as links
    inner join calls on links.call_id = calls.call_id
    where links.object_type = 'Account' or links.object_type = 'Opportunity' and links.crm_system = 'HubSpot'

),

terms as (

    select record_type, crm_system, record_id, 'Id' as term_type, record_id as term, false as is_private
    from records

    union all

    select record_type, crm_system, record_id, 'Name' as term_type, record_name as term, false as is_private
    from records

    union all

    select
        record_type,
        crm_system,
        record_id,
        iff(record_type = 'Rep', 'E-mail', 'Domain') as term_type,
        record_detail as term,
        false as is_private
    from records
    where record_type in ('Rep', 'Company')

    union all

    select
        'Rep' as record_type,
        'Gong' as crm_system,
        users.user_id as record_id,
        'E-mail' as term_type,
        lower(alias.value::varchar) as term,
        false as is_private
    from users, lateral flatten(input => users.email_aliases) as alias

    union all

    select
        iff(merged.object_type = 'Account', 'Company', 'Deal') as record_type,
        'HubSpot' as crm_system,
        merged.survivor_id as record_id,
        'Id' as term_type,
        merged.merged_id as term,
        false as is_private
    from {{ ref('stg_hubspot_merged_records') }} as merged
    where merged.object_type in ('Account', 'Opportunity')

    union all

    select 'Rep' as record_type, 'Gong' as crm_system, primary_user_id, 'Id', primary_user_id, is_private
    from hosts

    union all

    select 'Rep' as record_type, 'Gong' as crm_system, primary_user_id, 'Name', primary_user_name, is_private
    from hosts

    union all

    select
        'Rep' as record_type,
        'Gong' as crm_system,
        primary_user_id,
        'E-mail',
        lower(primary_user_email),
        is_private
    from hosts

    union all

    select record_type, crm_system, record_id, 'Id' as term_type, record_id as term, is_private
    from linked_records

    union all

    select record_type, crm_system, record_id, 'Name' as term_type, record_name as term, is_private
    from linked_records

),

-- A term is public if any public call or list has it.
distinct_terms as (

    select
        record_type,
        crm_system,
        record_id,
        term_type,
        term,
        min(iff(is_private, 1, 0)) = 1 as is_private
    from terms
    where term is not null
    group by 1, 2, 3, 4, 5

)

select
    distinct_terms.record_type || '_' || distinct_terms.crm_system || '_' || distinct_terms.record_id
    || '_' || distinct_terms.term_type || '_' || distinct_terms.term as directory_id,
    distinct_terms.record_type,
    distinct_terms.crm_system,
    distinct_terms.record_id,
    coalesce(
        records.record_name,
        max(iff(distinct_terms.term_type = 'Name' and not distinct_terms.is_private, distinct_terms.term, null))
            over (partition by distinct_terms.record_type, distinct_terms.crm_system, distinct_terms.record_id)
    ) as record_name,
    records.record_detail,
    distinct_terms.term_type,
    distinct_terms.term,
    distinct_terms.is_private
from distinct_terms
left join records
    on distinct_terms.record_type = records.record_type
    and distinct_terms.crm_system = records.crm_system
    and distinct_terms.record_id = records.record_id
