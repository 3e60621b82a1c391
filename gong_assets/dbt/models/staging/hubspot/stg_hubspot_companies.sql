with hubspot_companies as (

    {{ hubspot_companies() }}

),

distinct_companies as (

    select * from hubspot_companies
    where company_id is not null
    qualify row_number() over (
        partition by company_id order by updated_at desc nulls last, is_deleted desc, company_name, domain
    ) = 1

),

current_companies as (

    select distinct_companies.*
    from distinct_companies
    left join {{ ref('stg_hubspot_merged_records') }} as merged
        on merged.object_type = 'Account' and distinct_companies.company_id = merged.merged_id
    where not distinct_companies.is_deleted and merged.merged_id is null

)

select
    company_id,
    company_name,
    lower(domain) as domain,
    industry,
    annual_revenue,
    number_of_employees,
    case
        when number_of_employees >= {{ var('enterprise_from_employees') }} then 'Enterprise'
        when number_of_employees >= {{ var('mid_market_from_employees') }} then 'Mid-Market'
        when number_of_employees is not null then 'Small Business'
    end as company_size_category,
    case
        when annual_revenue >= {{ var('high_revenue_from') }} then 'High'
        when annual_revenue >= {{ var('medium_revenue_from') }} then 'Medium'
        when annual_revenue is not null then 'Low'
    end as revenue_category,
    updated_at,
    sysdate() as last_refreshed
from current_companies
