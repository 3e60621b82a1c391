-- A table, because it takes the participants of all calls to know all names of a user.
{{ config(materialized='table') }}

with users as (

    select * from {{ ref('stg_gong_users') }}

),

calls as (

    select
        call_id,
        primary_user_id,
        coalesce(is_private, false) as is_private,
        coalesce(call_datetime_utc, call_date::timestamp_ntz) as appeared_at
    from {{ ref('stg_gong_calls') }}

),

-- Calls have the names and addresses of their time, and users whom Gong has deleted since.
appearances as (

    select
        participants.user_id,
        participants.full_name,
        participants.email_address,
        calls.is_private,
        calls.appeared_at
    from {{ ref('stg_gong_call_participants') }} as participants
    inner join calls on participants.call_id = calls.call_id
    where participants.user_id is not null

    union all

    select
        primary_user_id as user_id,
        null as full_name,
        null as email_address,
        is_private,
        appeared_at
    from calls
    where primary_user_id is not null

),

known_appearances as (

    select
        appearances.*,
        users.user_id is null
        and min(iff(appearances.is_private, 1, 0)) over (partition by appearances.user_id) = 1
            as is_private_user
    from appearances
    left join users on appearances.user_id = users.user_id

),

-- What only a private call says of a user is left out, unless nothing else is known.
visible_appearances as (

    select * from known_appearances
    where is_private_user or not is_private

),

listed_terms as (

    select user_id, 'Name' as term_type, full_name as term, 0 as term_order, null::timestamp_ntz as seen_at
    from users

    union all

    select user_id, 'E-mail', email_address, 0, null
    from users

    union all

    select users.user_id, 'E-mail', lower(alias.value::varchar), 1, null
    from users, lateral flatten(input => users.email_aliases) as alias

    union all

    select user_id, 'Name', full_name, 2, appeared_at
    from visible_appearances

    union all

    select user_id, 'E-mail', lower(email_address), 2, appeared_at
    from visible_appearances

),

terms as (

    select
        user_id,
        term_type,
        term,
        min(term_order) as term_order,
        max(seen_at) as seen_at
    from listed_terms
    where term is not null
    group by 1, 2, 3

),

-- The present name is Gong's, else that of the newest call.
ordered_terms as (

    select
        *,
        row_number() over (
            partition by user_id, term_type order by term_order, seen_at desc nulls last, term
        ) as position
    from terms

),

known_terms as (

    select
        user_id,
        max(iff(term_type = 'Name' and position = 1, term, null)) as full_name,
        max(iff(term_type = 'E-mail' and position = 1, term, null)) as email_address,
        array_agg(iff(term_type = 'Name' and position > 1, term, null)) within group (order by position)
            as former_names,
        array_agg(iff(term_type = 'E-mail' and position > 1 and term_order < 2, term, null))
            within group (order by position) as email_aliases,
        array_agg(iff(term_type = 'E-mail' and position > 1 and term_order = 2, term, null))
            within group (order by position) as former_email_addresses
    from ordered_terms
    group by 1

),

user_ids as (

    select user_id, false as is_private from users
    union
    select user_id, is_private_user as is_private from visible_appearances

)

select
    user_ids.user_id,
    known_terms.full_name,
    known_terms.email_address,
    coalesce(known_terms.former_names, array_construct()) as former_names,
    coalesce(known_terms.email_aliases, array_construct()) as email_aliases,
    coalesce(known_terms.former_email_addresses, array_construct()) as former_email_addresses,
    users.user_id is not null as is_listed,
    coalesce(users.is_active, false) as is_active,
    user_ids.is_private
from user_ids
left join known_terms on user_ids.user_id = known_terms.user_id
left join users on user_ids.user_id = users.user_id
