with calls as (

    select call_id, call_date, coalesce(is_private, false) as is_private
    from {{ ref('stg_gong_calls') }}

),

users as (

    select * from {{ ref('int_gong_users') }}

),

companies as (

    select * from {{ ref('stg_hubspot_companies') }}

),

deals as (

    select * from {{ ref('stg_hubspot_deals') }}

),

listed_records as (

    select
        'Rep' as record_type,
        'Gong' as crm_system,
        user_id as record_id,
        full_name as record_name,
        email_address as record_detail,
        is_private
    from users

    union all

    select
        'Company' as record_type,
        'HubSpot' as crm_system,
        company_id as record_id,
        company_name as record_name,
        domain as record_detail,
        false as is_private
    from companies

    union all

    select
        'Deal' as record_type,
        'HubSpot' as crm_system,
        deal_id as record_id,
        deal_name as record_name,
        deal_stage as record_detail,
        false as is_private
    from deals

    union all

    -- HubSpot's owners have no ids in all of its tables.
    select
        'Owner' as record_type,
        'HubSpot' as crm_system,
        coalesce(deal_owner_email, deal_owner) as record_id,
        max(deal_owner) as record_name,
        max(deal_owner_email) as record_detail,
        false as is_private
    from deals
    where coalesce(deal_owner_email, deal_owner) is not null
    group by 1, 2, 3

),

user_terms as (

    select user_id, is_private, 'Name' as term_type, false as is_former, full_name as term
    from users

    union all

    select user_id, is_private, 'E-mail' as term_type, false as is_former, email_address as term
    from users
    {%- for column, term_type, is_former in [
        ('former_names', 'Name', true), ('email_aliases', 'E-mail', false),
        ('former_email_addresses', 'E-mail', true)
    ] %}

    union all

    select
        users.user_id,
        users.is_private,
        '{{ term_type }}' as term_type,
        {{ is_former }} as is_former,
        listed.value::varchar as term
    from users, lateral flatten(input => users.{{ column }}) as listed
    {%- endfor %}

),

-- Calls also have the CRM records that HubSpot lacks, and the names of their time.
linked_records as (

    select
        iff(links.object_type = 'Account', 'Company', 'Deal') as record_type,
        links.crm_system,
        links.object_id as record_id,
        links.object_name as record_name,
        calls.is_private,
        row_number() over (
            partition by links.object_type, links.crm_system, links.object_id
            order by iff(calls.is_private, 1, 0), calls.call_date desc, links.object_name
        ) = 1 as is_newest
    from {{ ref('int_gong_call_crm_links') }} as links
    inner join calls on links.call_id = calls.call_id
    where links.object_type = 'Account' or links.object_type = 'Opportunity' and links.crm_system = 'HubSpot'

),

records as (

    select * from listed_records

    union all

    select
        linked_records.record_type,
        linked_records.crm_system,
        linked_records.record_id,
        linked_records.record_name,
        null as record_detail,
        linked_records.is_private
    from linked_records
    left join listed_records
        on linked_records.record_type = listed_records.record_type
        and linked_records.crm_system = listed_records.crm_system
        and linked_records.record_id = listed_records.record_id
    where linked_records.is_newest and listed_records.record_id is null

),

terms as (

    select
        record_type,
        crm_system,
        record_id,
        'Id' as term_type,
        false as is_former,
        record_id as term,
        is_private
    from records
    where record_type <> 'Owner'

    union all

    select record_type, crm_system, record_id, 'Name', false, record_name, is_private
    from records
    where record_type <> 'Rep'

    union all

    select record_type, crm_system, record_id, iff(record_type = 'Owner', 'E-mail', 'Domain'), false,
        record_detail, is_private
    from records
    where record_type in ('Company', 'Owner')

    union all

    select 'Rep', 'Gong', user_id, term_type, is_former, term, is_private
    from user_terms

    union all

    -- An owner who is a user of Gong is also found by what calls know of the user.
    select 'Owner', 'HubSpot', owners.record_id, user_terms.term_type, true, user_terms.term,
        user_terms.is_private
    from user_terms as addresses
    inner join records as owners
        on owners.record_type = 'Owner' and addresses.term_type = 'E-mail' and addresses.term = owners.record_id
    inner join user_terms on addresses.user_id = user_terms.user_id

    union all

    select
        iff(merged.object_type = 'Account', 'Company', 'Deal'),
        'HubSpot',
        merged.survivor_id,
        'Id',
        true,
        merged.merged_id,
        false
    from {{ ref('stg_hubspot_merged_records') }} as merged
    where merged.object_type in ('Account', 'Opportunity')

    union all

    select record_type, crm_system, record_id, 'Name', true, record_name, is_private
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
        min(iff(is_former, 1, 0)) = 1 as is_former,
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
    records.record_name,
    records.record_detail,
    distinct_terms.term_type,
    distinct_terms.term,
    distinct_terms.is_former,
    distinct_terms.is_private
from distinct_terms
left join records
    on distinct_terms.record_type = records.record_type
    and distinct_terms.crm_system = records.crm_system
    and distinct_terms.record_id = records.record_id
