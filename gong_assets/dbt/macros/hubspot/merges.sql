{#-
    The merge lists of the CTEs deals, companies (survivor_id, merged_ids) and contacts (with merged_vids beside), as rows.

    A contact that was merged before HubSpot kept hs_merged_object_ids for contacts has hs_calculated_merged_vids:
    `id:milliseconds;id:milliseconds`, its own id among them.
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
