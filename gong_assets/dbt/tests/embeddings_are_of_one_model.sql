{{ config(severity='warn') }}

select embedding_model, min(call_date) as first_call_date, max(call_date) as last_call_date
from {{ ref('cortex_gong_call_transcripts') }}
where processed_by_cortex
group by 1
qualify count(*) over () > 1
