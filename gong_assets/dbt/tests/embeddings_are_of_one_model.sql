-- After a change of the var embedding_model, days that have not been run since still have vectors of the old
-- model, which are not comparable with the new ones.
{{ config(severity='warn') }}

select embedding_model, min(call_date) as first_call_date, max(call_date) as last_call_date
from {{ ref('cortex_gong_call_transcripts') }}
where processed_by_cortex
group by 1
qualify count(*) over () > 1
