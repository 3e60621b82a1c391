{#-
    The company's time zone, in which deals close, months begin and days are counted.

    HubSpot's dates are moments in UTC. Calls keep their UTC columns and their daily partitions, and
    LOCAL_CALL_DATE is the day on which the company held the call.
-#}
{% macro company_timezone() -%}
    {{ return(env_var('GONG_COMPANY_TIMEZONE', '') or var('company_timezone')) }}
{%- endmacro %}

{#- The company's date at a time in UTC. -#}
{% macro company_date(utc) -%}
    convert_timezone('UTC', {{ text_literal(company_timezone()) }}, {{ utc }})::date
{%- endmacro %}

{% macro company_today() -%}
    {{ company_date('sysdate()') }}
{%- endmacro %}

{#- The first moment of the company's day, in UTC. -#}
{% macro company_day_start(day) -%}
    convert_timezone({{ text_literal(company_timezone()) }}, 'UTC', {{ day }}::timestamp_ntz)
{%- endmacro %}

{#- The company's date of a call; the UTC date if the start is unknown. -#}
{% macro local_call_date(relation) -%}
    coalesce({{ company_date(relation ~ '.call_datetime_utc') }}, {{ relation }}.call_date)
{%- endmacro %}

{#- The moment at which a call started; the start of its day if the start is unknown. -#}
{% macro call_at(relation) -%}
    coalesce({{ relation }}.call_datetime_utc, {{ company_day_start(relation ~ '.call_date') }})
{%- endmacro %}

{#- The moment at which a deal was created; the start of the day if HubSpot has no time. -#}
{% macro deal_created_at(deals) -%}
    coalesce({{ deals }}.create_datetime_utc, {{ company_day_start(deals ~ '.create_date') }})
{%- endmacro %}

{#- The moment at which a deal closes; the end of the day, after its calls, if HubSpot has no time. -#}
{% macro deal_closes_at(deals) -%}
    coalesce(
        {{ deals }}.close_datetime_utc,
        dateadd('second', -1, {{ company_day_start("dateadd('day', 1, " ~ deals ~ '.close_date)') }})
    )
{%- endmacro %}
