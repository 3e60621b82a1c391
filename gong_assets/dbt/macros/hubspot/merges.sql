{#-
    Merge lists as rows, from the CTEs deals, companies (survivor_id, merged_ids) and contacts (also
    merged_vids).

    Contacts that were merged before HubSpot introduced hs_merged_object_ids for contacts have
    hs_calculated_merged_vids: `id:milliseconds;id:milliseconds`, including their own id.
-#}
{% macro hubspot_merge_lists() -%}
    select
        'Opportunity' as object_type,
        survivor_id,
        merged_ids
    from deals

    union all

    select
        'Account' as object_type,
        survivor_id,
        merged_ids
    from companies

    union all

    select
        'Contact' as object_type,
        survivor_id,
        coalesce(merged_ids, '') || ';' || coalesce(merged_vids, '') as merged_ids
    from contacts
{%- endmacro %}
