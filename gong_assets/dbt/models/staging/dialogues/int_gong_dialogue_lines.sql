-- Read before the redacted table of the days exists, so from the answers themselves.
{%- if redacts_transcripts() %}
with redacted as (

    select call_id, call_date, text_hash, answer_text as redacted_text
    from {{ cortex_table('answers') }}
    where enrichment = 'redactions' and answer_text is not null
    qualify row_number() over (
        partition by call_id, call_date, text_hash order by answered_at desc nulls last
    ) = 1

),

segments as (

    select staged.* exclude (transcript_text), redacted.redacted_text as transcript_text
    from {{ ref('stg_gong_call_transcripts') }} as staged
    left join redacted
        on staged.call_id = redacted.call_id
        and staged.call_date = redacted.call_date
        and staged.content_hash = redacted.text_hash

)
{%- else %}
with segments as (

    select * from {{ ref('stg_gong_call_transcripts') }}

)
{%- endif %},

numbered as (

    select
        *,
        row_number() over (partition by call_id, call_date order by turn_index, part)::number(38, 0)
            as line_number
    from segments

)

select
    call_id || '_' || line_number::varchar as line_id,
    call_id,
    call_date,
    line_number,
    word_count,
    coalesce(speaker_name, speaker_type || ' speaker') || ': ' || transcript_text as line
from numbered
