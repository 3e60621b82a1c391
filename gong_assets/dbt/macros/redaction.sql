{#- What is visible of transcripts and of results, if transcripts are redacted. -#}

{% macro redacts_transcripts() -%}
    {{ return((env_var('GONG_REDACT_TRANSCRIPTS', '') or 'false') | lower == 'true') }}
{%- endmacro %}

{#-
    Staged segments with the text that agents may read. If transcripts are redacted, this is the redacted
    text, or NULL if the current text is not redacted yet.
-#}
{% macro visible_segments() -%}
    {%- if redacts_transcripts() -%}
        select staged.* exclude (transcript_text), redacted.redacted_text as transcript_text
        from {{ ref('stg_gong_call_transcripts') }} as staged
        left join {{ ref('cortex_gong_redacted_transcripts') }} as redacted
            on staged.transcript_id = redacted.transcript_id
            and staged.content_hash = redacted.content_hash
            and {{ in_run_window('redacted.call_date') }}
        where {{ in_run_window('staged.call_date') }}
    {%- else -%}
        select * from {{ ref('stg_gong_call_transcripts') }}
        where {{ in_run_window('call_date') }}
    {%- endif -%}
{%- endmacro %}

{#-
    A Cortex result that agents may read. If transcripts are redacted, results of unredacted dialogues are
    NULL.
-#}
{% macro visible_result(row, column) -%}
    {%- if redacts_transcripts() -%}
        iff({{ row }}.is_redacted, {{ row }}.{{ column }}, null)
    {%- else -%}
        {{ row }}.{{ column }}
    {%- endif -%}
{%- endmacro %}
