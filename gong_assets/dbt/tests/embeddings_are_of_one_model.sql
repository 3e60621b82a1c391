-- After a change of var embedding_model the days that have not been run since still hold the old model's vectors, which
-- must not be compared with the new one's.
{{ config(severity='warn') }}

select embedding_model, min(call_date) as first_call_date, max(call_date) as last_call_date
from {{ ref('cortex_gong_call_transcripts') }}
where processed_by_cortex
group by 1
qualify count(*) over () > 1
