with source as (

    select
        call_id,
        call_date,
        raw_data:context as crm_context,
        raw_data:parties as parties
    from {{ source('gong', 'gong_calls_raw') }}
    where processing_error is null and {{ in_run_window('call_date') }}

),

-- Contexts of the call and of its participants.
contexts as (

    select call_id, true as is_of_call, -1 as party_index, crm_context
    from source

    union all

    select source.call_id, false as is_of_call, party.index as party_index, party.value:context as crm_context
    from source, lateral flatten(input => source.parties) as party
    where {{ is_list_entry('party') }}

),

objects as (

    {{ crm_objects('contexts', ['call_id', 'is_of_call', 'party_index']) }}

),

ordered_objects as (

    select
        *,
        call_id || '_' || lower(crm_system) || '_' || lower(object_type) || '_' || object_id as crm_link_id,
        row_number() over (partition by call_id order by party_index, system_index, object_index)
            as listed_order
    from objects

),

-- The first listing of a record wins, for both timings. The call comes before its participants.
distinct_objects as (

    select *
    from ordered_objects
    qualify party_index = min(party_index) over (partition by crm_link_id)
        and row_number() over (partition by crm_link_id, is_at_call order by listed_order) = 1

),

links as (

    select
        crm_link_id,
        call_id,
        crm_system,
        object_type,
        object_id,
        is_of_call,
        count_if(not is_at_call) > 0 as is_linked_now,
        count_if(is_at_call) > 0 as is_linked_at_call,
        coalesce(min(iff(is_at_call, null, listed_order)), min(listed_order)) as listed_order
    from distinct_objects
    group by 1, 2, 3, 4, 5, 6

),

-- If a call was linked to other records after it took place, those are current, and the records at the time
-- of the call are not. Records of participants, such as another deal, are never current.
current_links as (

    select
        *,
        is_of_call and (
            is_linked_now or count_if(is_linked_now) over (partition by call_id, object_type, is_of_call) = 0
        ) as is_current
    from links

),

fields as (

    select
        distinct_objects.crm_link_id,
        distinct_objects.is_at_call,
        field.value:name::varchar as field_name,
        {{ crm_field_name('field') }} as plain_name,
        field.value:value as field_value,
        {{ json_label('field.value:value') }} as label,
        {%- set currencies = [] %}
        {%- for name in ['currency', 'currencyCode', 'currencyIsoCode'] %}
            {%- do currencies.append(json_text('field.value:value.' ~ name)) %}
        {%- endfor %}
        upper(coalesce({{ currencies | join(', ') }})) as object_currency,
        -- A number in JSON is written by a program, a text perhaps by a person.
        coalesce(to_json(field.value:value) not like '"%', false) as is_machine
    from distinct_objects, lateral flatten(input => distinct_objects.fields) as field
    where field.value:name::varchar is not null and field.value:value::varchar is not null
    qualify row_number() over (
        partition by distinct_objects.crm_link_id, distinct_objects.is_at_call, field.value:name::varchar
        order by field.index
    ) = 1

),

amount_fields as (

    select
        crm_link_id,
        is_at_call,
        plain_name in ('amountinhomecurrency', 'convertedamount') as is_converted,
        label as amount_text,
        is_machine
    from fields
    where plain_name in ('amount', 'dealamount', 'amountinhomecurrency', 'convertedamount')

),

{{ amounts('read_amounts', 'amount_fields') }},

link_amounts as (

    select
        amount_fields.crm_link_id,
        amount_fields.is_at_call,
        max(iff(amount_fields.is_converted, null, read_amounts.amount)) as amount,
        max(iff(amount_fields.is_converted, null, read_amounts.currency_code)) as currency_code,
        max(iff(amount_fields.is_converted, null, read_amounts.currency_sign)) as currency_sign,
        max(iff(amount_fields.is_converted, null, read_amounts.problem)) as problem,
        max(iff(amount_fields.is_converted, read_amounts.amount, null)) as home_amount
    from amount_fields
    inner join read_amounts
        on amount_fields.amount_text = read_amounts.amount_text
        and amount_fields.is_machine = read_amounts.is_machine
    group by 1, 2

),

field_records as (

    {%- set is_currency = "plain_name in ('dealcurrencycode', 'currencyisocode', 'currencycode')" %}

    select
        crm_link_id,
        is_at_call,
        parse_json(
            '{' || listagg(to_json(field_name::variant) || ':' || to_json(field_value), ',')
                within group (order by field_name) || '}'
        )::object as fields,
        max(iff(plain_name in ('name', 'dealname', 'companyname', 'accountname'), label, null))
            as object_name,
        max(iff(plain_name in ('stagename', 'dealstage', 'stage'), label, null)) as stage,
        max(iff({{ is_currency }}, {{ currency_code('label') }}, null)) as currency_code,
        max(iff({{ is_currency }}, upper(label), null)) as currency_text,
        max(iff(plain_name in ('amount', 'dealamount'), object_currency, null)) as object_currency
    from fields
    group by 1, 2

),

records as (

    select
        field_records.* exclude (currency_code, currency_text, object_currency),
        link_amounts.amount,
        coalesce(
            field_records.currency_code,
            {{ currency_code('field_records.object_currency') }},
            link_amounts.currency_code
        ) as currency_code,
        coalesce(field_records.currency_text, field_records.object_currency, link_amounts.currency_sign)
            as currency_sign,
        link_amounts.home_amount,
        link_amounts.problem
    from field_records
    left join link_amounts
        on field_records.crm_link_id = link_amounts.crm_link_id
        and field_records.is_at_call = link_amounts.is_at_call

)

select
    current_links.crm_link_id,
    current_links.call_id,
    source.call_date,
    current_links.crm_system,
    current_links.object_type,
    current_links.object_id,
    current_links.listed_order,
    current_links.is_of_call,
    current_links.is_linked_now,
    current_links.is_linked_at_call,
    current_links.is_current,
    iff(
        current_links.is_current,
        row_number() over (
            partition by current_links.call_id, current_links.object_type
            order by
                iff(current_links.is_current, 0, 1), iff(current_links.crm_system = 'HubSpot', 0, 1),
                current_links.listed_order
        ),
        null
    ) as preference,
    coalesce(records_now.object_name, records_at_call.object_name) as object_name,
    records_now.stage as stage_now,
    records_at_call.stage as stage_at_call,
    records_now.amount as amount_now,
    records_at_call.amount as amount_at_call,
    records_now.currency_code as currency_code_now,
    records_at_call.currency_code as currency_code_at_call,
    iff(records_now.currency_code is null, records_now.currency_sign, null) as currency_sign_now,
    iff(records_at_call.currency_code is null, records_at_call.currency_sign, null) as currency_sign_at_call,
    records_now.home_amount as amount_in_home_currency_now,
    records_at_call.home_amount as amount_in_home_currency_at_call,
    coalesce(records_now.problem, records_at_call.problem) as amount_problem,
    records_now.fields as fields_now,
    records_at_call.fields as fields_at_call
from current_links
inner join source on current_links.call_id = source.call_id
left join records as records_now
    on current_links.crm_link_id = records_now.crm_link_id and not records_now.is_at_call
left join records as records_at_call
    on current_links.crm_link_id = records_at_call.crm_link_id and records_at_call.is_at_call
