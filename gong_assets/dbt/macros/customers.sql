{#- True for everybody who is not known to belong to the company: External and Unknown. -#}
{% macro is_customer(participant_type) -%}
    (coalesce({{ participant_type }}, 'Unknown') <> 'Internal')
{%- endmacro %}

{#- Person, Note-Taker or Room, by the vars note_taker_names and meeting_room_names. -#}
{% macro participant_kind(name, email) -%}
    case
        when {{ _is_named_like(name, email, var('note_taker_names')) }} then 'Note-Taker'
        when {{ _is_named_like(name, email, var('meeting_room_names')) }} then 'Room'
        else 'Person'
    end
{%- endmacro %}

{#- An entry with an @ is the end of an e-mail address. Any other entry is one or more words of the name. -#}
{% macro _is_named_like(name, email, entries) -%}
    {%- set words, addresses = [], [] -%}
    {%- for entry in entries -%}
        {%- if '@' in entry -%}
            {%- do addresses.append(text_literal(entry | lower)) -%}
        {%- else -%}
            {%- do words.append(entry) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ has_words(name, words) }}
    {#- Not LIKE: an address can have an underscore. -#}
    {%- for address in addresses %} or endswith(lower({{ email }}), {{ address }}){% endfor -%}
{%- endmacro %}

{#-
    CTEs that count the different people among participants. The last one is called `name`, and has the
    columns `scope` and PERSON_COUNT. `relation` is a CTE with `scope` and with call_id, participant_id,
    crm_contact_id, email_address, phone_number and full_name.

    Two participants are compared by the first of CRM contact, e-mail address, phone number and name that both
    have. A phone number without a country code is the only number that is the same with one. A person can be
    known by one of them in one call and by another in the next: three rounds follow
    such a chain from a name to a CRM contact. Participants without any of them cannot be told apart between
    calls, so only those within one call count as different people.
-#}
{% macro person_counts(name, relation, scope) %}
{%- set ids = ['crm_contact_id', 'email', 'phone', 'full_name'] -%}
{#- Two columns of one name could not be selected. -#}
{%- set columns = ['call_id'] if scope == 'call_id' else [scope, 'call_id'] -%}
{{ name }}_names as (

    -- Each name once, because its words take longer to find than all other ids. Some dialers send the number
    -- as the name.
    select
        full_name,
        iff({{ _is_phone('full_name') }}, full_name, null) as phone_number,
        iff({{ _is_phone('full_name') }}, null, nullif({{ plain_words('full_name') }}, ' ')) as words
    from (select distinct full_name from {{ relation }}) as names

),

{{ name }}_listed as (

    select
        {%- for column in columns %}
        {{ relation }}.{{ column }},
        {%- endfor %}
        {{ relation }}.participant_id,
        {{ relation }}.crm_contact_id,
        lower({{ relation }}.email_address) as email,
        nullif(regexp_replace(regexp_replace(
            coalesce({{ relation }}.phone_number, names.phone_number), '[(]0[)]|[^0-9]', ''
        ), '^00', ''), '') as listed_phone,
        regexp_count(coalesce({{ relation }}.phone_number, names.phone_number), '^[ (]*([+]|00)') > 0
            as has_country_code,
        -- Without the 0 that comes before an area code.
        iff(has_country_code, null, regexp_replace(listed_phone, '^0+', '')) as national_phone,
        names.words as full_name
    from {{ relation }}
    left join {{ name }}_names as names on {{ relation }}.full_name = names.full_name

),

{{ name }}_phones as (

    select national.{{ scope }}, national.listed_phone, min(dialled.listed_phone) as phone
    from {{ name }}_listed as national
    inner join {{ name }}_listed as dialled
        on national.{{ scope }} = dialled.{{ scope }}
        and dialled.has_country_code
        and dialled.listed_phone like '%' || national.national_phone
        and length(dialled.listed_phone) - length(national.national_phone) between 1 and 3
    where length(national.national_phone) >= 7
    group by 1, 2
    having count(distinct dialled.listed_phone) = 1

),

{{ name }}_compared as (

    select listed.*, coalesce(phones.phone, listed.listed_phone) as phone
    from {{ name }}_listed as listed
    left join {{ name }}_phones as phones
        on listed.{{ scope }} = phones.{{ scope }}
        and listed.listed_phone = phones.listed_phone
        and not listed.has_country_code

),

{{ name }}_numbered as (

    select
        *,
        coalesce(crm_contact_id, email, phone, full_name) is null as is_anonymous,
        row_number() over (
            partition by {{ columns | join(', ') }}, coalesce(crm_contact_id, email, phone, full_name) is null
            order by participant_id
        ) as participant_number
    from {{ name }}_compared

),

{{ name }}_0 as (

    select distinct
        {{ scope }},
        {{ ids | join(', ') }},
        iff(is_anonymous, participant_number, null) as anonymous_number,
        coalesce(
            '1 ' || crm_contact_id, '2 ' || email, '3 ' || phone, '4 ' || full_name,
            '5 ' || participant_number::varchar
        ) as person_key
    from {{ name }}_numbered

),

{#- Each row gets the smallest key among the rows of the same person. -#}
{% for number in range(3) %}
{{ name }}_{{ number + 1 }} as (

    select
        one.{{ scope }},
        {%- for id in ids %}
        one.{{ id }},
        {%- endfor %}
        one.anonymous_number,
        min(other.person_key) as person_key
    from {{ name }}_{{ number }} as one
    inner join {{ name }}_{{ number }} as other
        on one.{{ scope }} = other.{{ scope }}
        and case
            {%- for id in ids %}
            when one.{{ id }} is not null and other.{{ id }} is not null then one.{{ id }} = other.{{ id }}
            {%- endfor %}
            else one.anonymous_number = other.anonymous_number
        end
    group by 1, 2, 3, 4, 5, 6

),
{% endfor %}
{{ name }} as (

    select {{ scope }}, count(distinct person_key) as person_count
    from {{ name }}_3
    group by 1

)
{%- endmacro %}

{% macro _is_phone(name) -%}
    coalesce(regexp_replace({{ name }}, '[-+0-9 ()./]', '') = '', false)
{%- endmacro %}
