with recursive hubspot_merges as (

    {{ hubspot_merges() }}

),

listed_merges as (

    select distinct
        hubspot_merges.object_type,
        -- Entries are `id` or `id:milliseconds`.
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

-- The next record of each merge. If several list the id, one that was not merged itself, else the newest.
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
    -- A survivor lists all its merged records, so one step is normal.
    where chains.steps < 20

)

select
    lower(object_type) || '_' || merged_id as merged_record_id,
    object_type,
    merged_id,
    survivor_id
from chains
-- Excludes ids that refer to each other in a circle.
qualify row_number() over (partition by object_type, merged_id order by steps desc) = 1 and steps < 20
