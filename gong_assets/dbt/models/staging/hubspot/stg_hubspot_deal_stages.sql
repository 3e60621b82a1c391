with stages as (

    {{ hubspot_deal_stages() }}

)

-- Two pipelines can use one id for different stages. Gong's records have only the id, so it has no label.
select
    stage_id,
    iff(count(distinct label) = 1, max(label), null) as stage_label
from stages
where stage_id is not null
group by 1
