{{ config(
    materialized='incremental', on_schema_change='append_new_columns', tags=['partitioned'],
    cluster_by=['call_date']
) }}
{#- Kept by day, so that no question about a call collects the risks of all calls. -#}
select
    call_id,
    call_date,
    array_agg(
        object_construct(
            'risk', risk, 'detail', detail, 'at_seconds', at_seconds, 'sentiment', sentiment,
            'transcript_id', transcript_id
        )
    ) within group (order by risk, at_seconds, risk_id) as risk_indicators,
    min(iff(is_redacted, 1, 0)) = 1 as is_redacted
from {{ ref('int_gong_call_risks') }}
where {{ in_run_window('call_date') }}
group by 1, 2
