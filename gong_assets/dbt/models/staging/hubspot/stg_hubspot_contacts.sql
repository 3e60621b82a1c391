with hubspot_contacts as (

    {{ hubspot_contacts() }}

),

distinct_contacts as (

    select * from hubspot_contacts
    where contact_id is not null
    qualify row_number() over (
        partition by contact_id
        order by updated_at desc nulls last, is_deleted desc, email, last_name, first_name
    ) = 1

),

current_contacts as (

    select distinct_contacts.*
    from distinct_contacts
    left join {{ ref('stg_hubspot_merged_records') }} as merged
        on merged.object_type = 'Contact' and distinct_contacts.contact_id = merged.merged_id
    where not distinct_contacts.is_deleted and merged.merged_id is null

),

-- HubSpot may still have a person who was erased here.
erased_people as (

    {{ erased_contacts('current_contacts') }}

)

select
    contact_id,
    first_name,
    last_name,
    lower(email) as email,
    company_name,
    job_title,
    lifecycle_stage,
    create_date,
    datediff('day', create_date, {{ company_today() }}) as days_since_created,
    updated_at,
    sysdate() as last_refreshed
from current_contacts
where contact_id not in (select contact_id from erased_people)
