{{ config(post_hook="{{ send_calls_for_insights() }}") }}

-- Models that send are built one after another, as they share the run's token budget.
-- depends_on: {{ ref('cortex_gong_calls') }}

-- The calls of which Gong says no topics or no next steps.
with calls as (

    select call_id, call_date from {{ ref('stg_gong_calls') }}
    where {{ in_run_window('call_date') }} and (key_topics is null or next_steps is null)

),

dialogues as (

    {{ dialogue_hashes() }}

)

-- Insights of the same dialogue are carried over: they were paid for. The rest waits for the post-hook.
select
    calls.call_id,
    calls.call_date,
    earlier.key_topics,
    earlier.next_steps,
    earlier.risks,
    coalesce(earlier.processed_by_cortex, false) as processed_by_cortex,
    earlier.cortex_processed_at,
    coalesce(earlier.cortex_attempts, 0) as cortex_attempts,
    earlier.cortex_error,
    earlier.cortex_request,
    dialogues.transcript_hash,
    {{ redacts_transcripts() }} as is_redacted,
    earlier.insights_model,
    earlier.enrichment_version
from calls
inner join dialogues on calls.call_id = dialogues.call_id
left join {{ earlier_rows() }} as earlier
    on dialogues.call_id = earlier.call_id and dialogues.transcript_hash = earlier.transcript_hash
