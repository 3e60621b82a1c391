with hubspot_contacts as (

    {{ hubspot_contacts() }}

),

distinct_contacts as (

    select * from hubspot_contacts
    where contact_id is not null
    qualify row_number() over (partition by contact_id order by updated_at desc nulls last) = 1

)

select
    contact_id,
    first_name,
    last_name,
    email,
    company_name,
    job_title,
    lifecycle_stage,
    create_date,
    datediff('day', create_date, sysdate()::date) as days_since_created,
    updated_at,
    sysdate() as last_refreshed
from distinct_contacts
