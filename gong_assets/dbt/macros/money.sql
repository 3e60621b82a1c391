{#-
    Amounts and currencies.

    A deal has an amount in its own currency and one in the home currency of the HubSpot portal. Only the
    latter can be added or compared, so it is NULL if it is not known.
-#}

{#-
    CTEs that read amounts written by people or programs. The last one is called `name`, with one row per
    AMOUNT_TEXT and IS_MACHINE of the CTE `relation`, and the columns AMOUNT, CURRENCY_CODE, CURRENCY_SIGN and
    PROBLEM. CURRENCY_SIGN is a sign of several currencies, such as $, without a code.

    `12500.5`, `12,500.50`, `1.234,56 €`, `1'234.50 CHF`, `$1.2M` and `(500)` are amounts. A program writes
    1.234 for one and a quarter, a person may mean a thousand: without a currency, or in one with three
    decimals, such a text is ambiguous unless IS_MACHINE.
-#}
{% macro amounts(name, relation) %}
{%- set codes = _currency_codes() | join('|') -%}
{%- set words = '(^|[^A-Z])(' ~ codes ~ '|KR[.]?|ZŁ|KČ)([^A-Z]|$)' -%}
{%- set dollars = '(^|[^A-Z])(US|AU|A|CA|C|NZ|HK|S|R|MX|NT)?[$]' -%}
{%- set three_decimals = "'BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND'" -%}
{%- set factors = {
    'K|TSD|THOUSAND': '1000', '万': '10000', 'M|MN|MM|MIO|MILLION|MILLIONS': '1000000', '億': '100000000',
    'B|BN|MRD|BILLION|BILLIONS': '1000000000',
} -%}
{{ name }}_texts as (

    select distinct
        amount_text,
        is_machine,
        {# No-break and thin blanks, apostrophes and minus signs. #}
        upper(trim(translate(
            amount_text, {{ "'\u00a0\u202f\u2009\u2007’´`\u2212\u2013'" }}, '    ''''''--'
        ))) as plain_text
    from {{ relation }}
    where trim(amount_text) <> ''

),

{{ name }}_currencies as (

    select
        *,
        coalesce(
            nullif(regexp_replace(
                regexp_substr(plain_text, '(^|[^A-Z])({{ codes }})([^A-Z]|$)'), '[^A-Z]', ''
            ), ''),
            case
                {%- for sign, code in {
                    'US$': 'USD', 'CA$': 'CAD', 'C$': 'CAD', 'AU$': 'AUD', 'A$': 'AUD', 'NZ$': 'NZD',
                    'HK$': 'HKD', 'R$': 'BRL', 'S$': 'SGD', 'MX$': 'MXN', 'NT$': 'TWD', '€': 'EUR',
                    '£': 'GBP', '₹': 'INR', '₩': 'KRW', '₪': 'ILS', '₺': 'TRY', '₽': 'RUB', '₴': 'UAH',
                    '₫': 'VND', '฿': 'THB', '₦': 'NGN', '₱': 'PHP', '円': 'JPY', 'ZŁ': 'PLN', 'KČ': 'CZK',
                }.items() %}
                when plain_text like '%{{ sign }}%' then '{{ code }}'
                {%- endfor %}
            end
        ) as currency_code,
        case
            when currency_code is not null then null
            {%- for sign in _shared_signs() %}
            when {{ _matches('plain_text', '(^|[^A-Z])' ~ sign.replace('$', '[$]')) }} then '{{ sign }}'
            {%- endfor %}
        end as currency_sign,
        trim(regexp_replace(regexp_replace(regexp_replace(
            plain_text, '{{ words }}', '\\1 \\3'
        ), '{{ dollars }}', '\\1 '), '[€£¥₹₩₪₺₽₴₫฿₦₱円元]', ' ')) as uncut_text
    from {{ name }}_texts

),

{{ name }}_bare as (

    {# The dash of `500,-` stands for no cents. #}
    select *, regexp_replace(uncut_text, '[.,]-+$', '') as bare_text
    from {{ name }}_currencies

),

{{ name }}_unsigned as (

    select
        *,
        coalesce(currency_code, currency_sign) is not null as has_currency,
        coalesce(currency_code in ({{ three_decimals }}), false) as has_three_decimals,
        iff(bare_text like '-%' or bare_text like '%-' or bare_text like '(%)', -1, 1)::number(1, 0) as sign,
        iff(
            (bare_text like '(%') = (bare_text like '%)'),
            trim(regexp_replace(bare_text, '^[-+(] *| *[-)]$', '')), null
        ) as body
    from {{ name }}_bare

),

{{ name }}_scaled as (

    select
        *,
        (case
            {%- for words, factor in factors.items() %}
            when {{ _matches('body', ' *(' ~ words ~ ')[.]?$') }} then {{ factor }}
            {%- endfor %}
            else 1
        end)::number(10, 0) as factor,
        trim(regexp_replace(body, ' *({{ factors | join('|') }})[.]?$', '')) as digits
    from {{ name }}_unsigned

),

{{ name }}_judged as (

    select
        *,
        {{ _matches('digits', '^[1-9][0-9]{0,2}[.][0-9]{3}$') }} as has_one_dot_group,
        case
            when has_one_dot_group and factor = 1
                then not is_machine and (has_three_decimals or not has_currency)
            else factor > 1 and {{ _matches('digits', '^[1-9][0-9]{0,2},[0-9]{3}$') }}
        end as is_ambiguous
    from {{ name }}_scaled

),

{{ name }}_numbers as (

    select
        *,
        case
            when is_ambiguous then null
            when has_one_dot_group and factor = 1 and has_currency and not has_three_decimals
                then replace(digits, '.', '')
            when {{ _matches('digits', '^[0-9]*[.]?[0-9]+(E[-+]?[0-9]+)?$') }} then digits
            -- Thousands by commas, also in the Indian manner (12,34,567).
            when {{ _matches('digits', '^[1-9][0-9]{0,2}(,[0-9]{2,3})*,[0-9]{3}([.][0-9]+)?$') }}
                then replace(digits, ',', '')
            when {{ _matches('digits', '^[1-9][0-9]{0,2}([.][0-9]{3})+(,[0-9]+)?$') }}
                then replace(replace(digits, '.', ''), ',', '.')
            when {{ _matches('digits', "^[1-9][0-9]{0,2}([ ''][0-9]{3})+([.,][0-9]+)?$") }}
                then replace(regexp_replace(digits, '[ '']', ''), ',', '.')
            when {{ _matches('digits', '^([0-9]+,[0-9]{1,2}|0,[0-9]+)$') }} then replace(digits, ',', '.')
        end as number_text
    from {{ name }}_judged

),

{{ name }}_values as (

    select
        *,
        try_to_decimal((try_to_decimal(number_text, 24, 6) * factor * sign)::varchar, 15, 2) as amount
    from {{ name }}_numbers

),

{{ name }} as (

    select
        amount_text,
        is_machine,
        amount,
        currency_code,
        currency_sign,
        case
            when amount is not null then null
            when is_ambiguous then 'Ambiguous: '
            when number_text is not null then 'Too Large: '
            else 'Not a Number: '
        end || left(amount_text, 100) as problem
    from {{ name }}_values

)
{%- endmacro %}

{% macro _matches(text, pattern) -%}
    regexp_count({{ text }}, '{{ pattern }}') > 0
{%- endmacro %}

{#- The signs that several currencies use, in upper case. -#}
{% macro _shared_signs() -%}
    {{ return({
        '$': ['ARS', 'AUD', 'CAD', 'CLP', 'COP', 'HKD', 'MXN', 'NZD', 'SGD', 'TWD', 'USD', 'UYU'],
        '¥': ['CNY', 'JPY'],
        '元': ['CNY', 'HKD', 'TWD'],
        'KR': ['DKK', 'ISK', 'NOK', 'SEK'],
    }) }}
{%- endmacro %}

{% macro _currency_codes() -%}
    {{ return([
        'AED', 'ARS', 'AUD', 'BGN', 'BHD', 'BRL', 'CAD', 'CHF', 'CLP', 'CNY', 'COP', 'CZK', 'DKK', 'EGP',
        'EUR', 'GBP', 'HKD', 'HUF', 'IDR', 'ILS', 'INR', 'IQD', 'ISK', 'JOD', 'JPY', 'KES', 'KRW', 'KWD',
        'LYD', 'MAD', 'MXN', 'MYR', 'NGN', 'NOK', 'NZD', 'OMR', 'PEN', 'PHP', 'PKR', 'PLN', 'QAR', 'RON',
        'RSD', 'RUB', 'SAR', 'SEK', 'SGD', 'THB', 'TND', 'TRY', 'TWD', 'UAH', 'USD', 'UYU', 'VND', 'ZAR',
    ]) }}
{%- endmacro %}

{#- A three-letter code in upper case; NULL for anything else. -#}
{% macro currency_code(value) -%}
    iff({{ _matches('upper(trim(' ~ value ~ '))', '^[A-Z]{3}$') }}, upper(trim({{ value }})), null)
{%- endmacro %}

{#-
    One row about the currencies of a HubSpot portal: HOME_CURRENCY_CODE, which is NULL if it is unknown, and
    IS_MULTI_CURRENCY. `relation` has deal_amount, deal_amount_in_home_currency and deal_currency_code.

    The var home_currency comes first. Otherwise it is the only currency whose deals have the same amount in
    the home currency, else the only currency of all deals.
-#}
{% macro portal_currencies(relation) %}
    {%- set home_currency = var('home_currency') | string | trim | upper %}
    select
        home_currency_code,
        currencies > 1 or is_converted or coalesce(has_foreign_currency, false) as is_multi_currency
    from (
        select
            count(code) as currencies,
            coalesce(max(is_converted), 0) = 1 as is_converted,
            {% if home_currency -%}
            {{ text_literal(home_currency) }} as home_currency_code,
            count_if(code <> {{ text_literal(home_currency) }}) > 0 as has_foreign_currency
            {%- else -%}
            case
                when count_if(code is not null and is_same = 1 and is_converted = 0) = 1
                    then max(iff(is_same = 1 and is_converted = 0, code, null))
                when count(code) = 1 and max(is_converted) = 0 then max(code)
            end as home_currency_code,
            false as has_foreign_currency
            {%- endif %}
        from (
            select
                deal_currency_code as code,
                max(iff(abs(deal_amount - deal_amount_in_home_currency) > 0.01, 1, 0)) as is_converted,
                max(iff(deal_amount <> 0 and abs(deal_amount - deal_amount_in_home_currency) <= 0.01, 1, 0))
                    as is_same
            from {{ relation }}
            group by 1
        ) as by_currency
    ) as portal
{% endmacro %}

{#-
    The amount in the home currency: that of the CRM, else the amount if it is in the home currency. Without a
    code it is, unless the portal has several currencies or `sign` is not one of the home currency. `portal`
    is a row of portal_currencies.
-#}
{% macro home_amount(converted, amount, code, sign, portal) -%}
    coalesce(
        {{ converted }},
        case
            when {{ code }} = {{ portal }}.home_currency_code then {{ amount }}
            when {{ code }} is not null or {{ portal }}.is_multi_currency then null
            when {{ sign }} is null then {{ amount }}
            {%- for shared, codes in _shared_signs().items() %}
            when
                {{ sign }} = '{{ shared }}'
                and coalesce({{ portal }}.home_currency_code in ('{{ codes | join("', '") }}'), true)
                then {{ amount }}
            {%- endfor %}
        end
    )
{%- endmacro %}
