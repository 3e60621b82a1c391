{#-
    The contacts of a relation with CONTACT_ID and EMAIL that were erased. GONG_ERASURES has salted hashes of
    their identifiers (gong_assets/warehouse/erasures.py).
-#}
{% macro erased_contacts(relation) -%}
    select distinct {{ relation }}.contact_id
    from {{ relation }}
    inner join {{ target.database }}.{{ target.schema }}.gong_erasures as erasures
        on
            erasures.kind = 'email'
            and sha2(erasures.salt || lower(trim({{ relation }}.email)), 256) = erasures.identifier_hash
            or erasures.kind = 'crm'
            and sha2(erasures.salt || lower({{ relation }}.contact_id), 256) = erasures.identifier_hash
{%- endmacro %}
