{#-
    Which calls are about which HubSpot deals, one row per call and deal: a call may be about several deals, and a deal
    has several calls. Whoever sums over the one side groups by it first.
-#}
{% macro deal_calls() %}
    select
        links.call_id,
        links.call_date,
        calls.call_datetime_utc,
        calls.primary_user_id,
        links.object_id as deal_id
    from ({{ current_crm_links() }}) as links
    inner join {{ ref('stg_gong_calls') }} as calls on links.call_id = calls.call_id
    where links.object_type = 'Opportunity' and links.crm_system = 'HubSpot'
{% endmacro %}

{#- The order of calls: by their start, and by their id where two start together; by their day if the start is not known. -#}
{% macro latest_call_first(relation) -%}
    coalesce({{ relation }}.call_datetime_utc, {{ relation }}.call_date::timestamp_ntz) desc, {{ relation }}.call_id desc
{%- endmacro %}
