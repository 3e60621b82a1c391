{#- Named here, because dbt must know what the model reads with the var match_calls_by_domain. -#}
{%- set calls = ref('stg_gong_calls') %}
{%- set links = ref('stg_gong_call_crm_links') %}
{%- set participants = ref('stg_gong_call_participants') %}
{%- set users = ref('stg_gong_users') %}
{%- set companies = ref('stg_hubspot_companies') %}
{%- set contacts = ref('stg_hubspot_contacts') %}
{%- if not var('match_calls_by_domain') %}
select
    call_id,
    call_date,
    hubspot_company_id,
    account_name as company_name,
    hubspot_contact_id
from {{ calls }}
where false
{%- else %}
with linked_calls as (

    select distinct call_id from {{ links }}
    where is_current and object_type in ('Account', 'Opportunity')

),

people as (

    select
        call_id,
        coalesce(full_name, email_address) as person_name,
        email_address,
        {{ mail_domain('email_address') }} as domain,
        {{ is_customer('participant_type') }} as is_customer
    from {{ participants }}
    where participant_kind = 'Person' and email_address like '%@%.%'

),

own_domains as (

    {% for domain in var('company_domains') -%}
    select {{ text_literal(domain | lower) }} as domain
    union
    {% endfor -%}
    select domain from people
    where not is_customer
    union
    select {{ mail_domain('email_address') }} as domain from {{ users }}
    union
    select {{ mail_domain('alias.value::varchar') }} as domain
    from {{ users }} as users, lateral flatten(input => users.email_aliases) as alias

),

customers as (

    select people.call_id, people.person_name, people.email_address, people.domain
    from people
    left join linked_calls on people.call_id = linked_calls.call_id
    where people.is_customer and linked_calls.call_id is null

),

-- The domain, and its parent domains without one label, two and three.
domains as (

    select
        call_domains.call_id,
        call_domains.domain,
        parent.index as depth,
        parent.value::varchar as suffix
    from (select distinct call_id, domain from customers) as call_domains,
        lateral flatten(input => array_construct(
            call_domains.domain
            {%- for labels in range(1, 4) %},
            regexp_replace(call_domains.domain, '^([^.]+[.]){% raw %}{{% endraw %}{{ labels }}}', '')
            {%- endfor %}
        )) as parent
    where not {{ is_free_mail('call_domains.domain') }}

),

own_people as (

    select distinct domains.call_id, domains.domain
    from domains
    inner join own_domains on domains.suffix = own_domains.domain

),

company_domains as (

    select company_id, company_name, {{ plain_domain('domain') }} as domain
    from {{ companies }}

),

-- The longest domain of a company that the address has.
matches as (

    select domains.call_id, companies.company_id, companies.company_name
    from domains
    inner join company_domains as companies on domains.suffix = companies.domain
    left join own_people on domains.call_id = own_people.call_id and domains.domain = own_people.domain
    where own_people.call_id is null and companies.domain like '%.%'
    qualify domains.depth = min(domains.depth) over (partition by domains.call_id, domains.domain)

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

    select calls.call_id, max(contacts.contact_id) as contact_id
    from {{ calls }} as calls
    inner join customers on calls.call_id = customers.call_id and calls.contact_name = customers.person_name
    inner join {{ contacts }} as contacts on customers.email_address = contacts.email
    group by 1
    having count(distinct contacts.contact_id) = 1

)

select
    calls.call_id,
    calls.call_date,
    matched_companies.company_id as hubspot_company_id,
    matched_companies.company_name,
    matched_contacts.contact_id as hubspot_contact_id
from {{ calls }} as calls
left join matched_companies on calls.call_id = matched_companies.call_id
left join matched_contacts on calls.call_id = matched_contacts.call_id
where matched_companies.call_id is not null or matched_contacts.call_id is not null
{%- endif %}
