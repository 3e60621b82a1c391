{#- Named here, because dbt must know what the model reads with the var match_calls_by_domain. -#}
{%- set calls = ref('stg_gong_calls') %}
{%- set links = ref('stg_gong_call_crm_links') %}
{%- set participants = ref('stg_gong_call_participants') %}
{%- set users = ref('stg_gong_users') %}
{%- if not var('match_calls_by_domain') %}
select
    call_id as customer_address_id,
    call_id,
    call_date,
    primary_user_email as email_address,
    primary_user_email as domain,
    0 as depth,
    primary_user_email as suffix,
    false as is_contact
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

    select
        people.call_id,
        calls.call_date,
        people.email_address,
        people.domain,
        max(iff(calls.contact_name = people.person_name, 1, 0)) = 1 as is_contact
    from people
    inner join {{ calls }} as calls on people.call_id = calls.call_id
    left join linked_calls on people.call_id = linked_calls.call_id
    where people.is_customer and linked_calls.call_id is null
    group by 1, 2, 3, 4

),

-- Each domain once, because calls share few: the domain, and its parents without one label, two and three.
domains as (

    select
        listed.domain,
        parent.index as depth,
        parent.value::varchar as suffix
    from (select distinct domain from customers) as listed,
        lateral flatten(input => array_construct(
            listed.domain
            {%- for labels in range(1, 4) %},
            regexp_replace(listed.domain, '^([^.]+[.]){% raw %}{{% endraw %}{{ labels }}}', '')
            {%- endfor %}
        )) as parent
    where
        not {{ is_free_mail('listed.domain') }}
        and (parent.index = 0 or parent.value::varchar <> listed.domain)
        and parent.value::varchar like '%.%'

),

domains_of_own_people as (

    select distinct domains.domain
    from domains
    inner join own_domains on domains.suffix = own_domains.domain

)

-- Addresses of free mail and of own people have no suffix that could be a company's domain.
select
    customers.call_id || '_' || customers.email_address || '_' || coalesce(domains.depth, 0)::varchar
        as customer_address_id,
    customers.call_id,
    customers.call_date,
    customers.email_address,
    customers.domain,
    domains.depth::number(38, 0) as depth,
    domains.suffix,
    customers.is_contact
from customers
left join domains_of_own_people as own on customers.domain = own.domain
left join domains on customers.domain = domains.domain and own.domain is null
{%- endif %}
