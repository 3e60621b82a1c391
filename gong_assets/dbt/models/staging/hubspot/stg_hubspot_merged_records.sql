with recursive hubspot_merges as (

    {{ hubspot_merges() }}

),

listed_merges as (

    select distinct
        hubspot_merges.object_type,
        -- `id`, or `id:milliseconds`.
        regexp_replace(trim(listed.value::varchar), ':.*$', '') as merged_id,
        hubspot_merges.survivor_id
    from hubspot_merges, lateral flatten(input => split(hubspot_merges.merged_ids, ';')) as listed
    where hubspot_merges.survivor_id is not null

),

merges as (

    select * from listed_merges
    where merged_id not in ('', survivor_id)

),

merged_ids as (

    select distinct object_type, merged_id from merges

),

-- Into which record each went: of several that list it, one that was not merged itself since, else the newest.
successors as (

    select merges.*
    from merges
    left join merged_ids
        on merges.object_type = merged_ids.object_type and merges.survivor_id = merged_ids.merged_id
    qualify row_number() over (
        partition by merges.object_type, merges.merged_id
        order by
            iff(merged_ids.merged_id is null, 0, 1), try_to_number(merges.survivor_id) desc nulls last,
            merges.survivor_id desc
    ) = 1

),

chains (object_type, merged_id, survivor_id, steps) as (

    select
        object_type,
        merged_id,
        survivor_id,
        1::number(38, 0) as steps
    from successors

    union all

    select
        chains.object_type,
        chains.merged_id,
        successors.survivor_id,
        (chains.steps + 1)::number(38, 0) as steps
    from chains
    inner join successors
        on chains.object_type = successors.object_type and chains.survivor_id = successors.merged_id
    -- A survivor lists all that went into it, so that one step is the rule.
    where chains.steps < 20

)

select
    lower(object_type) || '_' || merged_id as merged_record_id,
    object_type,
    merged_id,
    survivor_id
from chains
-- Of ids that lead to one another in a circle nothing is known.
qualify row_number() over (partition by object_type, merged_id order by steps desc) = 1 and steps < 20
