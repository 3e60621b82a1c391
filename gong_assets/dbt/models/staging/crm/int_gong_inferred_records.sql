with addresses as (

    select * from {{ ref('int_gong_customer_addresses') }}

),

company_domains as (

    select company_id, company_name, {{ plain_domain('domain') }} as domain
    from {{ ref('stg_hubspot_companies') }}

),

-- The longest domain of a company that the address has.
matches as (

    select addresses.call_id, companies.company_id, companies.company_name
    from addresses
    inner join company_domains as companies on addresses.suffix = companies.domain
    qualify addresses.depth = min(addresses.depth) over (partition by addresses.call_id, addresses.domain)

),

-- Several possible companies are none, also those with the same domain.
matched_companies as (

    select call_id, max(company_id) as company_id, max(company_name) as company_name
    from matches
    group by 1
    having count(distinct company_id) = 1

),

-- Only of the person who is the contact of the call. A whole address identifies a person, of free mail too.
matched_contacts as (

    select addresses.call_id, max(contacts.contact_id) as contact_id
    from addresses
    inner join {{ ref('stg_hubspot_contacts') }} as contacts on addresses.email_address = contacts.email
    where addresses.is_contact
    group by 1
    having count(distinct contacts.contact_id) = 1

)

select
    calls.call_id,
    calls.call_date,
    matched_companies.company_id as hubspot_company_id,
    matched_companies.company_name,
    matched_contacts.contact_id as hubspot_contact_id
from (select distinct call_id, call_date from addresses) as calls
left join matched_companies on calls.call_id = matched_companies.call_id
left join matched_contacts on calls.call_id = matched_contacts.call_id
where matched_companies.call_id is not null or matched_contacts.call_id is not null
