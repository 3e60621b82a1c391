{{ config(post_hook="{{ send_calls_for_insights() }}") }}

-- The sending models are built one after another, because they share the token budget of the run.
-- depends_on: {{ ref('cortex_gong_calls') }}

-- Calls without Gong topics or next steps.
with calls as (

    select call_id, call_date from {{ ref('stg_gong_calls') }}
    where {{ in_run_window('call_date') }} and (key_topics is null or next_steps is null)

),

dialogues as (

    {{ dialogue_hashes() }}

)

-- Insights cost money, so those of unchanged dialogues are kept. The post-hook sends the others.
select
    calls.call_id,
    calls.call_date,
    previous.key_topics,
    previous.next_steps,
    previous.risks,
    coalesce(previous.processed_by_cortex, false) as processed_by_cortex,
    previous.cortex_processed_at,
    coalesce(previous.cortex_attempts, 0) as cortex_attempts,
    previous.cortex_error,
    previous.cortex_request,
    dialogues.transcript_hash,
    {{ redacts_transcripts() }} as is_redacted,
    previous.insights_model,
    previous.enrichment_version
from calls
inner join dialogues on calls.call_id = dialogues.call_id
left join {{ previous_rows() }} as previous
    on dialogues.call_id = previous.call_id and dialogues.transcript_hash = previous.transcript_hash
